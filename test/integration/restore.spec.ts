import { Readable } from 'node:stream';
import { beginResend } from '../../src/features/runs/run-moves';
import { ReconcileService } from '../../src/features/runs/reconcile.service';
import { DeliveriesService } from '../../src/features/runs/deliveries.service';
import { writeLedger } from '../../src/features/sending/write-ledger';
import { restoredNote } from '../../src/features/mailings/restored';
import { RestoreService } from '../../src/features/scheduling/restore.service';
import { recount } from '../support/invariants';
import { Ledger, silent } from '../support/ledger';

const OPERATOR = { userId: 0, role: 'admin', via: 'cli' } as const;
const log = (text: string) => Readable.from([Buffer.from(text)]);

let ledger: Ledger;
let restore: RestoreService;
beforeEach(async () => {
  ledger = await Ledger.start({ MAIL_FROM: 'News <news@example.com>', TAKEOVER_MS: '2000' });
  restore = new RestoreService(ledger.database, silent);
});
afterEach(async () => {
  expect(await recount(ledger)).toEqual([]);
  await ledger.stop();
});

/** What a restored dump looks like from inside: the row says another database than this is. */
const dumped = (column = 'database_oid') => ledger.query(`UPDATE database_identity SET ${column} = ${column} + 1`);
const note = () => restoredNote(ledger.database, null);
const mailings = () =>
  ledger.query<{ status: string; code: string | null }>('SELECT status, status_code AS code FROM mailings ORDER BY id');
const runs = () =>
  ledger.query<{ status: string; held: boolean }>('SELECT status, paused_at IS NOT NULL AS held FROM runs ORDER BY id');

