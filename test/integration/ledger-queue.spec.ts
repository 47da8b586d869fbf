import { deliveryJobId } from '../../src/features/sending/feeder.service';
import { GroupCommit } from '../../src/features/sending/group-commit';
import { writeLedger } from '../../src/features/sending/write-ledger';
import { LedgerWriter } from '../../src/features/sending/ledger-writer.service';
import { LinkKeys } from '../../src/features/consent/link-keys.service';
import { StoredObjects } from '../../src/storage/stored-objects';
import { ReturnAddresses } from '../../src/features/consent/return-addresses';
import { LetterComposer } from '../../src/features/sending/letter-composer';
import { type SendOutcome, SenderService } from '../../src/features/sending/sender.service';
import { accountOf } from '../../src/features/accounts/account';
import { AccountGate } from '../../src/features/accounts/account-gate.service';
import { AccountsService } from '../../src/features/accounts/accounts.service';
import type { Claim } from '../../src/features/ledger/claims';
import { WorkerRegistry } from '../../src/features/ledger/worker-registry.service';
import type { LifecycleService } from '../../src/features/scheduling/lifecycle.service';
import { isUnavailable } from '../../src/database/database';
import { classify } from '../../src/domain/smtp-outcome';
import { RateLimiter } from '../../src/queue/rate-limiter';
import { SmtpPool } from '../../src/smtp/smtp-pool';
import { parseSmtpUrl } from '../../src/smtp/smtp-url';
import { DeliveryProcessor } from '../../src/worker/delivery.processor';
import type { Outages } from '../../src/features/consent/outages.service';
import type { PlanProcessor } from '../../src/worker/plan.processor';
import { Processors } from '../../src/worker/processors';
import type { RunFinisher } from '../../src/worker/run-finisher';
import type { ScheduleProcessor } from '../../src/worker/schedule.processor';
import type { ServiceProcessor } from '../../src/worker/service.processor';
import { recordOf } from '../../src/features/sending/verdict-record';
import { recount } from '../support/invariants';
import { Ledger, silent } from '../support/ledger';
import { eventually } from '../support/service';
import { SmtpServer } from '../support/smtp-server';

/** How long refusals that turned out to be about us are taken back, in milliseconds. */
const DEBTS_MS = 3_000;

