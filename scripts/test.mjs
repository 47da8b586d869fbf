/**
 * `npm test [-- jest arguments]`: installs if needed, starts what is not given by DATABASE_URL, REDIS_URL and
 * CHROMIUM_PATH, builds, runs Jest, stops what it started. The last line is `N passed, N failed`.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, projectFolder, runToEnd } from './install.mjs';

await prepare(import.meta.url);
const { findChromium, findRedisServer, providePostgres, provideRedis } = await import('./services.mjs');

const folder = join(projectFolder, '.data/test');
const started = [];
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (interrupted = true));

const verdict = await testEverything().catch((error) => {
  process.stderr.write(`${interrupted ? 'Interrupted.' : error.message}\n`);
  return { passed: 0, failed: 1 };
});
for (const service of started) await service.stop();
console.log(`${verdict.passed} passed, ${verdict.failed} failed`);
process.exit(verdict.failed || interrupted ? 1 : 0);

async function testEverything() {
  const postgres = await providePostgres({ dataDir: join(folder, 'postgres'), fresh: true });
  started.push(postgres);
  const redis = await provideRedis({ dataDir: join(folder, 'redis'), fresh: true });
  started.push(redis);
  const chromium = await findChromium();
  const env = {
    ...process.env,
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    // Tests of faults start servers of their own, and must not each look for one.
    REDIS_SERVER_PATH: await findRedisServer(),
    CHROMIUM_PATH: chromium.executablePath,
  };
  if (interrupted) return { passed: 0, failed: 1 };
  if ((await runToEnd('npm', ['run', '--silent', 'build'], { env })) !== 0) throw new Error('The build failed.');
  return runJest(env);
}

/** A suite that could not run, and a Jest that ends in anger without a failed test, count as one failure. */
async function runJest(env) {
  const report = join(folder, 'results.json');
  mkdirSync(folder, { recursive: true });
  rmSync(report, { force: true });
  const args = [join(projectFolder, 'node_modules/jest/bin/jest.js'), '--json', `--outputFile=${report}`];
  const code = await runToEnd(process.execPath, [...args, ...process.argv.slice(2)], {
    env,
    stdio: ['inherit', 2, 'inherit'],
  });
  const results = readReport(report);
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  return { passed: results.numPassedTests, failed: failed || (code === 0 ? 0 : 1) };
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error('Jest ended without a report.', { cause: error });
  }
}
