import { letterDigest, messageIdOf } from '../../src/domain/message-id';
import { FAST, type FaultRig, SECRET_KEY, SENDER } from './fault-rig';
import { type JournalLine, readJournal } from './smtp-server';

export interface Expectation {
  /** Whether something died, froze or broke between a final dot and its record; without, no copy and no unknown attempt. */
  deathsAfterDot: boolean;
  /** Extra copies allowed at all; `hold` allows none. */
  copies?: boolean;
  /** How many deliveries there must be, all runs together. */
  deliveries?: number;
  /** Processes that were killed or frozen: each may leave so many unknown attempts. */
  killedWorkers?: number;
}

/** What a test of faults found, for its table. */
export interface Measured {
  letters: number;
  accepted: number;
  extraCopies: number;
  unknownAttempts: number;
  states: Record<string, number>;
}

interface DeliveryRow {
  id: number;
  runId: number;
  runKey: string | null;
  clientId: number;
  email: string;
  status: string;
  markedBy: string | null;
  attempts: number;
  ok: number;
  unknown: number;
  rows: number;
}

const FINAL = ['sent', 'failed', 'unknown', 'skipped', 'cancelled'];

/**
 * I1–I5 of a quiet system (I6 is `rig.quiet`): the whole ledger against the mail server's whole journal.
 * @throws Error naming every broken invariant
 */
