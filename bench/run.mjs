/**
 * `npm run bench -- send|plan|import|pages|lighthouse|limits|adversarial|openapi [--letters 50000] [--workers 2] [--runs 3] …`: measures on servers of
 * its own, prints hardware, versions, settings and medians, adds a line to docs/benchmarks.md (`--no-record` does not); `--no-build` takes `dist` as it is.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const [command, ...rest] = process.argv.slice(2);
const commands = ['send', 'plan', 'import', 'pages', 'lighthouse', 'limits', 'adversarial', 'openapi'];
if (!commands.includes(command)) {
  process.stderr.write(`Usage: npm run bench -- ${commands.join('|')} [options]\n`);
  process.exit(2);
}
const projectFolder = join(import.meta.dirname, '..');
const { options, run } = await import(`./${command}.mjs`);
const { describe } = await import('./stage.mjs');
const common = { 'no-record': { type: 'boolean', default: false }, 'no-build': { type: 'boolean', default: false } };
const { values } = parseArgs({ args: rest, options: { ...options, ...common } });

/** @type {Awaited<ReturnType<describe>> | undefined} */
let about;
let settings = '';
if (!values['no-build']) {
  const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: projectFolder, stdio: ['ignore', 2, 2] });
  if (built.status !== 0) process.exit(1);
}
const print = {
  line: (text) => console.log(text),
  async head(stage, ofThisRun) {
    about = await describe(stage);
    settings = ofThisRun;
    process.stderr.write('\n');
    for (const text of [about.hardware, about.versions, about.settings, settings]) console.log(text);
  },
  table(rows) {
    const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
    for (const row of rows)
      console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '));
  },
};
const result = await run(values, { print });
if (!values['no-record']) {
  const date = new Date().toISOString().slice(0, 10);
  const line = `| ${date} | ${about?.commit} | ${command} | ${settings} | ${result} | ${about?.hardware}; Node ${process.versions.node} |\n`;
  appendFileSync(join(projectFolder, 'docs/benchmarks.md'), line);
}
