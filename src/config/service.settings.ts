import { publicUrlProblem, redisUrlProblem, serviceUrlProblem } from './service-url';
import { integer, milliseconds, oneOf, setting, text, url } from './setting';

/** Postgres, Redis and the HTTP server. */
export const serviceSettings = {
  databaseUrl: setting<string>({
    env: 'DATABASE_URL',
    about: 'The Postgres database, postgres://user:password@host:5432/name.',
    default: 'postgres://gonets:gonets@127.0.0.1:5432/gonets',
    inProduction: 'required',
    secret: true,
    parse: url((t) => serviceUrlProblem(t, ['postgres', 'postgresql'])),
  }),
  databasePassword: setting<string>({
    env: 'DATABASE_PASSWORD',
    about: 'The password for DATABASE_URL, as it is; in the URL itself it would have to be percent-encoded.',
    default: '',
    secret: true,
    parse: text,
  }),
  databaseConnections: setting<number>({
    env: 'DATABASE_CONNECTIONS',
    about: 'The most connections to Postgres that one process opens.',
    default: 10,
    parse: integer(2, 1000),
  }),
  redisUrl: setting<string>({
    env: 'REDIS_URL',
    about:
      'The Redis server for queues, cache and limits, redis://:password@host:6379/0 ' +
      '(maxmemory-policy noeviction; no Redis Cluster).',
    default: 'redis://127.0.0.1:6379/0',
    inProduction: 'required',
    secret: true,
    parse: url(redisUrlProblem),
  }),
  redisPassword: setting<string>({
    env: 'REDIS_PASSWORD',
    about: 'The password for REDIS_URL, as it is; in the URL itself it would have to be percent-encoded.',
    default: '',
    secret: true,
    parse: text,
  }),
  redisPrefix: setting<string>({
    env: 'REDIS_PREFIX',
    about: 'Begins every key in Redis, so that several services can share one server.',
    default: '{gonets}',
    parse: text,
  }),
  secretKey: setting<string>({
    env: 'SECRET_KEY',
    about:
      'At least 32 random characters; signs what leaves the service, and encrypts the secrets of second factors. ' +
      'Changing it ends open forms; users with a second factor then sign in with a recovery code and set it up again.',
    default: 'development-only-secret-key-not-for-production',
    inProduction: 'required',
    productionCheck: (t) =>
      t.length < 32 || new Set(t).size < 10 || t.startsWith('development-')
        ? 'is too weak: give at least 32 random characters, for example from `openssl rand -base64 48`'
        : undefined,
    secret: true,
    parse: text,
  }),
  senderAddress: setting<string>({
    env: 'SENDER_ADDRESS',
    about:
      'The postal address that letters show for users who entered none of their own, in one line. Without either, ' +
      'marketing mailings do not go out.',
    default: '',
    parse: (t) => text(t.trim()),
  }),
  publicUrl: setting<string>({
    env: 'PUBLIC_URL',
    about: 'The address at which browsers reach the web interface; links in notices begin with it.',
    default: 'http://localhost:3000',
    inProduction: 'required',
    parse: url(publicUrlProblem),
  }),
  port: setting<number>({
    env: 'PORT',
    about: 'The port the API and web interface listen on.',
    default: 3000,
    parse: integer(0, 65535),
  }),
  host: setting<string>({
    env: 'HOST',
    about: 'The address the API listens on; 127.0.0.1 keeps it on this machine.',
    default: '127.0.0.1',
    productionDefault: '0.0.0.0',
    parse: text,
  }),
  trustProxy: setting<string>({
    env: 'TRUST_PROXY',
    about:
      'Addresses or subnets (comma list; "loopback" is known) of reverse proxies whose X-Forwarded-For is believed.',
    default: 'loopback',
    parse: text,
  }),
  logLevel: setting<'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent'>({
    env: 'LOG_LEVEL',
    about: 'The lowest level that is logged: fatal, error, warn, info, debug or silent.',
    default: 'info',
    parse: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'silent'),
  }),
  bodyIdleMs: setting<number>({
    env: 'BODY_IDLE_MS',
    about: 'How long a request may send nothing before its body is complete; then it is ended.',
    default: 30_000,
    parse: milliseconds,
  }),
  importMaxBytes: setting<number>({
    env: 'IMPORT_MAX_BYTES',
    about: 'The largest file of clients that is accepted, in bytes.',
    default: 500_000_000,
    parse: integer(1, 100_000_000_000),
  }),
  shutdownMs: setting<number>({
    env: 'SHUTDOWN_MS',
    about: 'How long a stopping process waits for what is under way.',
    default: 30_000,
    parse: milliseconds,
  }),
  waitForServicesMs: setting<number>({
    env: 'WAIT_FOR_SERVICES_MS',
    about: 'How long a starting process waits for Postgres and Redis.',
    default: 60_000,
    parse: milliseconds,
  }),
} as const;