export async function checkInvariants(rig: FaultRig, expected: Expectation): Promise<Measured> {
  const broken: string[] = [];
  const must = (holds: boolean, what: string) => void (holds || broken.push(what));
  const journal = readJournal(rig.journal);
  const deliveries = await readDeliveries(rig);
  const accepted = groupBy(
    journal.filter((line) => line.verdict === 'accepted'),
    (line) => line.messageId ?? '',
  );

  const open = deliveries.filter((d) => !FINAL.includes(d.status));
  must(open.length === 0, `I1: ${open.length} deliveries are not final: ${JSON.stringify(open.slice(0, 3))}`);
  const once = new Set(deliveries.map((d) => `${d.runId} ${d.email.toLowerCase()}`));
  must(once.size === deliveries.length, 'I1: an address has two deliveries in one run');
  if (expected.deliveries !== undefined)
    must(deliveries.length === expected.deliveries, `I1: ${deliveries.length} deliveries, not ${expected.deliveries}`);

  let extraCopies = 0;
  let unknownAttempts = 0;
  let known = 0;
  for (const d of deliveries) {
    const copies =
      accepted.get(messageIdOf(letterDigest({ ...d, deliveryId: d.id }, SECRET_KEY), SENDER.split('@')[1] ?? '')) ?? [];
    known += copies.length;
    const name = `delivery ${d.id} (${d.email}, ${d.status})`;
    if (d.status === 'sent' && d.markedBy === null) {
      must(copies.length > 0, `I2: ${name} was never accepted`);
      must(d.ok === 1, `I2: ${name} has ${d.ok} ok attempts`);
    } else must(d.ok === 0, `I2: ${name} has an ok attempt`);
    if (copies.length > 0 && d.status !== 'sent') must(d.unknown > 0, `I2: ${name} was accepted and nothing says so`);
    const extra = Math.max(0, copies.length - 1);
    must(extra <= 1, `I3: ${name} went out ${copies.length} times`);
    must(extra <= d.unknown, `I3: ${name} has ${extra} more copies, but ${d.unknown} unknown attempts`);
    must(d.rows === d.attempts, `I4: ${name} counts ${d.attempts} attempts and has ${d.rows}`);
    extraCopies += extra;
    unknownAttempts += d.unknown;
  }
  must(known === [...accepted.values()].flat().length, 'I2: the server accepted a letter that no delivery knows');
  if (!expected.deathsAfterDot)
    must(extraCopies === 0, `I3: ${extraCopies} extra copies without a death after the dot`);
  if (!expected.deathsAfterDot) must(unknownAttempts === 0, `I3: ${unknownAttempts} unknown attempts without a death`);
  if (expected.copies === false) must(extraCopies === 0, `I3: ${extraCopies} extra copies under the policy hold`);
  if (expected.killedWorkers !== undefined) {
    const most = 2 * Number(FAST.SMTP_CONNECTIONS) * expected.killedWorkers;
    must(
      unknownAttempts <= most,
      `P4: ${unknownAttempts} unknown attempts, at most ${most} by ${expected.killedWorkers} deaths`,
    );
  }
  checkTransactions(journal, deliveries, must);
  for (const problem of await recount(rig)) broken.push(`I5: ${problem}`);
  const left = await rig.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM runs WHERE status NOT IN ('done', 'cancelled', 'missed')`,
  );
  must(left[0]?.n === 0, `I1: ${left[0]?.n} runs are live`);
  if (broken.length > 0) {
    const logs = rig.tails();
    throw new Error(`seed ${rig.seed}: ${broken.length} broken\n${broken.slice(0, 12).join('\n')}\n${logs}`);
  }
  const states: Record<string, number> = {};
  for (const d of deliveries) states[d.status] = (states[d.status] ?? 0) + 1;
  return { letters: deliveries.length, accepted: known, extraCopies, unknownAttempts, states };
}

/** I4: the server saw no transaction that the ledger has no attempt for, neither of one recipient nor altogether. */
function checkTransactions(
  journal: JournalLine[],
  deliveries: DeliveryRow[],
  must: (holds: boolean, what: string) => void,
): void {
  const seen = groupBy(journal, (line) => line.rcpt.toLowerCase());
  const attempts = new Map<string, number>();
  for (const d of deliveries) attempts.set(d.email.toLowerCase(), (attempts.get(d.email.toLowerCase()) ?? 0) + d.rows);
  for (const [rcpt, lines] of seen) {
    if (rcpt === '') continue;
    const transactions = new Set(lines.map((line) => line.tx)).size;
    must(
      transactions <= (attempts.get(rcpt) ?? 0),
      `I4: ${transactions} transactions for ${rcpt}, ${attempts.get(rcpt) ?? 0} attempts`,
    );
  }
  const all = new Set(journal.map((line) => line.tx)).size;
  const written = [...attempts.values()].reduce((a, b) => a + b, 0);
  must(all <= written, `I4: ${all} transactions, ${written} attempts`);
}

async function readDeliveries(rig: FaultRig): Promise<DeliveryRow[]> {
  const rows = await rig.query<Record<string, string | number | null>>(
    `SELECT d.id, d.run_id, (SELECT letter_key FROM runs WHERE id = d.run_id) AS run_key, d.client_id, d.email, d.status,
            d.marked_by, d.attempts, count(a.id)::int AS rows,
            (count(*) FILTER (WHERE a.status = 'ok'))::int AS ok, (count(*) FILTER (WHERE a.status = 'unknown'))::int AS unknown
       FROM deliveries d LEFT JOIN attempts a ON a.delivery_id = d.id GROUP BY d.id ORDER BY d.id`,
  );
  return rows.map(({ id, run_id, run_key, client_id, marked_by, ...row }) => ({
    ...row,
    id: Number(id),
    runId: Number(run_id),
    runKey: run_key,
    clientId: Number(client_id),
    markedBy: marked_by,
  })) as DeliveryRow[];
}

/** What the kept counters say against what the rows say; empty if they agree. */
export async function recount(rig: Pick<FaultRig, 'query'>): Promise<string[]> {
  const rows = await rig.query<{ what: string }>(`
    WITH states AS (SELECT unnest(ARRAY['pending','sending','deferred','sent','failed','unknown','skipped','cancelled']) AS status),
    counted AS (
      SELECT c.run_id, s.status, sum((to_jsonb(c) ->> s.status)::int) AS n FROM run_counts c, states s GROUP BY 1, 2
      UNION ALL SELECT run_id, 'untried', sum(untried) FROM run_counts GROUP BY 1),
    found AS (
      SELECT run_id, status, count(*) AS n FROM deliveries GROUP BY 1, 2
      UNION ALL SELECT run_id, 'untried', count(*) FROM deliveries WHERE attempts = 0 AND status IN ('pending', 'sending') GROUP BY 1),
    stat AS (
      SELECT s.mailing_id, v.status, sum((to_jsonb(s) ->> v.status)::int) AS n FROM stats s,
        unnest(ARRAY['sent','failed','unknown','skipped','cancelled','attempts_ok','attempts_failed','attempts_unknown']) AS v(status) GROUP BY 1, 2),
    stat_found AS (
      SELECT r.mailing_id, d.status, count(*) AS n FROM deliveries d JOIN runs r ON r.id = d.run_id
       WHERE d.status IN ('sent','failed','unknown','skipped','cancelled') GROUP BY 1, 2
      UNION ALL SELECT mailing_id, 'attempts_' || status, count(*) FROM attempts GROUP BY 1, 2)
    SELECT format('run %s counts %s %s, has %s', run_id, coalesce(c.n, 0), status, coalesce(f.n, 0)) AS what
      FROM counted c FULL JOIN found f USING (run_id, status) WHERE coalesce(c.n, 0) <> coalesce(f.n, 0)
    UNION ALL
    SELECT format('statistics of mailing %s say %s %s, the ledger %s', mailing_id, coalesce(c.n, 0), status, coalesce(f.n, 0))
      FROM stat c FULL JOIN stat_found f USING (mailing_id, status) WHERE coalesce(c.n, 0) <> coalesce(f.n, 0)
    UNION ALL
    SELECT format('failure statistics say %s, the ledger %s', a.n, b.n)
      FROM (SELECT coalesce(sum(failed), 0) AS n FROM failure_stats) a, (SELECT count(*) AS n FROM deliveries WHERE status = 'failed') b
     WHERE a.n <> b.n
    UNION ALL
    SELECT format('delivery %s is %s and is not found as open', d.id, d.status)
      FROM deliveries d LEFT JOIN (
        SELECT o.id, o.status FROM runs r, unnest(ARRAY['pending', 'sending']) AS state,
               open_deliveries(r.id, r.floor_id, state, 0, 1000000) o) o USING (id, status)
     WHERE d.status IN ('pending', 'sending') AND o.id IS NULL
    UNION ALL
    SELECT format('run %s with the floor %s has %s open deliveries and says %s', r.id, r.floor_id, n, has_open_deliveries(r.id, r.floor_id))
      FROM runs r, LATERAL (SELECT count(*) AS n FROM deliveries d
                             WHERE d.run_id = r.id AND d.status IN ('pending', 'sending', 'deferred')) open
     WHERE (n > 0) <> has_open_deliveries(r.id, r.floor_id)
    UNION ALL
    SELECT format('delivery %s is being sent in run %s, which is %s', d.id, r.id, r.status)
      FROM deliveries d JOIN runs r ON r.id = d.run_id
     WHERE d.status = 'sending' AND r.status NOT IN ('planning', 'sending') AND NOT r.closing`);
  return rows.map((row) => row.what);
}

function groupBy<T>(items: T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
