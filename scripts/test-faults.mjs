/**
 * `npm run test:faults -- [--seed N] [--minutes M]`: the tests of faults in their long form, more letters and longer outages,
 * again and again with seeds N, N + 1, … until the minutes (default 10) are over. Any seed can be repeated by itself. With
 * `--minutes 0` the short form runs once. Ends at the first failure; the last line is `N rounds, N failed`.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare, projectFolder, runToEnd } from '../tools/embedded/install.mjs';

const { values } = parseArgs({ options: { seed: { type: 'string' }, minutes: { type: 'string', default: '10' } } });
const minutes = Number(values.minutes);
const first = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed);
if (!(minutes >= 0) || !Number.isInteger(first) || first < 1) {
  console.error('usage: npm run test:faults -- [--seed N] [--minutes M]');
  process.exit(2);
}

await prepare(import.meta.url);
const { findRedisServer, providePostgres, provideRedis } = await import('../tools/embedded/index.mjs');
if ((await runToEnd('npm', ['run', '--silent', 'build'])) !== 0) process.exit(1);
// Tests that kill servers start their own; the others share these.
const folder = join(projectFolder, '.data/test-faults');
const postgres = await providePostgres({ dataDir: join(folder, 'postgres'), fresh: true });
const redis = await provideRedis({ dataDir: join(folder, 'redis'), fresh: true });
const shared = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, REDIS_SERVER_PATH: await findRedisServer() };

const deadline = performance.now() + minutes * 60_000;
const jest = [join(projectFolder, 'node_modules/jest/bin/jest.js'), '--selectProjects', 'faults'];
let rounds = 0;
let failed = 0;
do {
  const env = {
    ...process.env,
    ...shared,
    FAULT_SEED: String(first + rounds),
    ...(minutes > 0 && { FAULT_MINUTES: String(minutes) }),
  };
  failed += Number((await runToEnd(process.execPath, jest, { env, stdio: 'inherit' })) !== 0);
  rounds++;
} while (failed === 0 && performance.now() < deadline);
await Promise.all([postgres.stop(), redis.stop()]);
console.log(`${rounds} rounds, ${failed} failed`);
process.exit(failed ? 1 : 0);
