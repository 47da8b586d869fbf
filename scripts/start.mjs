/**
 * `npm start`: the API and workers (WORKERS, default 2) on what is configured; a PostgreSQL and a Redis of its own, with
 * data under .data/, where DATABASE_URL or REDIS_URL is not given and NODE_ENV is not production. Ctrl-C stops cleanly.
 */
import { join } from 'node:path';
import { prepare, projectFolder } from '../tools/embedded/install.mjs';

await prepare(import.meta.url);
const { providePostgres, provideRedis } = await import('../tools/embedded/index.mjs');
const { forget, remember } = await import('./local.mjs');
const { build, interrupted, keepRunning, migrate, ready } = await import('./processes.mjs');

const env = { ...process.env };
const services = [];
const processes = [];
const stop = interrupted();
try {
  if (env.NODE_ENV !== 'production') {
    const postgres = await providePostgres({ dataDir: join(projectFolder, '.data/postgres') });
    const redis = await provideRedis({ dataDir: join(projectFolder, '.data/redis') });
    services.push(redis, postgres);
    Object.assign(env, { DATABASE_URL: postgres.url, REDIS_URL: redis.url });
  }
  remember(env);
  await build();
  await migrate(env);
  processes.push(keepRunning({ name: 'api', env }));
  for (let n = 0; n < Number(env.WORKERS ?? 2); n++) processes.push(keepRunning({ name: 'worker', env }));
  const url = `http://localhost:${env.PORT ?? 3000}`;
  ready(url).then(
    () => process.stderr.write(`\nGonets is at ${url}. Ctrl-C stops it.\n`),
    (error) => process.stderr.write(`${error.message}\n`),
  );
  await stop;
  process.stderr.write('\nStopping: letters under way end first …\n');
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
await Promise.all(processes.map((part) => part.stop()));
for (const service of services) await service.stop();
forget();
process.exit();
