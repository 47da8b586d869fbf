import { DomainRests } from '../../src/features/accounts/domain-rests';
import { deleteClients } from '../../src/features/clients/delete-clients';
import { beginResend } from '../../src/features/runs/run-moves';
import { giveBack, refusedAlike, refusedByDomain } from '../../src/features/runs/refused-alike';
import { writeLedger } from '../../src/features/sending/write-ledger';
import { Ledger, silent } from '../support/ledger';

/** A refusal that was about us is taken back: every try that it cost, and nothing else. */

const ALIKE = '451 4.3.5 vlim gork';

let ledger: Ledger;

beforeAll(async () => (ledger = await Ledger.start()));
afterAll(() => ledger?.stop());

/** One try of the delivery that is deferred for this reason; `refusal` as in `Verdict`. */
async function tryOnce(worker: number, id: number, reason: string, refusal: string | null): Promise<void> {
  await ledger.query(`UPDATE deliveries SET next_attempt_at = now() WHERE id = $1 AND status = 'deferred'`, [id]);
  const [claim] = await writeLedger(ledger.database, worker, [{ claim: id }]);
  const attempt = {
    number: claim!.attempts + 1,
    status: 'failed' as const,
    replyCode: 451,
    enhancedCode: null,
    serverResponse: refusal ?? reason,
    durationMs: 1,
    refusal,
  };
  const rest = { triesUsed: 1, breaks: 0, lostReplies: 0, delayMs: 60_000 } as const;
  await writeLedger(ledger.database, worker, [
    { record: { deliveryId: id, attempt, status: 'deferred', reason, ...rest } },
  ]);
}

async function accept(worker: number, id: number): Promise<void> {
  const [claim] = await writeLedger(ledger.database, worker, [{ claim: id }]);
  const attempt = {
    number: claim!.attempts + 1,
    status: 'ok' as const,
    replyCode: 250,
    enhancedCode: null,
    serverResponse: '250 ok',
    durationMs: 1,
    refusal: null,
  };
  const rest = { triesUsed: 1, breaks: 0, lostReplies: 0, delayMs: 0 } as const;
  await writeLedger(ledger.database, worker, [
    { record: { deliveryId: id, attempt, status: 'sent', reason: null, ...rest } },
  ]);
}

it('a letter that got it twice before anybody knew has both tries back, and keeps its own', async () => {
  const { runId, ids } = await ledger.plannedRun(1);
  await ledger.query(`UPDATE runs SET status = 'sending', planned_at = now() WHERE id = $1`, [runId]);
  const [id = 0] = ids;
  const worker = await ledger.worker();
  await tryOnce(worker, id, 'greylisted', null);
  await tryOnce(worker, id, 'letter_deferred', ALIKE);
  await tryOnce(worker, id, 'letter_deferred', ALIKE);
  expect(await ledger.delivery(id)).toMatchObject({ status: 'deferred', attempts: 3, tries: 3 });
  expect(await refusedAlike(ledger.database, ALIKE)).toEqual([id]);
  expect(await giveBack(ledger.database, ALIKE, [id])).toEqual([id]);
  expect(await ledger.delivery(id)).toMatchObject({ status: 'pending', attempts: 3, tries: 1 });
  expect(await refusedAlike(ledger.database, ALIKE)).toEqual([]);
  // Once more after that: only the new one is taken back.
  await tryOnce(worker, id, 'letter_deferred', ALIKE);
  expect(await giveBack(ledger.database, ALIKE, [id])).toEqual([id]);
  expect(await giveBack(ledger.database, ALIKE, [id])).toEqual([]);
  expect(await ledger.delivery(id)).toMatchObject({ status: 'pending', attempts: 4, tries: 1 });
});

it('what a domain refused is found since it accepted a letter, whatever others accepted, and for an hour', async () => {
  const { runId, ids } = await ledger.plannedRun(4);
  await ledger.query(`UPDATE runs SET status = 'sending', planned_at = now() WHERE id = $1`, [runId]);
  const [first = 0, other = 0, second = 0, third = 0] = ids;
  // Their clients have other addresses by now.
  await ledger.query(
    `UPDATE deliveries SET email = replace(email, split_part(email, '@', 2), 'Rests.example') WHERE id = ANY($1)`,
    [[first, second, third]],
  );
  const worker = await ledger.worker();
  const found = async () => (await refusedByDomain(ledger.database, ALIKE, 'rests.example')).sort((a, b) => a - b);
  await tryOnce(worker, first, 'letter_deferred', ALIKE);
  await accept(worker, other);
  await tryOnce(worker, second, 'letter_deferred', ALIKE);
  expect(await found()).toEqual([first, second]);
  await ledger.query(`UPDATE attempts SET created_at = created_at - interval '2 hours' WHERE delivery_id = $1`, [
    first,
  ]);
  expect(await found()).toEqual([second]);
  await accept(worker, third);
  expect(await found()).toEqual([]);
});

