/**
 * `npm test [-- jest arguments]`: installs if needed, starts what is not given by DATABASE_URL, REDIS_URL and
 * CHROMIUM_PATH, builds, runs Jest, stops what it started. The last line is `N passed, N failed`.
 */
import { join } from 'node:path';
import { prepare, projectFolder, runToEnd } from '../tools/embedded/install.mjs';
import { runJest } from './jest.mjs';

await prepare(import.meta.url);
const { findChromium, findRedisServer, providePostgres, provideRedis } = await import('../tools/embedded/index.mjs');

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
  // What needs servers of the system's is `npm run test:servers`, unless it is asked for by name.
  const given = process.argv.slice(2);
  const args = given.some((arg) => arg.includes('servers')) ? given : [...given, '--ignoreProjects', 'servers'];
  // Two files at a time, also on two cores: many tests mostly wait.
  if (!given.some((arg) => /^(-w|--maxWorkers|-i|--runInBand)/.test(arg))) args.push('--maxWorkers=2');
  return runJest({ folder, args, env });
}
