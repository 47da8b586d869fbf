/** `import`: a CSV file of made-up clients, one line in a hundred bad, by the product's own service. */
import { once } from 'node:events';
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuMicros, median, projectFolder, round, say, setStage } from './stage.mjs';

export const options = {
  rows: { type: 'string', default: '100000' },
  runs: { type: 'string', default: '3' },
  /** Of the client's own: five at most, and ten tags. */
  fields: { type: 'string', default: '0' },
  tags: { type: 'string', default: '0' },
};

const built = join(projectFolder, '.data/bench-build');

export async function run(args, { print }) {
  // Nest's decorators have to be compiled; types alone could be stripped.
  const swc = join(projectFolder, 'node_modules/.bin/swc');
  execFileSync(swc, ['src', 'bench/import.ts', '--out-dir', built, '--quiet'], { cwd: projectFolder });
  copyFileSync(join(projectFolder, 'package.json'), join(built, 'package.json'));
  const [rows, runs, fields, tags] = ['rows', 'runs', 'fields', 'tags'].map((k) => Number(args[k]));
  const stage = await setStage();
  try {
    await print.head(stage, `${round(rows)} lines, ${fields} fields, ${tags} tags, median of ${runs}`);
    const found = [];
    for (let n = 1; n <= runs; n++) {
      say(`round ${n} of ${runs}`);
      await stage.query('TRUNCATE clients, imports, tags CASCADE');
      await stage.query('UPDATE client_totals SET clients = 0');
      found.push(await importOnce(stage, { rows, fields, tags }));
    }
    say('');
    const of = (pick) => median(found.map(pick));
    const perSecond = of((f) => (f.rows * 1_000) / (f.stageMs + f.applyMs));
    print.table([
      ['', 'median'],
      ['lines a second, in all', round(perSecond)],
      ['receiving and checking, s', (of((f) => f.stageMs) / 1_000).toFixed(1)],
      ['bringing into the clients, s', (of((f) => f.applyMs) / 1_000).toFixed(1)],
      ['CPU of the process, which also makes the file, s', of((f) => f.cpuSeconds).toFixed(1)],
      ['CPU of PostgreSQL, s', of((f) => f.postgresSeconds).toFixed(1)],
      ['memory at most, MB', round(of((f) => f.maxRssMb))],
    ]);
    return `${round(perSecond)} lines/s; memory at most ${round(of((f) => f.maxRssMb))} MB`;
  } finally {
    await stage.end();
  }
}

/** In a process of its own, which makes the file, too. */
async function importOnce(stage, wanted) {
  const script = join(built, 'bench/import.js');
  const work = `require(${JSON.stringify(script)}).benchImport(${JSON.stringify(wanted)}).then((r) => console.log(JSON.stringify(r)))`;
  const before = cpuMicros(stage.postgres.pid);
  const child = spawn(process.execPath, ['-e', work], { env: stage.env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the import ended with ${code}`);
  const found = JSON.parse(output.trim().split('\n').at(-1) ?? '');
  return { ...found, postgresSeconds: (cpuMicros(stage.postgres.pid) - before) / 1e6 };
}
