/**
 * `npm run check [-- --without unit]`: would this pass? Unit tests (with fewer random cases than in `npm test`), lint with
 * types, format, types of the scripts, import rules and one writer for each table, two at a time, the longest first, each
 * named with its verdict.
 * The last line is `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { prepare, projectFolder } from '../tools/embedded/install.mjs';

await prepare(import.meta.url);

const steps = {
  unit: ['jest', '--selectProjects', 'unit', '--maxWorkers=2'],
  lint: ['oxlint', '--report-unused-disable-directives', '--deny-warnings'],
  format: ['prettier', '--check', '.', '--cache'],
  scripts: ['tsc', '--build', 'tsconfig.scripts.json'],
  imports: ['depcruise', 'src', '--config', '.dependency-cruiser.cjs'],
  rules: ['node', 'scripts/rules.mjs'],
};
const left = process.argv.indexOf('--without');
const queue = Object.keys(steps).filter((name) => left < 0 || !process.argv.slice(left + 1).includes(name));
const failed = [];
const total = queue.length;

await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, runFromQueue));
console.log(`${total - failed.length} passed, ${failed.length} failed${failed.length ? `: ${failed.join(', ')}` : ''}`);
process.exitCode = failed.length ? 1 : 0;

async function runFromQueue() {
  for (let name = queue.shift(); name; name = queue.shift()) {
    const startedAt = performance.now();
    const { code, output } = await runQuietly(steps[name]);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    if (code !== 0) {
      failed.push(name);
      console.log(output.trimEnd());
    }
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(8)} ${seconds} s   ${steps[name].join(' ')}`);
  }
}

function runQuietly([command, ...args]) {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: projectFolder,
      env: { ...process.env, GONETS_QUICK: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    child.once('error', (error) => done({ code: 127, output: error.message }));
    child.once('close', (code) => done({ code: code ?? 1, output }));
  });
}