it('a client who was deleted meanwhile gets nothing', async () => {
  const { runId, ids } = await ledger.plannedRun(2);
  await ledger.query(`UPDATE runs SET status = 'sending', planned_at = now() WHERE id = $1`, [runId]);
  const [refused = 0, underWay = 0] = ids;
  const worker = await ledger.worker();
  await tryOnce(worker, refused, 'letter_deferred', ALIKE);
  // Refused for good, which no deletion changes.
  await ledger.query(`UPDATE deliveries SET status = 'failed', next_attempt_at = NULL WHERE id = $1`, [refused]);
  await writeLedger(ledger.database, worker, [{ claim: underWay }]);
  const clients = await ledger.query<{ id: number }>('SELECT client_id AS id FROM deliveries WHERE id = ANY($1)', [
    ids,
  ]);
  await ledger.database.transaction((tx) =>
    deleteClients(
      tx,
      clients.map(({ id }) => id),
    ),
  );
  expect(await refusedAlike(ledger.database, ALIKE)).toContain(refused);
  expect(await giveBack(ledger.database, ALIKE, [refused])).toEqual([]);
  const answer = {
    number: 1,
    status: 'failed',
    replyCode: 451,
    enhancedCode: null,
    durationMs: 1,
    refusal: null,
  } as const;
  const record = {
    status: 'deferred',
    reason: 'greylisted',
    triesUsed: 1,
    breaks: 0,
    lostReplies: 0,
    delayMs: 0,
  } as const;
  await writeLedger(ledger.database, worker, [
    { record: { ...record, deliveryId: underWay, attempt: { ...answer, serverResponse: '451 later' } } },
  ]);
  expect(await ledger.delivery(underWay)).toMatchObject({ status: 'deferred' });
  expect(await writeLedger(ledger.database, worker, [{ claim: underWay }])).toMatchObject([
    { skippedFor: 'client_deleted' },
  ]);
  expect(await ledger.delivery(underWay)).toMatchObject({ status: 'skipped', reason: 'client_deleted' });
});

it('only what all letters were refused with is owed; a domain to which letters go too fast just rests', async () => {
  const [one, other] = [1, 2].map(() => new DomainRests(ledger.database, 60_000, silent)) as [DomainRests, DomainRests];
  await one.begin('fast.example', '450 4.7.1 too fast \0');
  await one.begin('alike.example', ALIKE);
  expect((await other.refresh()).map(({ domain }) => domain)).toEqual(['alike.example']);
  expect(other.restMs('a@fast.example')).toBeGreaterThan(0);
  expect(await other.refresh()).toEqual([]);
});

describe('what was sent again by another run of the sending', () => {
  /** Two deliveries that were refused alike for good, and a run to those who failed. */
  async function refusedAndSentAgain() {
    const { runId, ids } = await ledger.plannedRun(2);
    await ledger.query(`UPDATE runs SET status = 'sending', planned_at = now() WHERE id = $1`, [runId]);
    const worker = await ledger.worker();
    for (const id of ids) await refusedForGood(worker, id);
    await ledger.query(`UPDATE runs SET status = 'done' WHERE id = $1`, [runId]);
    const again = await ledger.database.transaction((tx) => beginResend(tx, runId));
    return { runId, ids, worker, again };
  }

  async function refusedForGood(worker: number, id: number): Promise<void> {
    await tryOnce(worker, id, 'letter_refused', ALIKE);
    await ledger.query(`UPDATE deliveries SET status = 'failed', next_attempt_at = NULL WHERE id = $1`, [id]);
  }

  const statuses = async (runId: number) => {
    const rows = await ledger.query<{ status: string }>('SELECT status FROM deliveries WHERE run_id = $1 ORDER BY id', [
      runId,
    ]);
    return rows.map(({ status }) => status);
  };

  it('does not go out by the first run, too', async () => {
    const { runId, ids, again } = await refusedAndSentAgain();
    await ledger.planner.plan(again);
    expect(await giveBack(ledger.database, ALIKE, await refusedAlike(ledger.database, ALIKE))).toEqual([]);
    expect(await statuses(again)).toEqual(['pending', 'pending']);
    expect(await statuses(runId)).toEqual(['failed', 'failed']);
    expect(ids).toHaveLength(2);
    expect(await ledger.query('SELECT status FROM runs WHERE id = $1', [runId])).toEqual([{ status: 'done' }]);
  });

  it('does not go out by the first run while it is not known yet to whom the later one goes', async () => {
    const { runId, ids, again } = await refusedAndSentAgain();
    expect(await giveBack(ledger.database, ALIKE, ids)).toEqual([]);
    await ledger.planner.plan(again);
    expect(await statuses(runId)).toEqual(['failed', 'failed']);
    expect(await statuses(again)).toEqual(['pending', 'pending']);
  });

  it('goes out once if it was refused alike by both', async () => {
    const { runId, ids, worker, again } = await refusedAndSentAgain();
    await ledger.planner.plan(again);
    const later = await ledger.ids(again);
    for (const id of later) await refusedForGood(worker, id);
    expect((await giveBack(ledger.database, ALIKE, [...ids, ...later])).sort()).toEqual(later);
    expect(await statuses(runId)).toEqual(['failed', 'failed']);
    expect(await statuses(again)).toEqual(['pending', 'pending']);
  });
});
