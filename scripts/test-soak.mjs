/**
 * `npm run test:soak -- --storm [--minutes 25]`: daily mailings while every fault that the promises name comes in turn.
 * `npm run test:soak [-- --mailings 200 --days 30 --day-ms 6000 --clients-each 5 --workers 3 --kill-every-ms 4000]`: daily
 * mailings through days that take seconds, real workers killed on the way. Prints what it found; the last line is
 * `N passed, N failed`.
 */
import { parseArgs } from 'node:util';
import { projectFolder, runToEnd } from '../tools/embedded/install.mjs';

const { values } = parseArgs({
  options: {
    storm: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '25' },
    mailings: { type: 'string', default: '200' },
    'clients-each': { type: 'string', default: '5' },
    days: { type: 'string', default: '30' },
    'day-ms': { type: 'string', default: '6000' },
    workers: { type: 'string', default: '3' },
    'kill-every-ms': { type: 'string', default: '4000' },
  },
});
const { storm, minutes, ...soak } = values;
const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
const env = storm
  ? {
      STORM: JSON.stringify({
        mailings: 40,
        clientsEach: 20,
        dayMs: 20_000,
        days: Math.ceil(Number(minutes) * 3),
        workers: 3,
      }),
    }
  : { SOAK: JSON.stringify(Object.fromEntries(Object.entries(soak).map(([k, v]) => [camel(k), Number(v)]))) };
/** How long it may take: the soak, and as long again for what comes before and after it, and for slow machines. */
const MINUTES = 15 + 2 * (storm ? Number(minutes) : (Number(soak.days) * Number(soak['day-ms'])) / 60_000);
const tests = storm
  ? ['--testPathPatterns', 'faults/storm']
  : ['--testPathPatterns', 'faults/calendar', '--testNamePattern', 'days of seconds'];
process.exitCode = await runToEnd(process.execPath, ['scripts/test.mjs', '--selectProjects', 'faults', ...tests], {
  cwd: projectFolder,
  env: { ...process.env, ...env, TEST_FILE_MINUTES: String(MINUTES) },
});
