import type { Transaction } from '../../src/database/database';
import { emailKey } from '../../src/domain/email-address';
import { LinkKeys } from '../../src/features/consent/link-keys.service';
import { recogniseErased, suppress } from '../../src/features/consent/suppressions';
import { SuppressionsService } from '../../src/features/consent/suppressions.service';
import { UnsubscribeService } from '../../src/features/runs/unsubscribe.service';
import { writeLedger } from '../../src/features/sending/write-ledger';
import { eventually } from '../support/service';
import { Ledger } from '../support/ledger';

/** Who leaves by the link of a letter gets nothing more: asked when letters are planned, and when they are claimed. */

const OPERATOR = { userId: 0, role: 'admin', via: 'cli' } as const;

let ledger: Ledger;
let keys: LinkKeys;
let unsubscribes: UnsubscribeService;

beforeAll(async () => {
  ledger = await Ledger.start();
  keys = new LinkKeys(ledger.database);
  unsubscribes = new UnsubscribeService(
    ledger.database,
    keys,
    new SuppressionsService(ledger.database, keys),
    ledger.runs,
  );
});
afterAll(() => ledger?.stop());

const claim = async (worker: number, ids: number[]) =>
  writeLedger(
    ledger.database,
    worker,
    ids.map((id) => ({ claim: id })),
  );

interface Row {
  id: number;
  email: string;
  status: string;
  reason: string | null;
}
const rows = (runId: number) =>
  ledger.query<Row>('SELECT id, email, status, reason FROM deliveries WHERE run_id = $1 ORDER BY id', [runId]);
const counts = async (runId: number) => {
  const [counted] = await ledger.query<Record<string, number>>(
    `SELECT sum(pending) AS pending, sum(sending) AS sending, sum(skipped) AS skipped, sum(unsubscribed) AS unsubscribed,
            sum(pending + sending + deferred + sent + failed + unknown + skipped + cancelled) AS total
       FROM run_counts WHERE run_id = $1`,
    [runId],
  );
  return counted!;
};

async function linkOf(deliveryId: number): Promise<string> {
  const [letter] = await ledger.query<{ ownerId: number; mailingId: number; email: string }>(
    'SELECT r.owner_id, r.mailing_id, d.email FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = $1',
    [deliveryId],
  );
  const { ownerId, mailingId, email } = letter!;
  const sign = await keys.signer({ kind: 'unsubscribe', ownerId, mailingId });
  return sign(deliveryId, email);
}
const nextRun = async (mailingId: number) => {
  await ledger.query(`UPDATE runs SET occurrence_at = occurrence_at - interval '1 day' WHERE mailing_id = $1`, [
    mailingId,
  ]);
  const runId = await ledger.make.run(mailingId);
  await ledger.planner.plan(runId);
  return runId;
};

