import { smtpUrlProblem } from '../smtp/smtp-url';
import { issuerProblem, publicUrlProblem, redisUrlProblem, serviceUrlProblem } from './service-url';

/** One setting: its name in the environment, how its text is read, its default and one sentence about it. */
export interface Setting<T> {
  env: string;
  about: string;
  default: T;
  /** Used instead of `default` when NODE_ENV=production. */
  productionDefault?: T;
  /** `required`: has no safe default, so production must give it. */
  inProduction?: 'required';
  productionCheck?: (text: string) => string | undefined;
  /** Never printed; may be given as a file, NAME_FILE. */
  secret?: boolean;
  parse: (text: string) => Parsed<T>;
}

type Parsed<T> = { ok: true; value: T } | { ok: false; problem: string };

const ok = <T>(value: T): Parsed<T> => ({ ok: true, value });
const bad = (problem: string): { ok: false; problem: string } => ({ ok: false, problem });

const text = (t: string): Parsed<string> => ok(t);

const integer = (min: number, max: number) => (t: string) => {
  const n = Number(t);
  return Number.isInteger(n) && n >= min && n <= max
    ? ok(n)
    : bad(`must be a whole number from ${min} to ${max}, but is "${t}"`);
};

const milliseconds = integer(1, 30 * 24 * 3600 * 1000);

const millisecondsList = (t: string): Parsed<readonly number[]> => {
  const list = t.split(',').map((part) => Number(part.trim()));
  return list.length > 0 && list.every((n) => Number.isInteger(n) && n > 0)
    ? ok(list)
    : bad(`must be a comma list of milliseconds such as 300000,900000, but is "${t}"`);
};

/** The text may hold a password, so no problem repeats it. */
const url = (problemOf: (t: string) => string | null) => (t: string) => {
  const problem = problemOf(t);
  return problem === null ? ok(t) : bad(problem);
};

const oneOf =
  <T extends string>(...allowed: T[]) =>
  (t: string): Parsed<T> =>
    (allowed as string[]).includes(t) ? ok(t as T) : bad(`must be one of ${allowed.join(', ')}, but is "${t}"`);

const boolean = (t: string) => {
  if (['true', '1', 'yes'].includes(t)) return ok(true);
  return ['false', '0', 'no'].includes(t) ? ok(false) : bad(`must be true or false, but is "${t}"`);
};

const setting = <T>(s: Setting<T>): Setting<T> => s;
const MINUTE = 60_000;

