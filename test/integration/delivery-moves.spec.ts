import { deliveryMoves, type DeliveryMoveName, type MovedTo } from '../../src/domain/delivery-moves';
import { type DeliveryStatus, deliveryStatuses } from '../../src/domain/states';
import type { DeliveryRecord } from '../../src/features/ledger/records';
import { suppress } from '../../src/features/consent/suppressions';
import * as moves from '../../src/features/ledger/moves';
import { takeOver } from '../../src/features/ledger/take-over';
import { writeLedger } from '../../src/features/sending/write-ledger';
import { Ledger } from '../support/ledger';

interface Case {
  id: number;
  runId: number;
  clientId: number;
  worker: number;
}
/** One way to make a move: what is so before it, besides the delivery's state, and the move itself. */
interface Way {
  run?: string;
  delivery?: string;
  dead?: boolean;
  move: (ledger: Ledger, it: Case) => Promise<unknown>;
}

const REFUSAL = '550 no';
const finished = `status = 'cancelled', reason = 'finished', closing = true`;
const ended = `status = 'cancelled', reason = 'ended', closing = true`;
const tried = 'attempts = 1, tries = 1';
const untried = 'attempts = 0';
const inTransaction =
  (work: (tx: Parameters<typeof moves.resend>[0], it: Case) => Promise<unknown>): Way['move'] =>
  (ledger, it) =>
    ledger.database.transaction((tx) => work(tx, it));

const record = (
  status: MovedTo<'record'>,
  more: Pick<Way, 'run' | 'delivery'> = {},
  number: number | null = 2,
): Way => ({
  delivery: tried,
  ...more,
  move: (ledger, it) => writeLedger(ledger.database, it.worker, [{ record: recordOf(it.id, status, number) }]),
});
const recordOf = (deliveryId: number, status: MovedTo<'record'>, number: number | null): DeliveryRecord => ({
  deliveryId,
  attempt: number === null ? null : { ...ANSWER, number, status: status === 'sent' ? 'ok' : 'failed' },
  status,
  reason: status === 'sent' ? null : 'mailbox_unavailable',
  triesUsed: 0,
  breaks: 0,
  lostReplies: 0,
  delayMs: status === 'deferred' ? 0 : null,
});
const ANSWER = { replyCode: 250, enhancedCode: null, serverResponse: '250 ok', durationMs: 1 };

const late = (status: MovedTo<'answerLate'>, run?: string): Way => ({
  ...(run && { run }),
  delivery: tried,
  move: (ledger, it) =>
    writeLedger(ledger.database, it.worker, [
      { record: recordOf(it.id, status === 'failed' && run ? 'deferred' : status, 1) },
    ]),
});
const silent = (more: Pick<Way, 'run' | 'delivery'>): Way => ({
  ...more,
  dead: true,
  move: (ledger) => takeOver(ledger.database, 0),
});
const close = (more: Pick<Way, 'run' | 'delivery'>): Way => ({
  ...more,
  move: inTransaction((tx, it) => moves.closeDeliveries(tx, it.runId)),
});
const plan = (status: MovedTo<'plan'>): Way => ({
  move: inTransaction(async (tx, it) => {
    await tx.affected(`UPDATE clients SET email = 'new-' || email WHERE id = $1`, [it.clientId]);
    const reason = status === 'skipped' ? `'client_deleted'` : 'NULL';
    const page = `SELECT id AS key, id AS client_id, email, true AS chosen, ${reason} AS reason
                    FROM clients WHERE id = $2`;
    await moves.planDeliveries(tx, page, [it.runId, it.clientId], { again: true });
  }),
});

async function suppressAddress(ledger: Ledger, it: Case): Promise<string> {
  const [row] = await ledger.query<{ key: string; hash: Buffer }>(
    'SELECT lower(email) AS key, address_hash(email) AS hash FROM deliveries WHERE id = $1',
    [it.id],
  );
  const of = { ownerId: 1, mailingId: null, emailKey: row!.key, addressHash: row!.hash };
  await suppress(ledger.database, { ...of, reason: 'manual', source: 'user' });
  return of.emailKey;
}

