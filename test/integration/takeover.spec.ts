import { writeLedger } from '../../src/features/deliveries/ledger';
import { eventually } from '../support/service';
import { Ledger } from '../support/ledger';

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
