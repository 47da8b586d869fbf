import { giveBack, refusedAlike, refusedByDomain } from '../../src/features/runs/refused-alike';
import { writeLedger } from '../../src/features/sending/write-ledger';
import { Ledger } from '../support/ledger';

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
  await ledger.query(
    `UPDATE clients SET email = replace(email, split_part(email, '@', 2), 'Rests.example')
      WHERE id IN (SELECT client_id FROM deliveries WHERE id = ANY($1))`,
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