/** The compiler wants a way for each move of the table. */
const ways: Record<DeliveryMoveName, Way[]> = {
  plan: [plan('pending'), plan('skipped')],
  claim: [
    { move: (ledger, it) => writeLedger(ledger.database, it.worker, [{ claim: it.id }]) },
    {
      move: async (ledger, it) => {
        await suppressAddress(ledger, it);
        await writeLedger(ledger.database, it.worker, [{ claim: it.id }]);
      },
    },
  ],
  offer: [
    {
      delivery: 'offered = false',
      move: (ledger, it) => writeLedger(ledger.database, it.worker, [{ offer: { id: it.id } as never }]),
    },
  ],
  record: [
    ...(['sent', 'deferred', 'failed', 'unknown', 'pending'] as const).map((status) => record(status)),
    record('pending', { run: finished }),
    record('pending', { run: ended }),
    record('pending', { run: ended, delivery: untried }, null),
  ],
  takeOver: [
    silent({ delivery: 'offered = true' }),
    silent({ delivery: 'offered = true', run: `on_unknown = 'hold'` }),
    silent({ delivery: 'offered = false' }),
    silent({ delivery: 'offered = false', run: finished }),
    silent({ delivery: `offered = false, ${tried}`, run: ended }),
    silent({ delivery: `offered = false, ${untried}`, run: ended }),
  ],
  answerLate: [late('sent'), late('deferred'), late('failed', finished)],
  close: [close({ run: finished }), close({ run: ended, delivery: tried }), close({ run: ended, delivery: untried })],
  suppress: [
    {
      move: async (ledger, it) => {
        const emailKey = await suppressAddress(ledger, it);
        const of = { emailKey, ownerId: 1, mailingId: null };
        await ledger.database.transaction((tx) => moves.skipSuppressed(tx, of));
      },
    },
  ],
  deleteClient: [
    { move: inTransaction((tx, it) => moves.skipDeleted(tx, [it.clientId])) },
    { move: inTransaction((tx, it) => moves.skipForgotten(tx, [it.id])) },
  ],
  pardon: [{ delivery: tried, move: inTransaction((tx, it) => moves.pardon(tx, REFUSAL, [it.id], [it.runId])) }],
  resend: [{ move: inTransaction((tx, it) => moves.resend(tx, it.id)) }],
  markSent: [{ move: inTransaction((tx, it) => moves.markSent(tx, it.id, 1)) }],
  reconcileSent: [{ dead: true, move: inTransaction((tx, it) => moves.reconcileSent(tx, 1_000, [it.id], 1)) }],
  reconcileOpen: [{ dead: true, move: inTransaction((tx, it) => moves.reconcileOpen(tx, 1_000, [it.id])) }],
};

describe('the moves of a delivery', () => {
  let ledger: Ledger;

  beforeAll(async () => {
    ledger = await Ledger.start();
  });

  afterAll(async () => {
    await ledger?.stop();
  });

  /** A delivery in this state, with an attempt of this worker. */
  async function put(status: DeliveryStatus, { run, delivery, dead = false }: Way): Promise<Case> {
    const { runId, ids } = await ledger.plannedRun(1);
    const [id = 0] = ids;
    const worker = await ledger.worker(dead);
    await ledger.query(
      `UPDATE deliveries SET status = $2, claimed_by = CASE $2 WHEN 'sending' THEN $3::bigint END, rests = 1,
              next_attempt_at = CASE $2 WHEN 'deferred' THEN app_now() END ${delivery ? `, ${delivery}` : ''} WHERE id = $1`,
      [id, status, worker],
    );
    await ledger.query(
      `INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status, refusal)
       SELECT d.id, r.id, r.mailing_id, r.owner_id, d.client_id, $2, 1, 'unknown', $3 FROM deliveries d JOIN runs r ON r.id = d.run_id
        WHERE d.id = $1 AND d.attempts = 1`,
      [id, worker, REFUSAL],
    );
    if (run) await ledger.query(`UPDATE runs SET ${run} WHERE id = $1`, [runId]);
    const [row] = await ledger.query<{ clientId: number }>('SELECT client_id FROM deliveries WHERE id = $1', [id]);
    return { id, runId, clientId: row?.clientId ?? 0, worker };
  }

  /** The row and the transaction that wrote it last. */
  const read = async (id: number) => {
    const [row] = await ledger.query<{ status: DeliveryStatus; version: string }>(
      'SELECT xmin::text AS version, d.* FROM deliveries d WHERE id = $1',
      [id],
    );
    return row!;
  };

  describe.each(Object.keys(deliveryMoves) as DeliveryMoveName[])('%s', (name) => {
    const { from, to }: { from: readonly string[]; to: readonly string[] } = deliveryMoves[name];
    const reached = new Set<string>();

    it.each(deliveryStatuses)(`from %s`, async (status) => {
      for (const way of ways[name]) {
        const it = await put(status, way);
        const before = await read(it.id);
        await way.move(ledger, it);
        const after = await read(it.id);
        if (from.includes(status)) {
          expect(after.version).not.toBe(before.version);
          expect(to).toContain(after.status);
          reached.add(after.status);
        } else expect(after).toEqual(before);
      }
    });

    it('leads to each state that the table says, and to no other', async () => {
      if (name === 'plan') {
        for (const way of ways.plan) {
          const it = await put('sent', way);
          await ledger.query('DELETE FROM attempts WHERE delivery_id = $1', [it.id]);
          await ledger.query('DELETE FROM deliveries WHERE id = $1', [it.id]);
          await way.move(ledger, it);
          const [id = 0] = await ledger.ids(it.runId);
          reached.add((await read(id)).status);
        }
      }
      expect([...reached].sort()).toEqual([...to].sort());
    });
  });
});