describe('a database', () => {
  it('that was never restored pauses nothing, however often processes start', async () => {
    await restore.check();
    await ledger.plannedRun(2);
    await restore.check();
    await new RestoreService(ledger.database, silent).onModuleInit();
    expect(await mailings()).toEqual([{ status: 'started', code: null }]);
    expect(await runs()).toEqual([{ status: 'sending', held: false }]);
    expect(await note()).toBeNull();
  });

  it('that is an update from a version without an identity pauses nothing', async () => {
    await ledger.plannedRun(2);
    await ledger.query('DELETE FROM database_identity');
    await restore.check();
    expect(await mailings()).toEqual([{ status: 'started', code: null }]);
    expect(await ledger.query('SELECT FROM database_identity')).toHaveLength(1);
  });

  it('that was cloned or restored before anything was started pauses nothing', async () => {
    await restore.check();
    await dumped();
    await restore.check();
    await ledger.plannedRun(1);
    await restore.check();
    expect(await mailings()).toEqual([{ status: 'started', code: null }]);
  });

  it.each(['database_oid', 'table_oid', 'system_identifier'])(
    'whose %s is another pauses all that was under way, once, whoever looks first',
    async (column) => {
      await restore.check();
      const started = await ledger.plannedRun(2);
      const paused = await ledger.plannedRun(1);
      await ledger.query(`UPDATE mailings SET status = 'paused' WHERE id = $1`, [paused.mailingId]);
      await ledger.query('UPDATE runs SET paused_at = now() WHERE id = $1', [paused.runId]);
      const done = await ledger.plannedRun(1);
      await ledger.query(`UPDATE mailings SET status = 'done', status_code = 'ended' WHERE id = $1`, [done.mailingId]);
      const planning = await ledger.run(1);
      const over = await ledger.plannedRun(1);
      await ledger.query(`UPDATE deliveries SET status = 'skipped' WHERE run_id = $1`, [over.runId]);
      await ledger.query(`UPDATE runs SET status = 'done' WHERE id = $1`, [over.runId]);
      await ledger.query(`UPDATE mailings SET status = 'done' WHERE id = $1`, [over.mailingId]);
      const test = await ledger.query<{ id: number }>(
        `INSERT INTO notices (kind, user_id, email, payload)
         VALUES ('test', 1, 'a@example.com', '{"subject": "s"}'), ('confirm', 1, 'a@example.com', '{}') RETURNING id`,
      );
      await dumped(column);
      const looks = Array.from({ length: 4 }, () => new RestoreService(ledger.database, silent).onModuleInit());
      await Promise.all(looks);

      expect(await mailings()).toEqual([
        { status: 'paused', code: 'restored' },
        { status: 'paused', code: null },
        { status: 'done', code: 'restored' },
        { status: 'paused', code: 'restored' },
        { status: 'done', code: null },
      ]);
      expect(await runs()).toEqual([
        { status: 'sending', held: true },
        { status: 'sending', held: true },
        { status: 'sending', held: true },
        { status: 'planning', held: true },
        { status: 'done', held: false },
      ]);
      expect(await writeLedger(ledger.database, await ledger.worker(), [{ claim: started.ids[0] ?? 0 }])).toEqual([
        null,
      ]);
      expect(await ledger.planner.plan(planning.runId)).toBe(false);
      expect(
        await ledger.query('SELECT status, outcome FROM notices WHERE id = ANY($1) ORDER BY id', [
          test.map(({ id }) => id),
        ]),
      ).toEqual([
        { status: 'failed', outcome: 'withdrawn' },
        { status: 'pending', outcome: null },
      ]);
      expect(await note()).toMatchObject({ mailings: 3 });
      expect(await ledger.query(`SELECT action FROM audit_log WHERE action = 'database.hold'`)).toHaveLength(1);

      // Each is let go by itself; when none is left the note goes.
      await ledger.query(`UPDATE mailings SET status_code = NULL WHERE status = 'paused'`);
      expect(await note()).toMatchObject({ mailings: 1 });
      await ledger.query(`UPDATE runs SET status = 'cancelled', reason = 'finished', paused_at = NULL WHERE id = $1`, [
        done.runId,
      ]);
      await ledger.query(`UPDATE deliveries SET status = 'cancelled' WHERE run_id = $1`, [done.runId]);
      expect(await note()).toBeNull();
    },
  );

  it('gives no id twice after it was restored', async () => {
    await restore.check();
    await ledger.plannedRun(3);
    await ledger.query(`SELECT setval(pg_get_serial_sequence('attempts', 'id'), 2500000)`);
    await dumped();
    await restore.check();
    const after = await ledger.plannedRun(3);
    expect(Math.min(after.runId, after.mailingId, ...after.ids)).toBeGreaterThan(1_000_000);
    const [attempts] = await ledger.query<{ n: number }>(
      `SELECT nextval(pg_get_serial_sequence('attempts', 'id')) AS n`,
    );
    expect(attempts?.n).toBe(5_000_001);
    const behind = await ledger.query(
      `SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND sequencename <> 'migrations_id_seq' AND coalesce(last_value, 0) < 1000000`,
    );
    expect(behind).toEqual([]);
  });

  it('is paused by hand after a backup of files, where it looks like itself', async () => {
    await restore.check();
    await ledger.plannedRun(2);
    await restore.check();
    expect(await note()).toBeNull();
    expect(await restore.pauseByHand(OPERATOR)).toEqual({ mailings: 1, runs: 1, testLetters: 0 });
    expect(await note()).toMatchObject({ mailings: 1 });
    await restore.check();
    expect(await restore.pauseByHand(OPERATOR)).toMatchObject({ mailings: 0 });
    expect(await note()).toMatchObject({ mailings: 1 });
  });

  it('does without the system identifier where the server does not tell it', async () => {
    await restore.check();
    await ledger.plannedRun(1);
    await ledger.query('UPDATE database_identity SET system_identifier = NULL');
    await restore.check();
    expect(await note()).toBeNull();
  });
});