describe('who leaves', () => {
  it('gets nothing of the next run, and stands in it with the reason; counts add up', async () => {
    const { mailingId, runId, ids } = await ledger.plannedRun(3);
    expect(await unsubscribes.leave(await linkOf(ids[1]!), 'owner', 'one_click')).toBe(true);
    const after = await rows(runId);
    expect(after.map(({ status, reason }) => [status, reason])).toEqual([
      ['pending', null],
      ['skipped', 'unsubscribed'],
      ['pending', null],
    ]);
    const next = await nextRun(mailingId);
    expect((await rows(next)).map(({ status, reason }) => [status, reason])).toEqual([
      ['pending', null],
      ['skipped', 'unsubscribed'],
      ['pending', null],
    ]);
    expect(await counts(next)).toMatchObject({ total: 3, pending: 2, skipped: 1 });
    expect(await counts(runId)).toMatchObject({ total: 3, pending: 2, skipped: 1, unsubscribed: 1 });
  });

  it('twice has left once', async () => {
    const { runId, ids } = await ledger.plannedRun(1);
    const link = await linkOf(ids[0]!);
    await Promise.all([1, 2, 3].map(() => unsubscribes.leave(link, 'owner', 'one_click')));
    expect(await ledger.query('SELECT id FROM suppressions WHERE delivery_id = $1', [ids[0]])).toHaveLength(1);
    expect(await ledger.query('SELECT kind FROM delivery_events WHERE delivery_id = $1', [ids[0]])).toHaveLength(1);
    expect(await counts(runId)).toMatchObject({ unsubscribed: 1 });
  });

  it('is skipped where the letter waits for another try, too', async () => {
    const { runId, ids } = await ledger.plannedRun(1);
    await ledger.query(
      `UPDATE deliveries SET status = 'deferred', attempts = 1, tries = 1, next_attempt_at = now() + interval '1 hour' WHERE id = $1`,
      ids,
    );
    await ledger.query(`UPDATE runs SET status = 'sending', planned_at = now() WHERE id = $1`, [runId]);
    await unsubscribes.leave(await linkOf(ids[0]!), 'owner', 'page');
    expect(await rows(runId)).toMatchObject([{ status: 'skipped', reason: 'unsubscribed' }]);
    expect(await ledger.query('SELECT status FROM runs WHERE id = $1', [runId])).toEqual([{ status: 'done' }]);
  });

  it('one mailing gets the others', async () => {
    const first = await ledger.plannedRun(1);
    const [clientId] = (
      await ledger.query<{ clientId: number }>('SELECT client_id FROM deliveries WHERE id = $1', first.ids)
    ).map((row) => row.clientId);
    const other = await ledger.make.mailing({ ownerId: 1, recipients: () => [], status: 'started' });
    await ledger.make.select(other, [clientId!]);
    await unsubscribes.leave(await linkOf(first.ids[0]!), 'mailing', 'page');
    expect(await rows(first.runId)).toMatchObject([{ status: 'skipped', reason: 'unsubscribed' }]);
    expect(await rows(await nextRun(first.mailingId))).toMatchObject([{ status: 'skipped' }]);
    expect(await rows(await nextRun(other))).toMatchObject([{ status: 'pending' }]);
    await unsubscribes.leave(await linkOf(first.ids[0]!), 'owner', 'page');
    expect(await rows(await nextRun(other))).toMatchObject([{ status: 'skipped' }]);
  });

  it('still gets transactional letters, unless the address is dead', async () => {
    const { mailingId, ids } = await ledger.plannedRun(2);
    await ledger.query(`UPDATE mailings SET kind = 'transactional', transactional_reason = 'Receipts' WHERE id = $1`, [
      mailingId,
    ]);
    await unsubscribes.leave(await linkOf(ids[0]!), 'owner', 'page');
    const [, dead] = await ledger.query<{ email: string }>(
      'SELECT email FROM deliveries WHERE id = ANY($1) ORDER BY id',
      [ids],
    );
    const key = emailKey(dead!.email)!;
    const hash = await keys.hashOf(key);
    await suppress(ledger.database, {
      ownerId: null,
      mailingId: null,
      emailKey: key,
      addressHash: hash,
      reason: 'hard_bounce',
      source: 'smtp',
    });
    await ledger.query(`UPDATE runs SET occurrence_at = occurrence_at - interval '1 day' WHERE mailing_id = $1`, [
      mailingId,
    ]);
    const runId = await ledger.make.run(mailingId);
    await ledger.query('UPDATE runs SET transactional = true WHERE id = $1', [runId]);
    await ledger.planner.plan(runId);
    expect(await rows(runId)).toMatchObject([{ status: 'pending' }, { status: 'skipped', reason: 'hard_bounce' }]);
  });

  it('and comes back gets letters again; what was skipped stays so', async () => {
    const { mailingId, runId, ids } = await ledger.plannedRun(1);
    const link = await linkOf(ids[0]!);
    await unsubscribes.leave(link, 'owner', 'page');
    expect(await unsubscribes.look(link)).toMatchObject({ unsubscribed: 'owner' });
    expect(await unsubscribes.comeBack(link)).toBe(true);
    expect(await unsubscribes.look(link)).toMatchObject({ unsubscribed: null });
    expect(await rows(runId)).toMatchObject([{ status: 'skipped' }]);
    expect(await rows(await nextRun(mailingId))).toMatchObject([{ status: 'pending' }]);
    expect(
      (
        await ledger.query<{ kind: string }>('SELECT kind FROM delivery_events WHERE delivery_id = $1 ORDER BY id', ids)
      ).map(({ kind }) => kind),
    ).toEqual(['unsubscribed', 'resubscribed']);
  });
});

