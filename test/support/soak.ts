import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Calendar } from './calendar';
import { runClock } from './clock';
import { addresses } from './factories';
import type { Program } from './program';
import { eventually, QUICK, startProcess } from './service';
import { readJournal } from './smtp-server';
import { startSmtpServerProcess } from './smtp-server-process';
import { occurrencesBetween } from './occurrences';

export interface SoakOptions {
  mailings: number;
  clientsEach: number;
  days: number;
  /** How long a day of the calendar takes. */
  dayMs: number;
  workers: number;
  killEveryMs: number;
}

export interface SoakReport {
  kills: number;
  /** What the calendars have between start and end. */
  occurrences: number;
  /** Rows of the ledger for them, by status and reason. */
  runs: Record<string, number>;
  /** Mailings whose runs are not exactly their occurrences. */
  unlike: string[];
  /** Runs that are done and have a client without a letter, or a letter without a final state. */
  incomplete: string[];
  accepted: number;
  unknown: number;
  /** Letters that the server took twice. */
  doubled: string[];
  /** Clients who got fewer letters than the ledger says, or more than it can explain. */
  miscounted: string[];
  notDone: number;
}

const DAY = 86_400_000;
// The night in which clocks change lies within a short soak, too.
const FROM = Date.parse('2027-03-26T00:00:00Z');
const ZONES = ['UTC', 'Europe/Athens', 'Europe/Moscow', 'America/Sao_Paulo'];

/**
 * Daily mailings at several times of the day, half of them at the same instant, through days that take seconds, while
 * workers are killed by SIGKILL. The policy is `hold`, so that no letter at all may be taken twice.
 */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { mailings, clientsEach, days, dayMs, killEveryMs } = options;
  const folder = mkdtempSync(join(tmpdir(), 'gonets-soak-'));
  const journal = join(folder, 'journal');
  const smtp = await startSmtpServerProcess({ journal });
  const calendar = await Calendar.open(new Date(FROM).toISOString());
  const env = {
    ...process.env,
    ...QUICK,
    DATABASE_URL: calendar.databaseUrl,
    REDIS_URL: calendar.redis.url,
    REDIS_PREFIX: calendar.redis.prefix,
    SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
    SCHEDULER_INTERVAL_MS: '200',
    SWEEP_INTERVAL_MS: '300',
    HEARTBEAT_MS: '250',
    TAKEOVER_MS: '1000',
  };
  let workers: Program[] = [];
  let kills = 0;
  try {
    await populate(calendar, mailings, clientsEach, days);
    workers = await Promise.all(Array.from({ length: options.workers }, () => startProcess('worker', env)));
    await runClock(calendar.databaseUrl, new Date(FROM), DAY / dayMs);
    const end = performance.now() + days * dayMs;
    while (performance.now() + killEveryMs < end) {
      await sleep(killEveryMs);
      const victim = workers[kills++ % workers.length]!;
      await victim.kill();
      workers = [...workers.filter((worker) => worker !== victim), await startProcess('worker', env)];
    }
    await eventually(() => quiet(calendar), 'every mailing done and every run closed', days * dayMs + 60_000);
    return { kills, ...(await readLedger(calendar, clientsEach)), ...(await compare(calendar, journal)) };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await smtp.kill();
    await calendar.close();
    rmSync(folder, { recursive: true });
  }
}

async function populate(calendar: Calendar, mailings: number, clientsEach: number, days: number): Promise<void> {
  const clients = await calendar.make.clients(
    calendar.viewer.userId,
    Array.from({ length: mailings }, (_, m) => addresses(clientsEach, `ok-${m + 1}-`)).flat(),
  );
  for (let n = 0; n < mailings; n++) {
    const hour = n % 2 === 0 ? 9 : 4 + (n % 9);
    const { id } = await calendar.mailing({
      startAt: new Date(FROM + hour * 3_600_000 + (n % 2 === 0 ? 0 : n * 1000)).toISOString(),
      endAt: new Date(FROM + days * DAY).toISOString(),
      timeZone: ZONES[n % ZONES.length] ?? 'UTC',
      clientIds: clients.slice(n * clientsEach, (n + 1) * clientsEach),
      onUnknown: 'hold',
    });
    await calendar.start(id);
  }
}