/** The one place that knows the environment. `.env.example` and the table in docs/operations.md are made from it. */
export const schema = {
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
      'The Redis server for queues, cache and limits, redis://:password@host:6379/0 (maxmemory-policy noeviction; no Redis Cluster).',
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
  smtpUrl: setting<string>({
    env: 'SMTP_URL',
    about:
      'The mail server or relay, smtp://user:password@host:587 or smtps://…:465. A user and password are sent only over TLS, but to this machine or with allowPlainLogin=true.',
    default: 'smtp://127.0.0.1:1025',
    inProduction: 'required',
    secret: true,
    parse: url((t) => serviceUrlProblem(t, ['smtp', 'smtps']) ?? smtpUrlProblem(t)),
  }),
  mailFrom: setting<string>({
    env: 'MAIL_FROM',
    about: 'The sender of all letters, Name <address@domain> or an address alone.',
    default: 'Gonets <gonets@example.com>',
    inProduction: 'required',
    parse: text,
  }),
  publicUrl: setting<string>({
    env: 'PUBLIC_URL',
    about: 'The address under which browsers reach the web interface; links in letters begin with it.',
    default: 'http://localhost:3000',
    inProduction: 'required',
    parse: url(publicUrlProblem),
  }),
  secretKey: setting<string>({
    env: 'SECRET_KEY',
    about:
      'At least 32 random characters; signs what leaves the service, and encrypts the secrets of second factors. Changing it ends open forms; users with a second factor then sign in with a recovery code and set it up again.',
    default: 'development-only-secret-key-not-for-production',
    inProduction: 'required',
    productionCheck: (t) =>
      t.length < 32 || new Set(t).size < 10 || t.startsWith('development-')
        ? 'is too weak: give at least 32 random characters, for example from `openssl rand -base64 48`'
        : undefined,
    secret: true,
    parse: text,
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
    about: 'The least level that is logged: fatal, error, warn, info, debug or silent.',
    default: 'info',
    parse: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'silent'),
  }),
  registration: setting<'open' | 'approval' | 'closed'>({
    env: 'REGISTRATION',
    about: 'Who may register: open, approval (a manager lets people in) or closed.',
    default: 'open',
    productionDefault: 'approval',
    parse: oneOf('open', 'approval', 'closed'),
  }),
  lettersPerDay: setting<number>({
    env: 'LETTERS_PER_DAY',
    about: 'The most letters one user may start in 24 hours (0: no limit; managers and admins have none).',
    default: 0,
    parse: integer(0, 1_000_000_000),
  }),
  workerConcurrency: setting<number>({
    env: 'WORKER_CONCURRENCY',
    about: 'How many delivery jobs a worker holds at once; above the number of SMTP connections.',
    default: 200,
    parse: integer(1, 10_000),
  }),
  smtpConnections: setting<number>({
    env: 'SMTP_CONNECTIONS',
    about:
      'The most SMTP connections of one worker. It claims only for connections that are established, and a few ahead.',
    default: 10,
    parse: integer(1, 1000),
  }),
  schedulerIntervalMs: setting<number>({
    env: 'SCHEDULER_INTERVAL_MS',
    about: 'How often started mailings are checked for being due.',
    default: 15_000,
    parse: milliseconds,
  }),
  sweepIntervalMs: setting<number>({
    env: 'SWEEP_INTERVAL_MS',
    about: 'How often lost jobs, half-planned runs and claims of dead workers are looked for.',
    default: 30_000,
    parse: milliseconds,
  }),
  feedIntervalMs: setting<number>({
    env: 'FEED_INTERVAL_MS',
    about: 'How often the queue of deliveries is filled up from the ledger.',
    default: 250,
    parse: milliseconds,
  }),
  unknownGraceMs: setting<number>({
    env: 'UNKNOWN_GRACE_MS',
    about: 'How long a letter whose reply was lost waits before it is sent once more (policy resend).',
    default: 15 * MINUTE,
    parse: milliseconds,
  }),
  retryDelaysMs: setting<readonly number[]>({
    env: 'RETRY_DELAYS_MS',
    about: 'The waits between tries of a temporarily refused letter; when they are used up it is failed.',
    default: [5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE, 120 * MINUTE, 240 * MINUTE, 480 * MINUTE],
    parse: millisecondsList,
  }),
  breakerDelaysMs: setting<readonly number[]>({
    env: 'BREAKER_DELAYS_MS',
    about: 'The waits before a broken SMTP account is tried again; the last one repeats.',
    default: [5_000, 15_000, 60_000, 300_000],
    parse: millisecondsList,
  }),
  quotaDelaysMs: setting<readonly number[]>({
    env: 'QUOTA_DELAYS_MS',
    about:
      'The rests of the SMTP account after a quota answer or the same refusal for everybody; the last one repeats.',
    default: [15 * MINUTE, 60 * MINUTE, 240 * MINUTE],
    parse: millisecondsList,
  }),
  domainRestMs: setting<number>({
    env: 'DOMAIN_HOLD_MS',
    about: "How long a recipient's domain rests after its provider said that we send too fast.",
    default: 15 * MINUTE,
    parse: milliseconds,
  }),
  heartbeatMs: setting<number>({
    env: 'HEARTBEAT_MS',
    about: 'How often a worker says that it is alive.',
    default: 5_000,
    parse: milliseconds,
  }),
  takeoverMs: setting<number>({
    env: 'TAKEOVER_MS',
    about: "How old a worker's last heartbeat may be before its claims are taken over and it stops sending itself.",
    default: 30_000,
    parse: milliseconds,
  }),
  importMaxBytes: setting<number>({
    env: 'IMPORT_MAX_BYTES',
    about: 'The largest file of clients that is taken, in bytes.',
    default: 500_000_000,
    parse: integer(1, 100_000_000_000),
  }),
  bodyIdleMs: setting<number>({
    env: 'BODY_IDLE_MS',
    about: 'How long a request may send nothing before its body is complete; then it is ended.',
    default: 30_000,
    parse: milliseconds,
  }),
  queueWindow: setting<number>({
    env: 'QUEUE_WINDOW',
    about: 'The most delivery jobs that Redis holds at once: waiting, active or delayed.',
    default: 20_000,
    parse: integer(100, 1_000_000),
  }),
  rateLimitPerSecond: setting<number>({
    env: 'RATE_LIMIT_PER_SECOND',
    about: 'The most letters a second over all workers (0: no limit).',
    default: 0,
    parse: integer(0, 1_000_000),
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
  dkimDomain: setting<string>({
    env: 'DKIM_DOMAIN',
    about: 'Signs letters with DKIM for this domain; empty: no signature.',
    default: '',
    parse: text,
  }),
  dkimSelector: setting<string>({
    env: 'DKIM_SELECTOR',
    about: 'The DKIM selector, the part before ._domainkey.',
    default: 'gonets',
    parse: text,
  }),
  dkimPrivateKey: setting<string>({
    env: 'DKIM_PRIVATE_KEY',
    about: 'The DKIM private key in PEM form, RSA or Ed25519.',
    default: '',
    secret: true,
    parse: text,
  }),
  dkimSelector2: setting<string>({
    env: 'DKIM_SELECTOR_2',
    about: 'The DKIM selector of the second key.',
    default: 'gonets2',
    parse: text,
  }),
  dkimPrivateKey2: setting<string>({
    env: 'DKIM_PRIVATE_KEY_2',
    about: 'A second DKIM key of the same domain: letters carry both signatures, for example RSA and Ed25519.',
    default: '',
    secret: true,
    parse: text,
  }),
  secureCookies: setting<boolean>({
    env: 'SECURE_COOKIES',
    about: 'Cookies only over HTTPS; switch off only to try a production build on plain HTTP.',
    default: false,
    productionDefault: true,
    parse: boolean,
  }),
  authAnswerMs: setting<number>({
    env: 'AUTH_ANSWER_MS',
    about: 'The least time of an answer to a registration or a forgotten password, so that time tells nothing.',
    default: 400,
    parse: milliseconds,
  }),
  apiCallsPerMinute: setting<number>({
    env: 'API_CALLS_PER_MINUTE',
    about: 'The most API calls and pages of one signed-in user in a minute (0: no limit).',
    default: 3_000,
    parse: integer(0, 1_000_000),
  }),
  oidcIssuer: setting<string>({
    env: 'OIDC_ISSUER',
    about:
      'The OpenID Connect provider that people may sign in with, by its issuer: https://accounts.example.org. Empty: passwords alone. Register PUBLIC_URL/sign-in/oidc/callback there as the redirect URI.',
    default: '',
    parse: url(issuerProblem),
  }),
  oidcClientId: setting<string>({
    env: 'OIDC_CLIENT_ID',
    about: 'The client ID that the provider gave this service.',
    default: '',
    parse: text,
  }),
  oidcClientSecret: setting<string>({
    env: 'OIDC_CLIENT_SECRET',
    about: 'The secret that the provider gave for OIDC_CLIENT_ID; empty for a public client.',
    default: '',
    secret: true,
    parse: text,
  }),
  sessionIdleMs: setting<number>({
    env: 'SESSION_IDLE_MS',
    about: 'How long a session lives without being used.',
    default: 24 * 60 * MINUTE,
    parse: milliseconds,
  }),
  sessionMaxMs: setting<number>({
    env: 'SESSION_MAX_MS',
    about: 'How long a session lives, however much it is used.',
    default: 14 * 24 * 60 * MINUTE,
    parse: milliseconds,
  }),
} as const;
