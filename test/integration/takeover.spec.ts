import { loadConfig } from '../../src/config/config';
import { writeLedger } from '../../src/features/sending/write-ledger';
import { WorkerRegistry } from '../../src/features/ledger/worker-registry.service';
import { WorkerLife } from '../../src/worker/worker-life.service';
import { createTestService, eventually } from '../support/service';
import { Ledger, silent } from '../support/ledger';
import { makeWorker } from '../support/worker';

let ledger: Ledger;
beforeAll(async () => (ledger = await Ledger.start()));
afterAll(() => ledger.stop());

it("a dead worker's claim that is taken over while its run is being closed waits for no further try", async () => {
  const { ids, mailingId } = await ledger.plannedRun(1);
  const id = ids[0] ?? 0;
  const dead = await ledger.worker(true);
  await writeLedger(ledger.database, dead, [{ claim: id }]);
  let sweeping: Promise<unknown> = Promise.resolve();
  await ledger.database.transaction(async (tx) => {
    await ledger.runs.close(tx, mailingId, 'finished');
    sweeping = ledger.sweeper.sweep();
    await eventually(
      async () =>
        (
          await ledger.query(
            `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%dead AS%' AND pid <> pg_backend_pid()`,
          )
        ).length > 0,
      'the sweep waiting for the run',
      5_000,
    );
  });
  await sweeping;
  expect(await ledger.delivery(id)).toMatchObject({ status: 'unknown', waits: false, lostReplies: 1 });
});

it('a worker whose heartbeats all come through at once after a silence drops what it held', async () => {
  const config = { ...ledger.config, heartbeatMs: 100, takeoverMs: 1_000 };
  const registry = new WorkerRegistry(ledger.database, config, silent);
  await registry.register();
  let dropped = 0;
  registry.onFenced(() => dropped++);
  const { epoch } = registry;
  try {
    await ledger.database.transaction(async (tx) => {
      await tx.rows('SELECT FROM workers WHERE id = $1 FOR UPDATE', [registry.id]);
      await eventually(() => Promise.resolve(!registry.alive), 'silence', 10_000);
    });
    await eventually(() => Promise.resolve(registry.alive), 'a heartbeat', 10_000);
    expect(dropped).toBeGreaterThan(0);
    expect(registry.epoch).toBeGreaterThan(epoch);
  } finally {
    await registry.stop();
  }
});

it('a worker that is stopped before it is registered stops without trouble', async () => {
  const service = await createTestService();
  const worker = await makeWorker(loadConfig(service.env));
  try {
    await worker.get(WorkerLife).beforeApplicationShutdown();
  } finally {
    await worker.close();
    await service.drop();
  }
});