describe('the queue beside the ledger', () => {
  let ledger: Ledger;

  beforeEach(async () => {
    ledger = await Ledger.start({
      QUEUE_WINDOW: '100',
      WORKER_CONCURRENCY: '20',
      HEARTBEAT_MS: '200',
      TAKEOVER_MS: '2000',
      SMTP_CONNECTIONS: '2',
    });
  });

  afterEach(async () => {
    expect(await recount(ledger)).toEqual([]);
    await ledger.stop();
  });

  /** A worker's consumers of the queues, of which only that of deliveries does something. */
  const worksOn = (deliveries: DeliveryProcessor): Processors => {
    const idle = { process: () => Promise.resolve() } as unknown as PlanProcessor &
      ScheduleProcessor &
      ServiceProcessor;
    const { redis, config } = ledger;
    const worker = new Processors(deliveries, idle, idle, idle, redis, config);
    worker.onModuleInit();
    return worker;
  };

  const waiting = async () => (await ledger.queue.getWaiting(0, -1)).map((job) => job.data.deliveryId);

  it('holds QUEUE_WINDOW jobs at most, of all runs in turn, each delivery once', async () => {
    const big = await ledger.plannedRun(400);
    const small = await ledger.plannedRun(10);
    await Promise.all(Array.from({ length: 4 }, () => ledger.feeder.feed()));
    for (let i = 0; i < 3; i++) await ledger.feeder.feed();
    const fed = await waiting();
    expect(fed).toHaveLength(100);
    expect(new Set(fed).size).toBe(100);
    expect(fed.filter((id) => small.ids.includes(id))).toHaveLength(10);
    expect(fed.filter((id) => big.ids.includes(id))).toHaveLength(90);
  });

  it('holds no more when deliveries are to be tried again at once: they come back when there is room', async () => {
    const { ids } = await ledger.plannedRun(150);
    await ledger.feeder.feed();
    const [again = 0, first = 0, second = 0] = ids;
    await ledger.queue.remove(deliveryJobId({ id: again, attempts: 0 }));
    await ledger.feeder.feed();
    expect(await waiting()).toHaveLength(100);
    await ledger.query('UPDATE deliveries SET attempts = 1 WHERE id = $1', [again]);
    await ledger.feed.again([again]);
    await ledger.feeder.feed();
    expect(await waiting()).not.toContain(again);
    await ledger.queue.remove(deliveryJobId({ id: first, attempts: 0 }));
    await ledger.queue.remove(deliveryJobId({ id: second, attempts: 0 }));
    await ledger.feeder.feed();
    expect(await waiting()).toHaveLength(100);
    expect(await ledger.queue.getJob(deliveryJobId({ id: again, attempts: 1 }))).toBeDefined();
  });

  it('serves many small runs in one turn, and a large one with what is left', async () => {
    const runs = [await ledger.plannedRun(300)];
    for (let i = 0; i < 30; i++) runs.push(await ledger.plannedRun(2));
    await ledger.feeder.feed();
    const fed = new Set(await waiting());
    const got = runs.map(({ ids }) => ids.filter((id) => fed.has(id)).length);
    expect(got).toEqual([40, ...Array<number>(30).fill(2)]);
  });

  it('is filled again after a flush, by the sweeper after the loss of a job, and not for nothing', async () => {
    const { ids, runId } = await ledger.plannedRun(30);
    await ledger.feeder.feed();
    expect(await ledger.sweeper.sweep()).toMatchObject({ refedRuns: [] });
    await ledger.queue.remove(deliveryJobId({ id: ids[3] ?? 0, attempts: 0 }));
    expect(await ledger.sweeper.sweep()).toMatchObject({ refedRuns: [runId] });
    await ledger.feeder.feed();
    expect((await waiting()).sort((a, b) => a - b)).toEqual(ids);
    await ledger.queue.obliterate({ force: true });
    await ledger.feed.refeed();
    await ledger.feeder.feed();
    expect((await waiting()).sort((a, b) => a - b)).toEqual(ids);
  });

  it('whose list was lost while its jobs are there is put together again', async () => {
    const { ids } = await ledger.plannedRun(90);
    await ledger.feeder.feed();
    await ledger.redis.client.del(ledger.queue.toKey('wait'));
    expect((await ledger.sweeper.sweep()).refedRuns).toHaveLength(1);
    await ledger.feeder.feed();
    expect((await waiting()).sort((a, b) => a - b)).toEqual(ids);
  });

  it('is fed again what could not be added: the feeder goes on only from what is in the queue', async () => {
    const { ids } = await ledger.plannedRun(5);
    const counter = ledger.queue.toKey('id');
    await ledger.redis.client.set(counter, 'no number');
    await expect(ledger.feeder.feed()).rejects.toThrow();
    expect(await waiting()).toEqual([]);
    await ledger.redis.client.del(counter);
    await ledger.feeder.feed();
    expect((await waiting()).sort((a, b) => a - b)).toEqual(ids);
  });

  it('is fed from the beginning also if that was asked for while it was being fed', async () => {
    const { ids, runId } = await ledger.plannedRun(30);
    for (const runs of [undefined, [runId]]) {
      await ledger.feed.refeed();
      const addBulk = jest.spyOn(ledger.queue, 'addBulk').mockImplementationOnce(async (jobs) => {
        addBulk.mockRestore();
        const added = await ledger.queue.addBulk(jobs);
        // Two jobs find the account at rest and end; it opens again.
        for (const id of ids.slice(3, 5)) await ledger.queue.remove(deliveryJobId({ id, attempts: 0 }));
        await ledger.feed.refeed(runs);
        return added;
      });
      await ledger.feeder.feed();
      await ledger.feeder.feed();
      expect((await waiting()).sort((a, b) => a - b)).toEqual(ids);
    }
  });

  it('gets another job only for deliveries that can be sent; those of a paused run wait until it goes on', async () => {
    const { ids } = await ledger.plannedRun(4);
    const paused = await ledger.plannedRun(2);
    await ledger.feeder.feed();
    await ledger.queue.drain();
    await ledger.query('UPDATE runs SET paused_at = now() WHERE id = $1', [paused.runId]);
    const [due = 0, later = 0, sent = 0, pending = 0] = ids;
    await ledger.query(
      `UPDATE deliveries SET status = 'deferred', attempts = 1,
              next_attempt_at = now() + CASE id WHEN $1 THEN interval '-1 s' ELSE interval '1 h' END WHERE id IN ($1, $2)`,
      [due, later],
    );
    await ledger.query(`UPDATE deliveries SET status = 'sent' WHERE id = $1`, [sent]);
    // The feeder has passed all of them.
    const { begun } = await ledger.feed.read([]);
    const runId = (await ledger.query<{ runId: number }>('SELECT run_id FROM deliveries WHERE id = $1', [due]))[0]!
      .runId;
    await ledger.feed.pass(begun, [{ runId, id: due, dueAt: 'infinity' }]);
    await ledger.feed.again([...ids, ...paused.ids]);
    await ledger.feeder.feed();
    expect((await waiting()).sort((a, b) => a - b)).toEqual([due, pending]);
  });

  it('goes on when Redis has lost the data of a job that is given back', async () => {
    const { ids } = await ledger.plannedRun(2);
    await ledger.feeder.feed();
    const [job] = await ledger.queue.getWaiting();
    await ledger.redis.client.hdel(ledger.queue.toKey(job?.id ?? ''), 'data');
    const sender = { send: () => Promise.resolve({ kind: 'nothing' }) } as unknown as SenderService;
    const { feed, redis } = ledger;
    const worker = worksOn(
      new DeliveryProcessor(sender, {} as LifecycleService, {} as RunFinisher, {} as Outages, feed, redis),
    );
    await worker.run(() => undefined);
    await eventually(async () => (await redis.client.zcard(redis.key('again-at'))) === 2, 'both jobs are given back');
    await worker.close();
    await eventually(async () => (await ledger.feeder.feed()) > 0, 'the other is fed again');
    expect(ids).toEqual(expect.arrayContaining(await waiting()));
  });

  it('loses nothing if a turn fails', async () => {
    const { ids } = await ledger.plannedRun(2);
    await ledger.feeder.feed();
    await ledger.queue.drain();
    await ledger.feed.again(ids);
    const addBulk = jest.spyOn(ledger.queue, 'addBulk').mockRejectedValueOnce(new Error('Redis is away'));
    await expect(ledger.feeder.feed()).rejects.toThrow('Redis is away');
    addBulk.mockRestore();
    await ledger.feeder.feed();
    expect((await waiting()).sort((a, b) => a - b)).toEqual(ids);
  });

  it('gets another job for a delivery that was turned away, also if its run was fed anew while that job was ending', async () => {
    const { ids } = await ledger.plannedRun(3);
    const asked: number[] = [];
    const sender = {
      onProbed: undefined,
      async send(deliveryId: number): Promise<SendOutcome> {
        asked.push(deliveryId);
        if (asked.length === ids.length) {
          // All jobs are under way; the account has just opened again.
          await ledger.feed.refeed();
          await ledger.feeder.feed();
        }
        await eventually(() => Promise.resolve(asked.length >= ids.length), 'all jobs have begun');
        return { kind: 'nothing' };
      },
    };
    const deliveries = new DeliveryProcessor(
      sender as unknown as SenderService,
      {} as LifecycleService,
      {} as RunFinisher,
      {} as Outages,
      ledger.feed,
      ledger.redis,
    );
    const worker = worksOn(deliveries);
    await worker.run((reason) => asked.push(Number(reason)));
    await ledger.feeder.feed();
    await eventually(async () => {
      await ledger.feeder.feed();
      return ids.every((id) => asked.filter((one) => one === id).length >= 2);
    }, 'every delivery got a second job');
    await worker.close();
  });

  it('gets no job for a run whose time is over, and none of others has to wait for it', async () => {
    const over = await ledger.plannedRun(100);
    const other = await ledger.plannedRun(3);
    await ledger.query(`UPDATE runs SET end_at = now() - interval '1 s' WHERE id = $1`, [over.runId]);
    await ledger.feed.again(over.ids);
    await ledger.feeder.feed();
    expect((await waiting()).sort((a, b) => a - b)).toEqual(other.ids);
  });

  it('gets what was turned away once, a second later, however often it was; nothing of it after a new beginning', async () => {
    const { ids } = await ledger.plannedRun(3);
    await ledger.feeder.feed();
    await ledger.queue.drain();
    for (let n = 0; n < 3; n++) await ledger.feed.again(ids, 1_000);
    await ledger.feeder.feed();
    expect(await waiting()).toEqual([]);
    await eventually(async () => (await ledger.feeder.feed()) > 0, 'it is fed again');
    expect((await waiting()).sort((a, b) => a - b)).toEqual(ids);
    expect(await ledger.feed.takeAgain(10)).toEqual([]);
    await ledger.feed.again(ids);
    await ledger.feed.refeed();
    expect(await ledger.feed.takeAgain(10)).toEqual([]);
  });

  it('gets back deferred deliveries when they are due, not before', async () => {
    const { ids } = await ledger.plannedRun(3);
    await ledger.query(
      `UPDATE deliveries SET status = 'deferred', attempts = 1, next_attempt_at = now() + CASE id WHEN $1 THEN interval '-1 s' ELSE interval '1 h' END`,
      [ids[1]],
    );
    await ledger.feeder.feed();
    expect(await waiting()).toEqual([ids[1]]);
  });

  it('a statement on a connection that was lost inside a transaction counts as an outage', async () => {
    const error: unknown = await ledger.database
      .transaction(async (tx) => {
        await tx.rows('SELECT pg_terminate_backend(pg_backend_pid())').catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 50));
        await tx.rows('SELECT 1');
      })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Error);
    expect(isUnavailable(error)).toBe(true);
  });

  describe('with a mail server', () => {
    let smtp: SmtpServer;
    let writer: LedgerWriter;
    let sender: SenderService;
    let senderAt: (rateLimitPerSecond: number) => SenderService;
    let registry: WorkerRegistry;
    let gate: AccountGate;
    let pool: SmtpPool;

    beforeEach(async () => {
      smtp = await SmtpServer.start();
      const { database, config, feed, redis } = ledger;
      registry = new WorkerRegistry(database, config, silent);
      await registry.register();
      pool = new SmtpPool({
        settings: parseSmtpUrl(`smtp://127.0.0.1:${smtp.port}`),
        connections: 2,
        beforeDot: () => registry.alive,
      });
      const account = accountOf(config);
      const forDebts = { ...config, takeoverMs: DEBTS_MS };
      gate = new AccountGate(account, new AccountsService(database, config, silent), feed, pool, forDebts, silent);
      await gate.start();
      senderAt = (rateLimitPerSecond) => {
        const limiter = new RateLimiter(redis, { ...config, rateLimitPerSecond });
        const composer = new LetterComposer(
          database,
          account,
          config,
          new LinkKeys(database),
          new ReturnAddresses(new LinkKeys(database), config),
          new StoredObjects(database, config),
          silent,
        );
        writer = new LedgerWriter(database, registry, config, silent);
        return new SenderService(writer, registry, gate, composer, pool, limiter, config);
      };
      sender = senderAt(0);
    });

    afterEach(async () => {
      gate.stop();
      await registry.stop();
      pool.dropAll();
      await smtp.stop();
    });

    it('a claim whose answer was lost is given back, one that is being worked on is not', async () => {
      const { ids, runId } = await ledger.plannedRun(2);
      const [orphan, busy] = ids as [number, number];
      smtp.behave({ at: { dot: { do: 'stall' } } });
      const sending = sender.send(busy);
      while (smtp.stats.transactions === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      // As if the answer had been lost and the mailing paused before the statement was repeated.
      await writeLedger(ledger.database, registry.id, [{ claim: orphan }]);
      await ledger.query('UPDATE runs SET paused_at = now() WHERE id = $1', [runId]);
      expect(await writer.releaseOrphans()).toBe(1);
      expect(await ledger.delivery(orphan)).toMatchObject({ status: 'pending', attempts: 0, claimedBy: null });
      expect(await ledger.delivery(busy)).toMatchObject({ status: 'sending', claimedBy: registry.id });
      pool.dropAll();
      expect(await sending).toMatchObject({ kind: 'recorded' });
    });

    it('a result that Postgres refuses keeps its claim, holds up nobody, and is written when its cause is mended', async () => {
      const { ids } = await ledger.plannedRun(4);
      const [bad = 0, ...good] = ids;
      await ledger.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'not this one'; END $$`);
      await ledger.query(`CREATE TRIGGER refuse BEFORE UPDATE ON deliveries FOR EACH ROW
        WHEN (new.id = ${bad} AND new.status = 'sent') EXECUTE FUNCTION refuse()`);
      const refused = sender.send(bad);
      for (const id of good) expect(await sender.send(id)).toMatchObject({ kind: 'recorded', status: 'sent' });
      expect(await ledger.delivery(bad)).toMatchObject({ status: 'sending', claimedBy: registry.id });
      expect(await writer.releaseOrphans()).toBe(0);
      await ledger.query('DROP TRIGGER refuse ON deliveries');
      expect(await refused).toMatchObject({ kind: 'recorded', status: 'sent' });
      expect(smtp.stats.accepted).toBe(4);
    });

    it('a job that was done already and is added once more finds nothing to do', async () => {
      const { ids } = await ledger.plannedRun(2);
      const [sent = 0, deferred = 0] = ids;
      expect(await sender.send(sent)).toMatchObject({ kind: 'recorded', status: 'sent' });
      smtp.behave({ at: { dot: { do: 'reply', text: '452 4.2.2 mailbox full' } } });
      expect(await sender.send(deferred)).toMatchObject({ kind: 'recorded', status: 'deferred' });
      for (const id of ids) expect(await sender.send(id)).toEqual({ kind: 'nothing' });
      for (const id of ids) expect(await ledger.attempts(id)).toHaveLength(1);
    });

    it('a delivery whose connection broke is fed again with the next turn, and never beyond QUEUE_WINDOW', async () => {
      const { ids } = await ledger.plannedRun(150);
      await ledger.feeder.feed();
      const queued = async () => (await ledger.queue.getWaiting(0, -1)).map((job) => job.id);
      const broken = (attempts: number) => deliveryJobId({ id: ids[0] ?? 0, attempts });
      const job = (await ledger.queue.getJob(broken(0)))!;
      const noted: number[] = [];
      const processor = new DeliveryProcessor(
        sender,
        {} as LifecycleService,
        { note: (runId: number) => noted.push(runId) } as unknown as RunFinisher,
        {} as Outages,
        ledger.feed,
        ledger.redis,
      );
      smtp.behave({ at: { rcpt: { do: 'drop' } } });
      const result = await processor.process(job);
      expect(await ledger.delivery(ids[0] ?? 0)).toMatchObject({ status: 'pending', attempts: 1 });
      await ledger.feeder.feed();
      expect(await queued()).toHaveLength(100);
      await job.remove();
      await processor.onCompleted(job, result);
      await ledger.feeder.feed();
      const after = await queued();
      expect(after).toHaveLength(100);
      expect(after).toContain(broken(1));
      expect(noted).toHaveLength(1);
      expect(await ledger.sweeper.sweep()).toMatchObject({ refedRuns: [] });
    });

    it('a delivery whose run can not be read waits for the sweep, and does not go round', async () => {
      const { ids } = await ledger.plannedRun(1);
      const spy = jest.spyOn(LinkKeys.prototype, 'signer').mockRejectedValue(new Error('there is no key'));
      expect(await sender.send(ids[0] ?? 0)).toEqual({ kind: 'waits' });
      spy.mockRestore();
      expect(await ledger.delivery(ids[0] ?? 0)).toMatchObject({ status: 'pending', attempts: 0, claimedBy: null });
      expect(await sender.send(ids[0] ?? 0)).toMatchObject({ kind: 'recorded', status: 'sent' });
    });

    it('a worker never holds more claims than twice its connections, nor claims past a record that waits', async () => {
      const { ids } = await ledger.plannedRun(10);
      const [first] = await ledger.query<{ email: string }>('SELECT email FROM deliveries WHERE id = $1', [ids[0]]);
      smtp.behave({
        at: { dot: { do: 'stall' } },
        recipients: { [first?.email ?? '']: { step: 'dot', do: 'accept' } },
      });
      // Each change notes how many claims there are; a record waits for whoever holds the advisory lock.
      await ledger.query(`CREATE TABLE claims_held (n integer)`);
      await ledger.query(`CREATE FUNCTION note_claims() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO claims_held SELECT count(*) FROM deliveries WHERE status = 'sending'; RETURN NULL; END $$`);
      await ledger.query(`CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$`);
      await ledger.query(
        'CREATE TRIGGER note_claims AFTER UPDATE ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION note_claims()',
      );
      await ledger.query(
        'CREATE TRIGGER wait_for_test BEFORE INSERT ON attempts FOR EACH ROW EXECUTE FUNCTION wait_for_test()',
      );
      // Slow enough that the claim for a freed slot is not of one batch with the record that freed it.
      const slow = senderAt(5);
      let over = false;
      let sending: Promise<unknown> | undefined;
      await ledger.database.transaction(async (tx) => {
        await tx.rows('SELECT pg_advisory_xact_lock(1)');
        sending = Promise.all(ids.map((id) => slow.send(id))).finally(() => (over = true));
        const waits = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`;
        while ((await ledger.query(waits)).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        // Time for a claim that overtakes the record.
        await new Promise((resolve) => setTimeout(resolve, 1_500));
      });
      // Time for a claim without a slot.
      await new Promise((resolve) => setTimeout(resolve, 700));
      slow.stop();
      for (; !over; await new Promise((resolve) => setTimeout(resolve, 20))) pool.dropAll();
      await sending;
      const [most] = await ledger.query<{ n: number }>('SELECT max(n) AS n FROM claims_held');
      expect(most?.n).toBeLessThanOrEqual(4);
    });

    it('everybody refused alike in one moment is pending again, also who was answered after the others and is on no connection', async () => {
      const { ids } = await ledger.plannedRun(16);
      const claims = (
        await writeLedger(
          ledger.database,
          registry.id,
          ids.map((id) => ({ claim: id })),
        )
      ).map((one) => one!);
      const startedAt = performance.now();
      const accepted = { kind: 'accepted', reply: { code: 250, enhanced: null, text: '250 ok' } } as const;
      gate.note(accepted, classify(accepted), { ...claims[0]!, email: 'ok@elsewhere.example' }, startedAt);
      const text = '550 5.7.1 qlorp zaff mibble';
      const refused = { kind: 'refused', phase: 'rcpt', reply: { code: 550, enhanced: '5.7.1', text } } as const;
      const verdict = classify(refused);
      expect(pool.connections.busy).toBe(0);
      for (const claim of claims) {
        gate.note(refused, verdict, claim, startedAt);
        await writer.record(recordOf(claim, refused, verdict, 1, ledger.config, 0));
      }
      await eventually(async () => {
        const states = await ledger.query<{ status: string }>(
          'SELECT DISTINCT status FROM deliveries WHERE id = ANY($1)',
          [ids],
        );
        return states.length === 1 && states[0]!.status === 'pending';
      }, 'all are pending');
      // Whoever gets the same answer when every worker knows that the domain rests is charged.
      await new Promise((resolve) => setTimeout(resolve, DEBTS_MS));
      const [again] = await writeLedger(ledger.database, registry.id, [{ claim: ids[0]! }]);
      gate.note(refused, verdict, again!, performance.now());
      await writer.record(recordOf(again!, refused, verdict, 1, ledger.config, 0));
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(await ledger.delivery(ids[0]!)).toMatchObject({ status: 'failed' });
    });

    it('a letter whose domain begins to rest while it is composed waits with it', async () => {
      const { ids } = await ledger.plannedRun(1);
      const [id = 0] = ids;
      const { letter } = LetterComposer.prototype as {
        letter: (this: LetterComposer, claim: Claim) => ReturnType<LetterComposer['letter']>;
      };
      const spy = jest.spyOn(LetterComposer.prototype, 'letter').mockImplementationOnce(async function (
        this: LetterComposer,
        claim,
      ) {
        await gate.rests.begin('example.com', '550 5.7.1 qlorp zaff mibble');
        return letter.call(this, claim);
      });
      expect(await sender.send(id)).toEqual({ kind: 'waits' });
      spy.mockRestore();
      expect(await ledger.delivery(id)).toMatchObject({ status: 'deferred', reason: 'domain_rests', attempts: 0 });
      expect(smtp.stats.transactions).toBe(0);
    });

    it('a delivery whose domain rests for a moment more is due after its record is written', async () => {
      const { ids } = await ledger.plannedRun(1);
      const spy = jest.spyOn(gate.rests, 'restMs').mockReturnValue(1);
      expect(await sender.send(ids[0]!)).toEqual({ kind: 'waits' });
      spy.mockRestore();
      const [left] = await ledger.query<{ ms: number }>(
        'SELECT extract(epoch FROM next_attempt_at - updated_at) * 1000 AS ms FROM deliveries WHERE id = $1',
        [ids[0]],
      );
      expect(Number(left?.ms)).toBeGreaterThanOrEqual(1_000);
    });

    it('who was turned away while the account seemed to be in trouble is fed again, also if it was in none', async () => {
      const { ids } = await ledger.plannedRun(1);
      const [id = 0] = ids;
      await ledger.feeder.feed();
      const [job] = await ledger.queue.getWaiting();
      // Another worker has changed the account's state meanwhile: ours is not written.
      await ledger.query('UPDATE accounts SET version = version + 1');
      const refused = { kind: 'broken', phase: 'connect', dotSent: false, error: 'connect ECONNREFUSED' } as const;
      gate.note(refused, classify(refused));
      expect(await sender.send(id)).toEqual({ kind: 'nothing' });
      await job?.remove();
      for (; (await waiting()).length === 0; await new Promise((resolve) => setTimeout(resolve, 20)))
        if (gate.open) await ledger.feeder.feed();
      expect(await waiting()).toEqual([id]);
    });

    it('the claims of a worker that lives are left alone, however long a letter takes', async () => {
      const { ids } = await ledger.plannedRun(1);
      smtp.behave({ at: { dot: { do: 'stall' } } });
      const sending = sender.send(ids[0] ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 2_600));
      const swept = await ledger.sweeper.sweep();
      pool.dropAll();
      expect(await sending).toMatchObject({ kind: 'recorded', status: 'deferred' });
      expect(swept).toMatchObject({ takenOver: 0 });
      expect(registry.alive).toBe(true);
      expect(await ledger.attempts(ids[0] ?? 0)).toMatchObject([{ status: 'unknown' }]);
    });

    it('what the account does is in its log as soon as it is done, or it is not done', async () => {
      const { database, config } = ledger;
      const accounts = new AccountsService(database, config, silent);
      const trouble = { reason: 'auth_refused', detail: '535 no', parkAfter: 1, long: false } as const;
      const fails = `CREATE FUNCTION no_log() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';
        CREATE TRIGGER no_log BEFORE INSERT ON account_log FOR EACH ROW EXECUTE FUNCTION no_log()`;
      for (const statement of fails.split(/(?<=END';)/)) await database.affected(statement);
      try {
        await expect(accounts.trip(await accounts.read(1), trouble)).rejects.toThrow('no');
        expect(await accounts.read(1)).toMatchObject({ state: 'open' });
      } finally {
        await database.affected('DROP FUNCTION no_log CASCADE');
      }
      expect(await accounts.trip(await accounts.read(1), trouble)).toBe(true);
      expect(await accounts.read(1)).toMatchObject({ state: 'parked', reason: 'auth_refused' });
      const { items } = await accounts.history({ limit: 1 });
      expect(items).toMatchObject([{ event: 'parked', reason: 'auth_refused', detail: '535 no' }]);
    });

    it('a provider that asks for rest gets it, and the answer is written first', async () => {
      const { ids } = await ledger.plannedRun(1);
      smtp.behave({ at: { dot: { do: 'reply', text: '451 4.7.28 unusual rate of mail' } } });
      await ledger.query('ALTER TABLE domain_rests RENAME TO away');
      expect(await sender.send(ids[0] ?? 0)).toMatchObject({ kind: 'recorded', status: 'deferred' });
      expect(await ledger.delivery(ids[0] ?? 0)).toMatchObject({ status: 'deferred', attempts: 1 });
      expect(gate.rests.restMs('a@example.com')).toBeGreaterThan(0);
    });
  });
});