async function quiet(calendar: Calendar): Promise<boolean> {
  const left = await calendar.sql.first<{ n: number }>(
    `SELECT (SELECT count(*) FROM mailings WHERE status <> 'done') + (SELECT count(*) FROM runs WHERE status IN ('planning', 'sending') OR closing)
          + (SELECT count(*) FROM deliveries WHERE status IN ('pending', 'deferred', 'sending')) AS n`,
  );
  return left?.n === 0;
}

async function readLedger(calendar: Calendar, clientsEach: number) {
  const rows = await calendar.sql.rows<{
    id: number;
    startAt: Date;
    endAt: Date;
    timeZone: string;
    status: string;
    runs: string[] | null;
  }>(
    `SELECT m.id, m.start_at, m.end_at, m.time_zone, m.status,
            (SELECT array_agg(to_char(r.occurrence_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') ORDER BY r.occurrence_at, r.id)
               FROM runs r WHERE r.mailing_id = m.id) AS runs
       FROM mailings m ORDER BY m.id`,
  );
  const unlike: string[] = [];
  let occurrences = 0;
  for (const { id, startAt, endAt, timeZone, runs } of rows) {
    const expected = occurrencesBetween({ startAt, endAt, timeZone, period: 'daily' }, startAt, endAt, 10_000);
    occurrences += expected.length;
    if (expected.map(({ at }) => at.toISOString()).join() !== (runs ?? []).join())
      unlike.push(`${id}: ${(runs ?? []).join()}`);
  }
  const statuses = await calendar.sql.rows<{ name: string; n: number }>(
    `SELECT concat_ws(' ', status, reason) AS name, count(*) AS n FROM runs GROUP BY 1`,
  );
  const incomplete = await calendar.sql.rows<{ id: number; states: string }>(
    `SELECT r.id, string_agg(d.status, ',') AS states FROM runs r LEFT JOIN deliveries d ON d.run_id = r.id WHERE r.status = 'done'
      GROUP BY r.id HAVING count(DISTINCT d.client_id) <> $1 OR count(*) <> $1 OR bool_or(d.status NOT IN ('sent', 'unknown'))`,
    [clientsEach],
  );
  return {
    occurrences,
    runs: Object.fromEntries(statuses.map(({ name, n }) => [name, n])),
    unlike,
    incomplete: incomplete.map(({ id, states }) => `${id}: ${states}`),
    notDone: rows.filter(({ status }) => status !== 'done').length,
  };
}

async function compare(calendar: Calendar, journal: string) {
  const letters = readJournal(journal).filter(({ verdict }) => verdict === 'accepted');
  const times = new Map<string, number>();
  const perClient = new Map<string, number>();
  for (const { rcpt, messageId } of letters) {
    const letter = `${rcpt} ${messageId ?? ''}`;
    times.set(letter, (times.get(letter) ?? 0) + 1);
    perClient.set(rcpt, (perClient.get(rcpt) ?? 0) + 1);
  }
  const ledger = await calendar.sql.rows<{ email: string; sent: number; unknown: number }>(
    `SELECT email, count(*) FILTER (WHERE status = 'sent') AS sent, count(*) FILTER (WHERE status = 'unknown') AS unknown
       FROM deliveries GROUP BY email`,
  );
  return {
    accepted: letters.length,
    unknown: ledger.reduce((sum, { unknown }) => sum + unknown, 0),
    doubled: [...times].filter(([, n]) => n > 1).map(([letter]) => letter),
    miscounted: ledger
      .filter(({ email, sent, unknown }) => {
        const got = perClient.get(email) ?? 0;
        return got < sent || got > sent + unknown;
      })
      .map(
        ({ email, sent, unknown }) => `${email}: ${perClient.get(email) ?? 0} taken, ${sent} sent, ${unknown} unknown`,
      ),
  };
}