describe('the order of claims and unsubscribes', () => {
  const suppressed = (id: number) =>
    ledger.query('SELECT id FROM suppressions WHERE delivery_id = $1 AND lifted_at IS NULL', [id]);

  it('a claim that is open when somebody leaves is waited for, and is then committed before the answer', async () => {
    const { ids } = await ledger.plannedRun(1);
    const [id = 0] = ids;
    const link = await linkOf(id);
    const worker = await ledger.worker();
    let answered = false;
    let leaving: Promise<unknown> = Promise.resolve();
    await ledger.database.transaction(async (tx: Transaction) => {
      await tx.affected(`UPDATE deliveries SET status = 'sending', claimed_by = $2 WHERE id = $1`, [id, worker]);
      leaving = unsubscribes.leave(link, 'owner', 'one_click').then(() => (answered = true));
      await eventually(async () => (await suppressed(id)).length === 1, 'it');
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(answered).toBe(false);
    });
    await leaving;
    expect(await ledger.delivery(id)).toMatchObject({ status: 'sending', claimedBy: worker });
  });

  it('a claim that waits for an unsubscribe gets nothing', async () => {
    const { ids } = await ledger.plannedRun(2);
    const [id = 0, other = 0] = ids;
    const worker = await ledger.worker();
    let claims: Promise<unknown[]> = Promise.resolve([]);
    await ledger.database.transaction(async (tx: Transaction) => {
      await tx.affected(`UPDATE deliveries SET status = 'skipped', reason = 'unsubscribed' WHERE id = $1`, [id]);
      claims = claim(worker, [id, other]);
      await eventually(async () => {
        const waiting = await ledger.query(
          `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%concerned%'`,
        );
        return waiting.length > 0;
      }, 'it');
    });
    expect(await claims).toMatchObject([null, { id: other, skippedFor: null }]);
  });

  it('a page that is planned from before the unsubscribe is found at the claim, and skipped there', async () => {
    const { runId, ids } = await ledger.plannedRun(3);
    const [id = 0] = ids;
    await unsubscribes.leave(await linkOf(id), 'owner', 'one_click');
    // As a planner left it that had read before, and was committed after.
    await ledger.query(`UPDATE deliveries SET status = 'pending', reason = NULL WHERE id = $1`, [id]);
    const worker = await ledger.worker();
    const claims = await claim(worker, ids);
    expect(claims.map((one) => one?.skippedFor)).toEqual(['unsubscribed', null, null]);
    expect(await rows(runId)).toMatchObject([
      { status: 'skipped', reason: 'unsubscribed' },
      { status: 'sending' },
      { status: 'sending' },
    ]);
    expect(await claim(worker, ids)).toMatchObject([null, { skippedFor: null }, { skippedFor: null }]);
  });

  it('of hundreds who leave while workers claim, nobody is claimed after the answer', async () => {
    const { runId, ids } = await ledger.plannedRun(300);
    const links = await Promise.all(ids.map(linkOf));
    const workers = await Promise.all([1, 2, 3].map(() => ledger.worker()));
    const claimed = new Set<number>();
    // What the ledger says right after the answer: who is open then could still be claimed.
    const afterAnswer = new Map<number, unknown>();
    const claiming = workers.map(async (worker, w) => {
      for (let from = w * 10; from < ids.length; from += 30) {
        const claims = await claim(worker, ids.slice(from, from + 10));
        for (const one of claims) if (one && one.skippedFor === null) claimed.add(one.id);
      }
    });
    const leaving = [0, 1, 2, 3].map(async (l) => {
      for (let i = ids.length - 1 - l; i >= 0; i -= 4) {
        await unsubscribes.leave(links[i]!, 'owner', 'one_click');
        afterAnswer.set(ids[i]!, (await ledger.delivery(ids[i]!))?.status);
      }
    });
    await Promise.all([...claiming, ...leaving]);
    const after = await rows(runId);
    for (const { id, status } of after) {
      expect(['sending', 'skipped']).toContain(status);
      expect([id, afterAnswer.get(id)]).toEqual([id, status]);
      expect([id, claimed.has(id)]).toEqual([id, status === 'sending']);
    }
    expect(new Set(after.map(({ status }) => status)).size).toBe(2);
  });
});