describe('group commit', () => {
  const write = (fails: (items: number[]) => Error | null, gatherMs = 1) => {
    const batches: number[][] = [];
    const group = new GroupCommit<number, number>(
      (items) => {
        batches.push(items);
        const error = fails(items);
        return error ? Promise.reject(error) : Promise.resolve(items.map((item) => item * 2));
      },
      { maxBatch: 10, gather: 5, gatherMs, parallel: 1, retryMs: 1, onUnavailable: () => undefined },
    );
    return { group, batches };
  };

  it('gives each its own result, in order, in batches that are never larger than allowed', async () => {
    const { group, batches } = write(() => null);
    const items = Array.from({ length: 35 }, (_, i) => i);
    expect(await Promise.all(items.map((item) => group.add(item)))).toEqual(items.map((item) => item * 2));
    expect(Math.max(...batches.map((batch) => batch.length))).toBe(10);
    expect(batches.flat()).toEqual(items);
  });

  it('waits no longer once enough are there', async () => {
    const { group, batches } = write(() => null, 10_000_000);
    const first = group.add(1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await Promise.all([first, ...[2, 3, 4, 5].map((item) => group.add(item))]);
    expect(batches).toEqual([[1, 2, 3, 4, 5]]);
  });

  it('writes again in place while the database is away', async () => {
    let away = 3;
    const { group, batches } = write(() => (away-- > 0 ? Object.assign(new Error('x'), { code: '57P01' }) : null));
    expect(await Promise.all([group.add(1), group.add(2)])).toEqual([2, 4]);
    expect(batches).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });

  it('writes nothing that was withdrawn while it waited', async () => {
    const { group, batches } = write(() => null, 20);
    const results = [1, 2, 3].map((item) => group.add(item));
    group.withdraw((item) => item === 2, -1);
    expect(await Promise.all(results)).toEqual([2, -1, 6]);
    expect(batches).toEqual([[1, 3]]);
  });

  it('lets one bad item fail alone', async () => {
    const { group } = write((items) => (items.includes(3) ? new Error('bad') : null));
    const results = await Promise.allSettled([1, 2, 3, 4].map((item) => group.add(item)));
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  });
});
