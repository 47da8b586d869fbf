/** What the product, its demo and its tests need and were not given: PostgreSQL, Redis, a browser. */
export { providePostgres, startPostgres } from './services/postgres.mjs';
export { findRedisServer, provideRedis, startRedis } from './services/redis.mjs';
export { findChromium } from './services/chromium.mjs';