describe('reconciling', () => {
  const reconcile = (runId: number, text: string, options = {}) =>
    new ReconcileService(ledger.database, ledger.config).reconcile(OPERATOR, runId, log(text), options);
  const deliveries = () => new DeliveriesService(ledger.database, ledger.feed, ledger.config, silent);
  const idsOf = async (runId: number) => {
    const { items } = await deliveries().listOfRun(OPERATOR, runId, { limit: 200 });
    return new Map(items.map((delivery) => [delivery.id, delivery.messageIdHeader]));
  };
  const states = async (runId: number) =>
    (
      await ledger.query<{ status: string; markedBy: number | null }>(
        'SELECT status, marked_by FROM deliveries WHERE run_id = $1 ORDER BY id',
        [runId],
      )
    ).map(({ status, markedBy }) => (markedBy === null ? status : `${status} by ${markedBy}`));

  /** A held run with a delivery in each state, twice: the log names the first of each two. */
  async function restored(withKey = true) {
    const run = await ledger.plannedRun(14);
    if (withKey) await ledger.query('UPDATE runs SET letter_key = gen_random_uuid() WHERE id = $1', [run.runId]);
    const [, , s1, s2, , , d1, d2, u1, u2, f1, f2, x1, x2] = run.ids;
    const dead = await ledger.worker(true);
    const alive = await ledger.worker();
    await writeLedger(ledger.database, dead, [{ claim: s1 ?? 0 }, { claim: s2 ?? 0 }]);
    await writeLedger(ledger.database, alive, [{ claim: run.ids[4] ?? 0 }, { claim: run.ids[5] ?? 0 }]);
    const set = (status: string, ids: unknown[], more = '') =>
      ledger.query(`UPDATE deliveries SET status = '${status}', attempts = 1 ${more} WHERE id = ANY($1)`, [ids]);
    await set('deferred', [d1, d2], `, next_attempt_at = now() + interval '1 hour'`);
    await set('unknown', [u1, u2], ', lost_replies = 2');
    await set('failed', [f1, f2], `, reason = 'user_unknown'`);
    await set('sent', [x1, x2]);
    await ledger.query(`UPDATE mailings SET status = 'paused', status_code = 'restored' WHERE id = $1`, [
      run.mailingId,
    ]);
    await ledger.query('UPDATE runs SET paused_at = now() WHERE id = $1', [run.runId]);
    const ids = await idsOf(run.runId);
    const named = run.ids.filter((_, i) => i % 2 === 0).map((id) => ids.get(id) ?? '');
    return { ...run, named };
  }

  it.each([
    ['one a line', (ids: string[]) => ids.join('\n')],
    ['without angle brackets', (ids: string[]) => ids.map((id) => id.slice(1, -1)).join('\r\n')],
    [
      'in the log of Postfix',
      (ids: string[]) => ids.map((id) => `Nov 28 18:00:01 mx postfix/cleanup[12]: 4F1A2: message-id=${id}\n`).join(''),
    ],
    [
      'in the log of Exim, each twice',
      (ids: string[]) =>
        [...ids, ...ids]
          .map((id) => `2026-11-28 18:00:01 1abc-000-AB <= a@b P=esmtp S=99 id=${id.slice(1, -1)}\n`)
          .join(''),
    ],
  ])('marks as sent what the log names, %s, and opens the rest again', async (_, text) => {
    const { runId, named } = await restored();
    const others = ['<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com>', '<20261128.42@elsewhere.example>'];
    const given = text([...named, ...others]);
    const expected = { found: 7, marked: 4, reopened: 4, notFound: 1 };
    const before = await states(runId);
    expect(await reconcile(runId, given, { dryRun: true })).toEqual(expected);
    expect(await states(runId)).toEqual(before);
    expect(await reconcile(runId, given)).toEqual(expected);
    const after = [
      ...['sent by 0', 'pending'],
      ...['sent by 0', 'pending'],
      // A worker that lives knows better.
      ...['sending', 'sending'],
      ...['sent by 0', 'pending'],
      ...['sent by 0', 'pending'],
      ...['failed', 'failed'],
      ...['sent', 'sent'],
    ];
    expect(await states(runId)).toEqual(after);
    // Again, as after a crash: nothing more.
    expect(await reconcile(runId, given)).toEqual({ ...expected, marked: 0 });
    expect(await states(runId)).toEqual(after);
    const lines = await ledger.query<{ detail: unknown }>(
      `SELECT detail FROM audit_log WHERE action = 'run.reconcile' AND object_id = $1 ORDER BY id`,
      [runId],
    );
    expect(lines[0]).toEqual({ detail: { marked: 4, reopened: 4 } });
    expect(await ledger.query('SELECT FROM accepted_letters')).toEqual([]);
  });

  it('knows the Message-IDs of runs that an older version made', async () => {
    const { runId, named } = await restored(false);
    expect(await reconcile(runId, named.join('\n'))).toMatchObject({ found: 7, marked: 4, reopened: 4 });
  });

  it('is not disturbed by where the pieces of a log end', async () => {
    const { runId, named } = await restored();
    const pieces = [...named.map((id) => `x message-id=${id}\n`).join('')];
    const service = new ReconcileService(ledger.database, ledger.config);
    const reconciled = await service.reconcile(
      OPERATOR,
      runId,
      Readable.from(pieces.map((piece) => Buffer.from(piece))),
    );
    expect(reconciled).toMatchObject({ found: 7, notFound: 0 });
  });

  it('finds who got the letter before the backup had their deliveries: planning leaves them out', async () => {
    const run = await ledger.run(6);
    await ledger.query(
      `UPDATE runs SET letter_key = gen_random_uuid(), sender = 'News <news@example.com>', paused_at = now() WHERE id = $1`,
      [run.runId],
    );
    await ledger.query(`UPDATE mailings SET status = 'paused', status_code = 'restored' WHERE id = $1`, [
      run.mailingId,
    ]);
    // What was planned and sent after the backup.
    await ledger.query('UPDATE runs SET paused_at = NULL WHERE id = $1', [run.runId]);
    await ledger.planner.plan(run.runId);
    const named = [...(await idsOf(run.runId)).values()].slice(0, 3);
    await ledger.query('DELETE FROM deliveries WHERE run_id = $1', [run.runId]);
    await ledger.query('DELETE FROM run_counts WHERE run_id = $1', [run.runId]);
    await ledger.query(
      `UPDATE runs SET paused_at = now(), status = 'planning', plan_cursor = 0, planned_at = NULL WHERE id = $1`,
      [run.runId],
    );
    expect(await reconcile(run.runId, named.join('\n'), { dryRun: true })).toEqual({
      found: 3,
      marked: 3,
      reopened: 0,
      notFound: 0,
    });
    expect(await states(run.runId)).toEqual([]);
    expect(await reconcile(run.runId, named.join('\n'))).toMatchObject({ found: 3, marked: 3 });
    await ledger.query('UPDATE runs SET paused_at = NULL WHERE id = $1', [run.runId]);
    expect(await ledger.planner.plan(run.runId)).toBe(true);
    expect((await states(run.runId)).sort()).toEqual([
      ...Array.from({ length: 3 }, () => 'pending'),
      ...Array.from({ length: 3 }, () => 'sent by 0'),
    ]);
  });

  it('opens a run again that was done, held until its mailing is resumed, which stays done', async () => {
    const { runId, mailingId, ids } = await ledger.plannedRun(3);
    await ledger.query(`UPDATE deliveries SET status = 'unknown', attempts = 1, lost_replies = 2 WHERE id = ANY($1)`, [
      ids,
    ]);
    await ledger.query(`UPDATE runs SET status = 'done', finished_at = now() WHERE id = $1`, [runId]);
    await ledger.query(`UPDATE mailings SET status = 'done' WHERE id = $1`, [mailingId]);
    const named = [...(await idsOf(runId)).values()].slice(0, 1);
    expect(await reconcile(runId, named.join('\n'))).toMatchObject({ found: 1, marked: 1, reopened: 2 });
    expect(await runs()).toEqual([{ status: 'sending', held: true }]);
    expect(await mailings()).toEqual([{ status: 'done', code: 'restored' }]);
    expect(await note()).toMatchObject({ mailings: 1 });
  });

  it('leaves alone who was sent to again by another run, which is compared by itself', async () => {
    const { runId, mailingId, ids } = await ledger.plannedRun(2);
    await ledger.query(`UPDATE deliveries SET status = 'unknown', attempts = 1, lost_replies = 2 WHERE id = ANY($1)`, [
      ids,
    ]);
    await ledger.query(`UPDATE runs SET status = 'done', finished_at = now() WHERE id = $1`, [runId]);
    const again = await ledger.database.transaction((tx) => beginResend(tx, runId));
    await ledger.planner.plan(again);
    await ledger.query(`UPDATE mailings SET status = 'paused', status_code = 'restored' WHERE id = $1`, [mailingId]);
    await ledger.query('UPDATE runs SET paused_at = now() WHERE id = $1', [again]);
    const [accepted = ''] = (await idsOf(again)).values();
    expect(await reconcile(again, accepted)).toMatchObject({ marked: 1, reopened: 1 });
    expect(await reconcile(runId, accepted)).toEqual({ found: 0, marked: 0, reopened: 0, notFound: 1 });
    expect(await states(again)).toEqual(['sent by 0', 'pending']);
    expect(await states(runId)).toEqual(['unknown', 'unknown']);
  });

  it('is refused for a run that is not held, that is not there, and with a log that names nothing', async () => {
    const { runId } = await ledger.plannedRun(1);
    const [id = ''] = (await idsOf(runId)).values();
    await expect(reconcile(runId, id)).rejects.toMatchObject({ code: 'RUN_NOT_HELD' });
    await expect(reconcile(runId + 1, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await ledger.query('UPDATE runs SET paused_at = now()');
    await expect(reconcile(runId, 'nothing of ours <20261128.42@elsewhere.example>')).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect(await states(runId)).toEqual(['pending']);
  });
});