describe('a link', () => {
  it('works when the client, the letter and the mailing are gone, and binds the address when it comes back', async () => {
    const { mailingId, ids } = await ledger.plannedRun(1);
    const [id = 0] = ids;
    const link = await linkOf(id);
    const [letter] = await ledger.query<{ email: string; clientId: number }>(
      'SELECT email, client_id FROM deliveries WHERE id = $1',
      [id],
    );
    await ledger.query('DELETE FROM deliveries WHERE id = $1', [id]);
    await ledger.query('DELETE FROM clients WHERE id = $1', [letter!.clientId]);
    await ledger.query('UPDATE mailings SET deleted_at = now() WHERE id = $1', [mailingId]);
    expect(await unsubscribes.look(link)).toMatchObject({ email: null, unsubscribed: null });
    expect(await unsubscribes.leave(link, 'owner', 'page')).toBe(true);
    expect(await unsubscribes.look(link)).toMatchObject({ unsubscribed: 'owner' });
    // Nobody knows the address any more; then somebody adds it again.
    const [back] = await ledger.make.clients(1, [letter!.email.toUpperCase()]);
    await ledger.database.transaction((tx) => recogniseErased(tx, 1, back!));
    const other = await ledger.make.mailing({ ownerId: 1, recipients: () => [], status: 'started' });
    await ledger.make.select(other, [back!]);
    expect(await rows(await nextRun(other))).toMatchObject([{ status: 'skipped', reason: 'unsubscribed' }]);
  });

  it('finds the address among the clients where only the letter is gone', async () => {
    const { mailingId, ids } = await ledger.plannedRun(1);
    const link = await linkOf(ids[0]!);
    await ledger.query('DELETE FROM deliveries WHERE id = $1', ids);
    await unsubscribes.leave(link, 'owner', 'page');
    expect(await rows(await nextRun(mailingId))).toMatchObject([{ status: 'skipped', reason: 'unsubscribed' }]);
  });

  it('outlives the rotation of keys, on every process, and not its retirement', async () => {
    const { ids } = await ledger.plannedRun(1);
    const link = await linkOf(ids[0]!);
    const elsewhere = new LinkKeys(ledger.database);
    expect(await elsewhere.tokenOf(link)).not.toBeNull();
    const old = Buffer.from(link, 'base64url')[0];
    const id = await keys.rotate(OPERATOR);
    const newer = await linkOf(ids[0]!);
    expect(Buffer.from(newer, 'base64url')[0]).toBe(id);
    expect(await keys.tokenOf(link)).not.toBeNull();
    expect(await new LinkKeys(ledger.database).tokenOf(newer)).not.toBeNull();
    await ledger.query('UPDATE link_keys SET retired_at = now() WHERE id = $1', [old]);
    const fresh = new LinkKeys(ledger.database);
    expect([await fresh.tokenOf(link), await fresh.tokenOf(newer)]).toEqual([null, expect.anything()]);
    await ledger.query('UPDATE link_keys SET retired_at = NULL');
  });

  it('of a key that another process has just made is read', async () => {
    const { ids } = await ledger.plannedRun(1);
    const elsewhere = new LinkKeys(ledger.database);
    await elsewhere.hashOf('a@example.org');
    await keys.rotate(OPERATOR);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await elsewhere.tokenOf(await linkOf(ids[0]!))).not.toBeNull();
  });

  it('that nobody signed changes nothing', async () => {
    const { runId, ids } = await ledger.plannedRun(1);
    const link = await linkOf(ids[0]!);
    for (const bad of ['', 'x', link.slice(1), `${link}A`, link.toLowerCase()]) {
      expect(await unsubscribes.look(bad)).toBeNull();
      expect(await unsubscribes.leave(bad, 'owner', 'one_click')).toBe(false);
      expect(await unsubscribes.comeBack(bad)).toBe(false);
    }
    expect(await rows(runId)).toMatchObject([{ status: 'pending' }]);
  });
});
