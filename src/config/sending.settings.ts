import { smtpUrlProblem } from '../smtp/smtp-url';
import { serviceUrlProblem } from './service-url';
import { integer, milliseconds, millisecondsList, MINUTE, setting, text, url } from './setting';

/** The mail server, workers, delays and signatures. */
export const sendingSettings = {
  smtpUrl: setting<string>({
    env: 'SMTP_URL',
    about:
      'The mail server or relay, smtp://user:password@host:587 or smtps://…:465. A user and password are sent only ' +
      'over TLS, except to this machine or with allowPlainLogin=true.',
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
  smtpConnections: setting<number>({
    env: 'SMTP_CONNECTIONS',
    about:
      'The most SMTP connections of one worker. It claims only for connections that are established, and a few ahead.',
    default: 10,
    parse: integer(1, 1000),
  }),
  workerConcurrency: setting<number>({
    env: 'WORKER_CONCURRENCY',
    about: 'How many delivery jobs a worker takes at once; should be above the number of SMTP connections.',
    default: 200,
    parse: integer(1, 10_000),
  }),
  queueWindow: setting<number>({
    env: 'QUEUE_WINDOW',
    about: 'The most delivery jobs in Redis at once: waiting, active or delayed.',
    default: 20_000,
    parse: integer(100, 1_000_000),
  }),
  rateLimitPerSecond: setting<number>({
    env: 'RATE_LIMIT_PER_SECOND',
    about: 'The most letters a second over all workers (0: no limit).',
    default: 0,
    parse: integer(0, 1_000_000),
  }),
  schedulerIntervalMs: setting<number>({
    env: 'SCHEDULER_INTERVAL_MS',
    about: 'How often the scheduler looks for mailings that are due.',
    default: 15_000,
    parse: milliseconds,
  }),
  sweepIntervalMs: setting<number>({
    env: 'SWEEP_INTERVAL_MS',
    about: 'How often the sweeper looks for lost jobs, runs that are not fully planned and claims of dead workers.',
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
      'The rests of the SMTP account after a quota answer or one refusal for all recipients; the last one repeats.',
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
    about: 'How often a worker writes a heartbeat.',
    default: 5_000,
    parse: milliseconds,
  }),
  takeoverMs: setting<number>({
    env: 'TAKEOVER_MS',
    about: "How old a worker's last heartbeat may be before its claims are taken over and it stops sending itself.",
    default: 30_000,
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
} as const;
