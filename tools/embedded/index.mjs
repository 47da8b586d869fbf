/** The servers and the browser that were not given: found, unpacked or taken from an npm package. See README.md. */
/** @typedef {import('./postgres.mjs').Postgres} Postgres */
/** @typedef {import('./postgres.mjs').PostgresOptions} PostgresOptions */
/** @typedef {import('./redis.mjs').Redis} Redis */
/** @typedef {import('./redis.mjs').RedisOptions} RedisOptions */
export { freePort } from './service.mjs';
export { providePostgres, startPostgres } from './postgres.mjs';
export { findRedisServer, provideRedis, startRedis } from './redis.mjs';
export { findChromium } from './chromium.mjs';
