/**
 * `npm run test:soak [-- --mailings 200 --days 30 --day-ms 6000 --clients-each 5 --workers 3 --kill-every-ms 4000]`: daily
 * mailings through days that take seconds, real workers killed on the way. Prints what it found; the last line is
 * `N passed, N failed`.
 */
import { parseArgs } from 'node:util';
import { projectFolder, runToEnd } from './install.mjs';

const { values } = parseArgs({
  options: {
    mailings: { type: 'string', default: '200' },
    'clients-each': { type: 'string', default: '5' },
    days: { type: 'string', default: '30' },
    'day-ms': { type: 'string', default: '6000' },
    workers: { type: 'string', default: '3' },
    'kill-every-ms': { type: 'string', default: '4000' },
  },
});
const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
const options = Object.fromEntries(Object.entries(values).map(([name, value]) => [camel(name), Number(value)]));

const jest = [
  '--selectProjects',
  'faults',
  '--testPathPatterns',
  'faults/calendar',
  '--testNamePattern',
  'days of seconds',
];
process.exitCode = await runToEnd(process.execPath, ['scripts/test.mjs', ...jest], {
  cwd: projectFolder,
  env: { ...process.env, SOAK: JSON.stringify(options) },
});
