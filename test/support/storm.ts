import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { runClock } from './clock';
import type { FaultRig } from './fault-rig';
import { readJournal } from './smtp-server';
import { occurrencesBetween } from './occurrences';

export interface StormOptions {
  mailings: number;
  clientsEach: number;
  days: number;
  /** How long a day of the calendar takes. */
  dayMs: number;
  workers: number;
  /** The rest after each fault. */
  restMs: number;
}

export interface StormReport {
  /** How often each fault was injected. */
  faults: Record<string, number>;
  occurrences: number;
  runs: Record<string, number>;
  /** Mailings whose runs are not exactly their occurrences. */
  unlike: string[];
  /** Deliveries by status and reason. */
  states: Record<string, number>;
  /** Letters taken more than once, and unknown attempts: each copy must be explained by one. */
  copies: number;
  unknownAttempts: number;
  /** What the processes called fatal. */
  fatal: string[];
}

const DAY = 86_400_000;
const FROM = Date.parse('2027-03-26T00:00:00Z');
const ZONES = ['UTC', 'Europe/Athens', 'Europe/Moscow', 'America/Sao_Paulo'];

/** One fault: it begins, lasts, and is over when this resolves. */
type Fault = (rig: FaultRig) => Promise<void>;

export const SAME_NO = 'everybody gets the same no';

const anyWorker = (rig: FaultRig) => rig.workers[rig.below(rig.workers.length)];
/** Between one and four seconds; a worker is taken over after two. */
const someTime = (rig: FaultRig) => sleep(1_000 + rig.below(3_000));

/** The account rests for seconds, where it would for hours: else nothing is sent after the first used-up quota. */
const startWorkers = (rig: FaultRig, count: number) => rig.startWorkers(count, { QUOTA_DELAYS_MS: '500,1000' });

async function redis(rig: FaultRig, ...commands: string[][]): Promise<void> {
  const client = new Redis(rig.redis.url);
  for (const [command = '', ...args] of commands) await client.call(command, ...args);
  client.disconnect();
}

async function settings(rig: FaultRig, ...changes: string[]): Promise<void> {
  const [{ role = '' } = {}] = await rig.query<{ role: string }>('SELECT current_user AS role');
  for (const change of changes)
    await rig.query(`SET default_transaction_read_only = off; ALTER ROLE "${role}" ${change}`);
}

