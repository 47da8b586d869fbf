import type { PinoLogger } from 'nestjs-pino';
import { heldClaims } from '../../src/features/ledger/claims';
import { DeliveriesService } from '../../src/features/runs/deliveries.service';
import { beginResend } from '../../src/features/runs/run-moves';
import { writeLedger } from '../../src/features/sending/write-ledger';
import type { DeliveryRecord } from '../../src/features/ledger/records';
import type { PlanJobs } from '../../src/features/scheduling/plan-jobs.service';
import type { ServiceSweep } from '../../src/worker/service-sweep';
import type { Expiry } from '../../src/worker/expiry';
import { Sweep } from '../../src/worker/sweep';
import { recount } from '../support/invariants';
import { Ledger, silent } from '../support/ledger';
import { mulberry32 } from '../support/program';

const sent = (deliveryId: number, number = 1): DeliveryRecord => ({
  deliveryId,
  attempt: { number, status: 'ok', replyCode: 250, enhancedCode: '2.0.0', serverResponse: '250 Ok', durationMs: 5 },
  status: 'sent',
  reason: null,
  triesUsed: 1,
  breaks: 0,
  lostReplies: 0,
  delayMs: null,
});
const deferred = (deliveryId: number, number = 1): DeliveryRecord => ({
  ...sent(deliveryId, number),
  attempt: { number, status: 'failed', replyCode: 451, enhancedCode: null, serverResponse: '451 later', durationMs: 5 },
  status: 'deferred',
  reason: 'greylisted',
  delayMs: 60_000,
});
const lost = (deliveryId: number, number = 1): DeliveryRecord => ({
  ...deferred(deliveryId, number),
  attempt: { number, status: 'unknown', replyCode: null, enhancedCode: null, serverResponse: 'gone', durationMs: 5 },
  reason: 'no_reply_after_dot',
  triesUsed: 0,
  lostReplies: 1,
});

describe('the ledger', () => {
  let ledger: Ledger;

  beforeAll(async () => {
    ledger = await Ledger.start({ TAKEOVER_MS: '30000' });
  });

  afterEach(async () => {
    expect(await recount(ledger)).toEqual([]);
  });

  afterAll(async () => {
    await ledger?.stop();
  });

  const claim = (worker: number, ids: number[]) =>
    writeLedger(
      ledger.database,
      worker,
      ids.map((id) => ({ claim: id })),
    );
  /** Claims them, and says that the server may be told of them. */
  const offer = async (worker: number, ids: number[]) => {
    const claims = (await claim(worker, ids)).flatMap((given) => given ?? []);
    return writeLedger(
      ledger.database,
      worker,
      claims.map((given) => ({ offer: given })),
    );
  };
  const record = (worker: number, ...records: DeliveryRecord[]) =>
    writeLedger(
      ledger.database,
      worker,
      records.map((one) => ({ record: one })),
    );

  describe('claims', () => {
    it('give each delivery to one of many who want it at once, in whatever order they ask', async () => {
      const { ids } = await ledger.plannedRun(200);
      const workers = await Promise.all(Array.from({ length: 6 }, () => ledger.worker()));
      const claims = await Promise.all(workers.map((worker, i) => claim(worker, i % 2 ? ids : ids.toReversed())));
      const got = claims.flat().filter((one) => one !== null);
      expect(got.map((one) => one.id).sort((a, b) => a - b)).toEqual(ids);
    });

    it('come back to the same worker, whose first answer may have been lost', async () => {
      const { ids } = await ledger.plannedRun(2);
      const worker = await ledger.worker();
      const first = await claim(worker, ids);
      expect(await claim(worker, ids)).toEqual(first);
      expect(await claim(await ledger.worker(), ids)).toEqual([null, null]);
    });

    it('refuse what is not due, final, paused, ended or closed', async () => {
      const worker = await ledger.worker();
      const { ids, runId } = await ledger.plannedRun(4);
      const [a, b, c, d] = ids as [number, number, number, number];
      await claim(worker, [a, b]);
      await record(worker, sent(a), deferred(b));
      expect(await claim(worker, [a, b])).toEqual([null, null]);
      await ledger.query('UPDATE runs SET paused_at = now() WHERE id = $1', [runId]);
      expect(await claim(worker, [c])).toEqual([null]);
      await ledger.query('UPDATE runs SET paused_at = NULL, end_at = now() WHERE id = $1', [runId]);
      expect(await claim(worker, [c])).toEqual([null]);
      await ledger.query(`UPDATE runs SET end_at = NULL, status = 'done' WHERE id = $1`, [runId]);
      expect(await claim(worker, [c, d])).toEqual([null, null]);
    });

    it('that began before a pause wait for it, and are refused after its answer', async () => {
      const { ids, mailingId } = await ledger.plannedRun(3);
      const worker = await ledger.worker();
      let claims: Promise<unknown[]> | undefined;
      await ledger.database.transaction(async (tx) => {
        await ledger.runs.setPaused(tx, [mailingId], true);
        claims = claim(worker, ids);
        await waiting(ledger, 'held AS MATERIALIZED');
      });
      expect(await claims).toEqual([null, null, null]);
    });

    it('hold up a pause that comes while they are being written', async () => {
      const { ids, mailingId } = await ledger.plannedRun(1);
      const worker = await ledger.worker();
      const order: string[] = [];
      const all: Promise<unknown>[] = [];
      await ledger.database.transaction(async (tx) => {
        await tx.rows('SELECT id FROM deliveries WHERE id = $1 FOR UPDATE', ids);
        all.push(claim(worker, ids).then((claims) => order.push(`claimed ${claims[0]?.id === ids[0]}`)));
        await waiting(ledger, 'held AS MATERIALIZED');
        all.push(
          ledger.database
            .transaction((other) => ledger.runs.setPaused(other, [mailingId], true))
            .then(() => order.push('paused')),
        );
        await waiting(ledger, 'ORDER BY id FOR UPDATE');
      });
      await Promise.all(all);
      expect(order).toEqual(['claimed true', 'paused']);
    });
  });

  describe('records', () => {
    it('are harmless to repeat, whatever they say', async () => {
      const { ids } = await ledger.plannedRun(3);
      const [a, b, c] = ids as [number, number, number];
      const worker = await ledger.worker();
      await claim(worker, ids);
      const records = [sent(a), deferred(b), lost(c)];
      await record(worker, ...records);
      const before = await Promise.all(ids.map((id) => ledger.delivery(id)));
      await record(worker, ...records);
      await record(worker, ...records.toReversed());
      expect(await Promise.all(ids.map((id) => ledger.delivery(id)))).toEqual(before);
      for (const id of ids) expect(await ledger.attempts(id)).toHaveLength(1);
    });

    it('of a claim that another worker holds change nothing', async () => {
      const { ids } = await ledger.plannedRun(1);
      const [id] = ids as [number];
      const [mine, other] = [await ledger.worker(), await ledger.worker()];
      await claim(other, ids);
      await record(mine, sent(id));
      expect(await ledger.delivery(id)).toMatchObject({ status: 'sending', claimedBy: other, attempts: 0 });
    });

    it('that want to go on end as their closed run did; one whose reply was lost stays unknown', async () => {
      const { ids, mailingId } = await ledger.plannedRun(3);
      const [a, b, c] = ids as [number, number, number];
      const worker = await ledger.worker();
      await claim(worker, ids);
      await ledger.database.transaction((tx) => ledger.runs.close(tx, mailingId, 'finished'));
      await record(worker, sent(a), deferred(b), lost(c));
      const states = await Promise.all(ids.map(async (id) => (await ledger.delivery(id))?.status));
      expect(states).toEqual(['sent', 'cancelled', 'unknown']);
    });

    it('with a reply that can not be stored as it is are stored as near as can be', async () => {
      const { ids } = await ledger.plannedRun(1);
      const [id] = ids as [number];
      const worker = await ledger.worker();
      await claim(worker, ids);
      const base = sent(id);
      await record(worker, { ...base, attempt: { ...base.attempt!, serverResponse: `250 a\0b${'x'.repeat(9_000)}` } });
      expect(String((await ledger.attempts(id))[0]?.serverResponse)).toHaveLength(4_000);
    });
  });

  describe('the sweeper', () => {
    it('turns claims of dead, stopped and vanished workers into unknown attempts, and no others', async () => {
      const { ids } = await ledger.plannedRun(4);
      const dead = await ledger.worker(true);
      const stopped = await ledger.worker();
      const live = await ledger.worker();
      const [a, b, c, d] = ids as [number, number, number, number];
      await claim(dead, [a]);
      await claim(stopped, [b]);
      await claim(987_654, [c]);
      await claim(live, [d]);
      await ledger.query('UPDATE workers SET stopped_at = now() WHERE id = $1', [stopped]);
      expect(await ledger.sweeper.sweep()).toMatchObject({ takenOver: 3 });
      for (const id of [a, b, c])
        expect(await ledger.delivery(id)).toMatchObject({
          status: 'deferred',
          reason: 'worker_lost',
          lostReplies: 1,
          attempts: 1,
        });
      expect(await ledger.delivery(d)).toMatchObject({ status: 'sending', claimedBy: live });
    });

    it('gives a second lost reply, and any under the policy hold, no further try', async () => {
      const resend = await ledger.plannedRun(1, 'resend');
      const hold = await ledger.plannedRun(1, 'hold');
      const [a, b] = [resend.ids[0] ?? 0, hold.ids[0] ?? 0];
      for (const status of ['deferred', 'unknown']) {
        await ledger.query(
          'UPDATE deliveries SET next_attempt_at = now() WHERE id = $1 AND next_attempt_at IS NOT NULL',
          [a],
        );
        await offer(await ledger.worker(true), [a, b]);
        await ledger.sweeper.sweep();
        expect(await ledger.delivery(a)).toMatchObject({ status });
        expect(await ledger.delivery(b)).toMatchObject({ status: 'unknown' });
      }
    });

    it('gives back, untried, what no server was told of; its old worker may not send it any more', async () => {
      const { ids } = await ledger.plannedRun(2, 'hold');
      const [a, b] = ids as [number, number];
      const frozen = await ledger.worker(true);
      const [held, told] = await claim(frozen, ids);
      expect(held).toMatchObject({ id: a, offered: false });
      await writeLedger(ledger.database, frozen, [{ offer: told! }]);
      expect(await ledger.sweeper.sweep()).toMatchObject({ takenOver: 1 });
      expect(await ledger.delivery(a)).toMatchObject({ status: 'pending', attempts: 0, tries: 0, claimedBy: null });
      expect(await ledger.attempts(a)).toEqual([]);
      expect(await ledger.delivery(b)).toMatchObject({ status: 'unknown', attempts: 1 });
      expect(await writeLedger(ledger.database, frozen, [{ offer: held! }])).toEqual([null]);
      expect(await ledger.delivery(a)).toMatchObject({ status: 'pending' });
    });

    it('ends as its run did what no server was told of when the run was closed', async () => {
      for (const [reason, status] of [
        ['finished', 'cancelled'],
        ['ended', 'skipped'],
      ] as const) {
        const { ids, mailingId } = await ledger.plannedRun(1, 'hold');
        await claim(await ledger.worker(true), ids);
        await ledger.database.transaction((tx) => ledger.runs.close(tx, mailingId, reason));
        await ledger.sweeper.sweep();
        expect(await ledger.delivery(ids[0] ?? 0)).toMatchObject({ status, reason, attempts: 0, claimedBy: null });
      }
    });

    it.each([
      ['an accepted letter', sent, { status: 'sent', lostReplies: 0, waits: false }],
      ['a deferred one', deferred, { status: 'deferred', reason: 'greylisted', tries: 1, lostReplies: 0 }],
    ])('is corrected by the worker that learns late of %s', async (_, late, expected) => {
      for (const policy of ['resend', 'hold'] as const) {
        const { ids } = await ledger.plannedRun(1, policy);
        const [id] = ids as [number];
        const frozen = await ledger.worker(true);
        await offer(frozen, ids);
        await ledger.sweeper.sweep();
        await record(frozen, late(id));
        expect(await ledger.delivery(id)).toMatchObject({ ...expected, attempts: 1 });
        expect(await ledger.attempts(id)).toMatchObject([{ status: late(id).attempt?.status }]);
      }
    });

    describe('is corrected late, when the run is done already, by a no for our own sake', () => {
      const ourTrouble = (id: number): DeliveryRecord => ({
        ...deferred(id),
        status: 'pending',
        reason: null,
        triesUsed: 0,
        delayMs: null,
      });
      const doneRun = async () => {
        const run = await ledger.plannedRun(1, 'hold');
        const [id] = run.ids as [number];
        const frozen = await ledger.worker(true);
        await offer(frozen, run.ids);
        await ledger.sweeper.sweep();
        expect(await ledger.runs.finishIfDrained([run.runId])).toEqual([run.runId]);
        return { ...run, id, frozen };
      };
      const statusOf = async (runId: number) =>
        (await ledger.query<{ status: string }>('SELECT status FROM runs WHERE id = $1', [runId]))[0]?.status;

      it.each([
        ['our own trouble', ourTrouble, { reason: null, tries: 0 }],
        ['greylisting', deferred, { reason: 'greylisted', tries: 1 }],
      ])('%s: the run sends again', async (_, late, expected) => {
        const { runId, id, frozen } = await doneRun();
        await record(frozen, late(id));
        expect(await ledger.delivery(id)).toMatchObject({
          ...expected,
          status: 'deferred',
          lostReplies: 0,
          attempts: 1,
        });
        expect(await statusOf(runId)).toBe('sending');
        await ledger.query('UPDATE deliveries SET next_attempt_at = now() WHERE id = $1', [id]);
        const other = await ledger.worker();
        expect((await claim(other, [id]))[0]?.id).toBe(id);
        await record(other, sent(id, 2));
        expect(await ledger.delivery(id)).toMatchObject({ status: 'sent', attempts: 2 });
      });

      it('and the mailing was finished by hand: it has failed, for a reason', async () => {
        const { runId, mailingId, id, frozen } = await doneRun();
        await ledger.query(`UPDATE mailings SET status = 'done', status_by = owner_id WHERE id = $1`, [mailingId]);
        await record(frozen, ourTrouble(id));
        expect(await ledger.delivery(id)).toMatchObject({ status: 'failed', reason: 'worker_lost', attempts: 1 });
        expect(await ledger.attempts(id)).toMatchObject([{ status: 'failed', serverResponse: '451 later' }]);
        expect(await statusOf(runId)).toBe('done');
      });
    });

    it('is no reason to try again who was sent to again by another run meanwhile', async () => {
      const { runId, ids } = await ledger.plannedRun(1, 'hold');
      const [id] = ids as [number];
      const frozen = await ledger.worker(true);
      await offer(frozen, ids);
      await ledger.sweeper.sweep();
      expect(await ledger.runs.finishIfDrained([runId])).toEqual([runId]);
      const again = await ledger.database.transaction((tx) => beginResend(tx, runId));
      await ledger.planner.plan(again);
      await record(frozen, deferred(id));
      expect(await ledger.delivery(id)).toMatchObject({ status: 'failed', reason: 'greylisted', attempts: 1 });
      expect(await ledger.query('SELECT status FROM runs WHERE id = $1', [runId])).toEqual([{ status: 'done' }]);
      expect(await ledger.ids(again)).toHaveLength(1);
    });

    it('is not corrected once the letter is being sent again: that copy must stay visible', async () => {
      const { ids } = await ledger.plannedRun(1);
      const [id] = ids as [number];
      const frozen = await ledger.worker(true);
      await claim(frozen, ids);
      await ledger.sweeper.sweep();
      await ledger.query('UPDATE deliveries SET next_attempt_at = now() WHERE id = $1', [id]);
      const other = await ledger.worker();
      expect((await claim(other, ids))[0]?.id).toBe(id);
      await record(frozen, sent(id));
      expect(await ledger.attempts(id)).toMatchObject([{ status: 'unknown', serverResponse: '250 Ok' }]);
      await record(other, sent(id, 2));
      expect(await ledger.attempts(id)).toMatchObject([{ status: 'unknown' }, { status: 'ok' }]);
      expect(await ledger.delivery(id)).toMatchObject({ status: 'sent', attempts: 2 });
    });
  });

  describe('a run', () => {
    it('is planned once by two planners at once, and again without harm', async () => {
      const { runId } = await ledger.run(300);
      await Promise.all([ledger.planner.plan(runId), ledger.planner.plan(runId)]);
      await ledger.planner.plan(runId);
      expect(await ledger.ids(runId)).toHaveLength(300);
      await expect(
        ledger.query(
          `INSERT INTO deliveries (run_id, client_id, email) SELECT run_id, 0, upper(email) FROM deliveries WHERE run_id = $1`,
          [runId],
        ),
      ).rejects.toThrow('deliveries_run_id_email_key');
      await expect(
        ledger.query(
          `INSERT INTO deliveries (run_id, client_id, email) SELECT run_id, client_id, 'x' || email FROM deliveries WHERE run_id = $1`,
          [runId],
        ),
      ).rejects.toThrow('deliveries_client_id_run_id_key');
    });

    it('of an occurrence is one, whoever begins it', async () => {
      const { mailingId, runId } = await ledger.run(1);
      const [mailing] = await ledger.query<never>('SELECT * FROM mailings WHERE id = $1', [mailingId]);
      const [run] = await ledger.query<{ at: Date }>('SELECT occurrence_at AS at FROM runs WHERE id = $1', [runId]);
      const begun = await ledger.database.transaction((tx) => ledger.runs.begin(tx, mailing!, 'schedule', run!.at));
      expect(begun).toEqual({ runId, isNew: false });
    });

    it('is not done while somebody reopens a delivery of it at the same moment', async () => {
      const { ids, runId } = await ledger.plannedRun(1);
      await ledger.query(`UPDATE deliveries SET status = 'unknown' WHERE id = $1`, [ids[0]]);
      let finishing: Promise<number[]> | undefined;
      await ledger.database.transaction(async (tx) => {
        await tx.rows('SELECT id FROM runs WHERE id = $1 FOR UPDATE', [runId]);
        await tx.affected(`UPDATE deliveries SET status = 'pending' WHERE id = $1`, [ids[0]]);
        finishing = ledger.runs.finishIfDrained([runId]);
        await waiting(ledger, 'runs r');
      });
      expect(await finishing).toEqual([]);
      expect(await ledger.query('SELECT status FROM runs WHERE id = $1', [runId])).toEqual([{ status: 'sending' }]);
    });

    it('whose counters do not add up is named in the log by each sweep, and no other', async () => {
      const { runId } = await ledger.plannedRun(3);
      const named: unknown[] = [];
      const sweep = new Sweep(
        ledger.sweeper,
        ledger.runs,
        { add: () => Promise.resolve() } as unknown as PlanJobs,
        { run: () => Promise.resolve() } as unknown as ServiceSweep,
        { run: () => Promise.resolve() } as unknown as Expiry,
        { ...silent, error: (what: unknown) => named.push(what) } as unknown as PinoLogger,
      );
      await sweep.run();
      expect(named).toEqual([]);
      const miscount = (by: number) =>
        ledger.query(
          'UPDATE run_counts SET pending = pending + $2 WHERE ctid = (SELECT min(ctid) FROM run_counts WHERE run_id = $1)',
          [runId, by],
        );
      await miscount(1);
      await sweep.run();
      await miscount(-1);
      expect(named).toEqual([{ event: 'ledger.miscounted', runId, counted: 4, found: 3 }]);
    });

    it('finds what is open and who claims what, whatever happens in whatever order', async () => {
      const random = mulberry32(Number(process.env.FAULT_SEED ?? 7));
      const some = <T>(list: T[], n: number) =>
        Array.from({ length: n }, () => list[Math.floor(random() * list.length)]!);
      const unclaimed = { attempt: null, triesUsed: 0, breaks: 0, lostReplies: 0, reason: null } as const;
      const outcomes: ((id: number, number: number) => DeliveryRecord)[] = [
        (id, number) => sent(id, number),
        (id, number) => ({ ...deferred(id, number), delayMs: 0 }),
        (id, number) => ({ ...lost(id, number), delayMs: 0 }),
        (id, number) => ({ ...lost(id, number), status: 'unknown', delayMs: null }),
        (id, number) => ({ ...deferred(id, number), status: 'pending', delayMs: null }),
        (deliveryId) => ({ deliveryId, ...unclaimed, status: 'deferred', reason: 'domain_rests', delayMs: 0 }),
        (deliveryId) => ({ deliveryId, ...unclaimed, status: 'pending', delayMs: null }),
      ];
      const floors: number[] = [];
      for (let round = 0; round < 6; round++) {
        const { ids, mailingId, runId } = await ledger.plannedRun(120, round % 2 ? 'hold' : 'resend');
        for (let step = 0; step < 12; step++) {
          const worker = await ledger.worker(random() < 0.1);
          const claims = (await claim(worker, [...new Set([...ids.slice(0, 10 * step), ...some(ids, 5)])])).filter(
            (c) => c !== null,
          );
          const held = new Map(claims.map((c) => [c.id, worker]));
          for (const { id, claimedBy } of await heldClaims(ledger.database))
            if (claimedBy === worker) expect(held.delete(id)).toBe(true);
          expect([...held]).toEqual([]);
          const recorded = claims.filter(() => random() < 0.9);
          await record(
            worker,
            ...recorded.map((c) => outcomes[Math.floor(random() * random() * outcomes.length)]!(c.id, c.attempts + 1)),
          );
          if (random() < 0.5) await ledger.sweeper.sweep();
          if (step === 10 && round > 3)
            await ledger.database.transaction((tx) => ledger.runs.close(tx, mailingId, 'finished'));
          if (step === 10)
            await ledger.query(
              `UPDATE deliveries SET status = 'pending', reason = NULL WHERE run_id = $1 AND status = 'unknown' AND NOT EXISTS (SELECT FROM runs WHERE id = $1 AND status = 'cancelled')`,
              [runId],
            );
          expect(await recount(ledger)).toEqual([]);
        }
        const [run] = await ledger.query<{ floorId: number }>('SELECT floor_id FROM runs WHERE id = $1', [runId]);
        floors.push((run?.floorId ?? 0) - (ids[0] ?? 0));
        await ledger.query('UPDATE workers SET stopped_at = now()');
        await ledger.sweeper.sweep();
        await ledger.runs.closeRest();
        expect(await heldClaims(ledger.database)).toEqual([]);
        await ledger.query(`UPDATE runs SET paused_at = now() WHERE id = $1`, [runId]);
      }
      expect(Math.max(...floors)).toBeGreaterThan(20);
    });

    it('survives claims, records, a pause, a finish and a deleted client at once, without a deadlock that is not mended', async () => {
      const { ids, mailingId } = await ledger.plannedRun(300);
      const workers = await Promise.all(Array.from({ length: 3 }, () => ledger.worker()));
      const send = async (worker: number, order: number[]) => {
        for (let i = 0; i < order.length; i += 40) {
          const got = (await claim(worker, order.slice(i, i + 40))).filter((one) => one !== null);
          await record(worker, ...got.map((one, n) => (n % 3 ? sent(one.id) : deferred(one.id))));
        }
      };
      const forget = async () => {
        const clients = await ledger.query<{ clientId: number }>(
          'SELECT client_id FROM deliveries WHERE id = ANY($1) ORDER BY id DESC',
          [ids],
        );
        for (const { clientId } of clients.slice(0, 60))
          await ledger.database.transaction((tx) =>
            tx.affected(
              `UPDATE deliveries SET status = 'skipped', reason = 'client_deleted', next_attempt_at = NULL
                WHERE client_id = $1 AND status IN ('pending', 'deferred')`,
              [clientId],
            ),
          );
      };
      const toggle = async () => {
        for (let i = 0; i < 10; i++)
          await ledger.database.transaction((tx) => ledger.runs.setPaused(tx, [mailingId], i % 2 === 0));
      };
      await Promise.all([
        send(workers[0]!, ids),
        send(workers[1]!, ids.toReversed()),
        send(workers[2]!, ids),
        forget(),
        toggle(),
      ]);
      await ledger.database.transaction((tx) => ledger.runs.close(tx, mailingId, 'finished'));
      const open = await ledger.query(
        `SELECT id FROM deliveries WHERE id = ANY($1) AND status IN ('pending', 'sending', 'deferred')`,
        [ids],
      );
      expect(open).toEqual([]);
    });

    it('gives a delivery to all who have none, where one of a page has one already', async () => {
      const { runId, mailingId } = await ledger.run(25_000);
      await ledger.query(
        `INSERT INTO deliveries (run_id, client_id, email)
         SELECT $1, c.id, c.email FROM mailing_clients m JOIN clients c ON c.id = m.client_id WHERE m.mailing_id = $2 ORDER BY m.id OFFSET 12000 LIMIT 1`,
        [runId, mailingId],
      );
      expect(await ledger.planner.plan(runId)).toBe(true);
      const [row] = await ledger.query(
        `SELECT count(*) AS deliveries, count(DISTINCT d.client_id) AS clients, min(r.status) AS status
           FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.run_id = $1`,
        [runId],
      );
      expect(row).toEqual({ deliveries: 25_000, clients: 25_000, status: 'sending' });
    });

    it('that was finished is not opened again for one letter before all others are closed, and then for this one alone', async () => {
      const { mailingId, runId, ids } = await ledger.plannedRun(2, 'hold');
      const [unknown, underWay] = ids as [number, number];
      await ledger.query(`UPDATE deliveries SET status = 'unknown', attempts = 1, lost_replies = 1 WHERE id = $1`, [
        unknown,
      ]);
      const worker = await ledger.worker();
      await claim(worker, [underWay]);
      await ledger.database.transaction((tx) => ledger.runs.close(tx, mailingId, 'finished'));
      const deliveries = new DeliveriesService(ledger.database, ledger.feed, ledger.config, silent);
      const resend = () => deliveries.resend({ userId: 1, role: 'user' }, unknown);
      await expect(resend()).rejects.toMatchObject({ code: 'RUN_CLOSING' });
      await record(worker, deferred(underWay));
      // Sooner than the sweeper.
      await resend();
      await ledger.runs.closeRest();
      expect(await ledger.delivery(unknown)).toMatchObject({ status: 'pending', attempts: 1 });
      expect(await ledger.delivery(underWay)).toMatchObject({ status: 'cancelled', attempts: 1 });
      expect(await ledger.query('SELECT status, closing FROM runs WHERE id = $1', [runId])).toEqual([
        { status: 'sending', closing: false },
      ]);
    });

    it('of very many is closed in the background, and stays closing until its last claim has ended', async () => {
      const { runId, mailingId, ids } = await ledger.plannedRun(17_000);
      const worker = await ledger.worker();
      await claim(worker, ids.slice(0, 1));
      await ledger.query(
        `UPDATE deliveries SET status = 'deferred', attempts = 1, next_attempt_at = now() WHERE run_id = $1 AND id > $2 AND id % 3 = 0`,
        [runId, ids[0]],
      );
      await ledger.database.transaction((tx) => ledger.runs.close(tx, mailingId, 'finished'));
      const states = () =>
        ledger.query('SELECT status, count(*) AS n FROM deliveries WHERE run_id = $1 GROUP BY 1 ORDER BY 1', [runId]);
      const closing = async () =>
        (await ledger.query<{ closing: boolean }>('SELECT closing FROM runs WHERE id = $1', [runId]))[0]?.closing;
      expect(await states()).toEqual(expect.arrayContaining([expect.objectContaining({ status: 'pending' })]));
      await ledger.runs.closeRest();
      expect(await states()).toEqual([
        { status: 'cancelled', n: 16_999 },
        { status: 'sending', n: 1 },
      ]);
      expect(await closing()).toBe(true);
      await record(worker, sent(ids[0]!));
      await ledger.runs.closeRest();
      expect(await closing()).toBe(false);
    });
  });
});

/** Waits until a statement with this text waits for a lock. */
async function waiting(ledger: Ledger, text: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const rows = await ledger.query(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND position($1 IN query) > 0`,
      [text],
    );
    if (rows.length > 0) return;
    if (performance.now() > deadline) throw new Error(`nobody waits with ${text}`);
  }
}