const FAULTS: Record<string, Fault> = {
  'kill -9 of a worker': async (rig) => {
    await anyWorker(rig)?.kill();
    await startWorkers(rig, 1);
  },
  'SIGTERM to a worker': async (rig) => {
    const worker = anyWorker(rig);
    worker?.signal('SIGTERM');
    await worker?.ends(30_000);
    await startWorkers(rig, 1);
  },
  'a worker frozen': async (rig) => {
    const worker = anyWorker(rig);
    worker?.signal('SIGSTOP');
    await someTime(rig);
    worker?.signal('SIGCONT');
  },
  'everything killed': async (rig) => {
    const count = rig.workers.length;
    await Promise.all([...rig.workers.map((worker) => worker.kill()), rig.redis.kill(), rig.postgres.kill()]);
    await Promise.all([rig.postgres.start(), rig.redis.start()]);
    await startWorkers(rig, count);
  },
  'Redis killed': async (rig) => {
    await rig.redis.kill();
    await someTime(rig);
    await rig.redis.start();
  },
  FLUSHALL: (rig) => rig.flushRedis(),
  'keys evicted': (rig) => rig.evict(0.5),
  'Redis is a replica': async (rig) => {
    await redis(rig, ['REPLICAOF', '127.0.0.1', '1']);
    await someTime(rig);
    await redis(rig, ['REPLICAOF', 'NO', 'ONE']);
  },
  'Redis is full': async (rig) => {
    await redis(rig, ['CONFIG', 'SET', 'maxmemory', '1mb']);
    await someTime(rig);
    await redis(rig, ['CONFIG', 'SET', 'maxmemory', '0']);
  },
  'Redis lacks a right': async (rig) => {
    await redis(rig, ['ACL', 'SETUSER', 'default', '-eval', '-evalsha', '-set']);
    await someTime(rig);
    await redis(rig, ['ACL', 'SETUSER', 'default', '+@all']);
  },
  'Postgres stopped in anger': async (rig) => {
    await rig.postgres.stop('immediate');
    await someTime(rig);
    await rig.postgres.start();
  },
  'Postgres is read-only': async (rig) => {
    await rig.query(`ALTER SYSTEM SET default_transaction_read_only = on`);
    await rig.query('SELECT pg_reload_conf()');
    await someTime(rig);
    await rig.writable(`ALTER SYSTEM RESET default_transaction_read_only`, 'SELECT pg_reload_conf()');
  },
  'sessions terminated': (rig) => rig.terminateSessions(),
  'statements cancelled': async (rig) => {
    for (let i = 0; i < 20; i++) {
      await rig.query(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'gonets' AND state = 'active'`,
      );
      await sleep(50);
    }
  },
  'deliveries locked': async (rig) => {
    await settings(rig, `SET statement_timeout = '1s'`);
    await rig.terminateSessions();
    const client = await rig.db.connect();
    await client.query('BEGIN; SET LOCAL statement_timeout = 0; LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE');
    await sleep(3_000);
    await client.query('ROLLBACK');
    client.release();
    await settings(rig, 'RESET statement_timeout');
    await rig.terminateSessions();
  },
  'mail server killed': async (rig) => {
    await rig.restartSmtp();
  },
  'our quota is used up': async (rig) => {
    const text = '550 5.4.5 Daily user sending limit exceeded';
    await rig.smtp.behave({ at: { rcpt: { do: 'reply', text } } });
    await someTime(rig);
    await rig.smtp.behave({ at: {} });
  },
  [SAME_NO]: async (rig) => {
    const text = '554 5.7.1 Sorry, not today';
    await rig.smtp.behave({ at: { rcpt: { do: 'reply', text } } });
    await someTime(rig);
    await rig.smtp.behave({ at: {} });
  },
  'letters taken, replies lost': async (rig) => {
    await rig.smtp.behave({ at: { dot: { do: 'drop', accepted: true } } });
    await sleep(700);
    await rig.smtp.behave({ at: {} });
  },
  'login refused': async (rig) => {
    await rig.smtp.behave({ at: { auth: { do: 'reply', text: '454 4.7.0 try later' } } });
    await rig.smtp.dropConnections();
    await someTime(rig);
    await rig.smtp.behave({ at: {} });
  },
};

/**
 * Daily mailings through days that take seconds, half of them under the policy `hold`, while every fault that the promises
 * name comes in an order that the seed decides.
 */
export async function storm(rig: FaultRig, options: StormOptions): Promise<StormReport> {
  const { days, dayMs } = options;
  await rig.reset();
  await populate(rig, options);
  await startWorkers(rig, options.workers);
  await runClock(rig.postgres.url, new Date(FROM), DAY / dayMs);
  const end = performance.now() + days * dayMs;
  const faults: Record<string, number> = {};
  const names = Object.keys(FAULTS);
  for (let left: string[] = []; performance.now() < end; await sleep(options.restMs)) {
    if (left.length === 0) left = [...names];
    const [name = ''] = left.splice(rig.below(left.length), 1);
    await FAULTS[name]?.(rig);
    faults[name] = (faults[name] ?? 0) + 1;
  }
  await rig.quiet(180_000);
  await rig.eventually(
    async () => (await rig.query(`SELECT id FROM mailings WHERE status <> 'done'`)).length === 0,
    days * dayMs + 60_000,
    'every mailing done',
  );
  const report = { faults, ...(await readRuns(rig)), ...(await readLetters(rig)) };
  await sendsOn(rig);
  return { ...report, fatal: rig.fatal() };
}

/** After all of that the service sends, whatever it had to learn of its account meanwhile. */
async function sendsOn(rig: FaultRig): Promise<void> {
  const letters = Array.from({ length: 30 }, () => 'ok-');
  const runId = await rig.send(await rig.mailing(letters));
  await rig.quiet(60_000);
  const { sent } = await rig.counts(runId);
  if (sent !== letters.length) throw new Error(`after the storm ${sent} of ${letters.length} letters were sent`);
}

async function populate(rig: FaultRig, { mailings, clientsEach, days }: StormOptions): Promise<void> {
  for (let n = 0; n < mailings; n++) {
    const id = await rig.mailing(
      Array.from({ length: clientsEach }, () => 'ok-'),
      { onUnknown: n % 2 === 0 ? 'resend' : 'hold' },
    );
    const hour = n % 2 === 0 ? 9 : 4 + (n % 9);
    const startAt = new Date(FROM + hour * 3_600_000 + (n % 2 === 0 ? 0 : n * 1000));
    await rig.query(`UPDATE mailings SET start_at = $2, end_at = $3, period = 'daily', time_zone = $4 WHERE id = $1`, [
      id,
      startAt,
      new Date(FROM + days * DAY),
      ZONES[n % ZONES.length],
    ]);
  }
  await runClock(rig.postgres.url, new Date(FROM), 1);
  const ids = await rig.query<{ id: string }>('SELECT id FROM mailings ORDER BY id');
  for (const { id } of ids) {
    const { status, body } = await rig.call('POST', `/mailings/${id}/start`);
    if (status !== 200) throw new Error(`start answered ${status}: ${JSON.stringify(body)}`);
  }
}

async function readRuns(rig: FaultRig): Promise<Pick<StormReport, 'occurrences' | 'runs' | 'unlike'>> {
  const rows = await rig.query<{ id: string; start_at: Date; end_at: Date; time_zone: string; runs: Date[] | null }>(
    `SELECT m.id, m.start_at, m.end_at, m.time_zone,
            (SELECT array_agg(r.occurrence_at ORDER BY r.occurrence_at, r.id) FROM runs r WHERE r.mailing_id = m.id) AS runs
       FROM mailings m ORDER BY m.id`,
  );
  const unlike: string[] = [];
  let occurrences = 0;
  for (const { id, start_at: startAt, end_at: endAt, time_zone: timeZone, runs } of rows) {
    const expected = occurrencesBetween({ startAt, endAt, timeZone, period: 'daily' }, startAt, endAt, 10_000);
    occurrences += expected.length;
    const found = (runs ?? []).map((at) => at.toISOString()).join();
    if (expected.map(({ at }) => at.toISOString()).join() !== found) unlike.push(`${id}: ${found}`);
  }
  const statuses = await rig.query<{ name: string; n: number }>(
    `SELECT concat_ws(' ', status, reason) AS name, count(*)::int AS n FROM runs GROUP BY 1`,
  );
  return { occurrences, unlike, runs: Object.fromEntries(statuses.map(({ name, n }) => [name, n])) };
}

async function readLetters(rig: FaultRig): Promise<Pick<StormReport, 'states' | 'copies' | 'unknownAttempts'>> {
  const states = await rig.query<{ name: string; n: number }>(
    `SELECT concat_ws(' ', status, reason) AS name, count(*)::int AS n FROM deliveries GROUP BY 1`,
  );
  const [attempts] = await rig.query<{ n: number }>(`SELECT count(*)::int AS n FROM attempts WHERE status = 'unknown'`);
  const taken = readJournal(rig.journal).filter(({ verdict }) => verdict === 'accepted');
  const letters = new Set(taken.map(({ rcpt, messageId }) => `${rcpt} ${messageId ?? ''}`));
  return {
    states: Object.fromEntries(states.map(({ name, n }) => [name, n])),
    copies: taken.length - letters.size,
    unknownAttempts: attempts?.n ?? 0,
  };
}
