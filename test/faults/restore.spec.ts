import { setTimeout as sleep } from 'node:timers/promises';
import { copyFiles, dump, restoreDump, restoreFiles, stopAll } from '../support/backups';
import { CALM, FaultRig, inTurn } from '../support/fault-rig';
import { recount } from '../support/invariants';
import { cli } from '../support/service';
import { readJournal } from '../support/smtp-server';

const LETTERS = 300;
const SLOW = { ...CALM, RATE_LIMIT_PER_SECOND: '60' };
/** A few sweeps, ticks and turns of the feeder. */
const A_WHILE_MS = 4_000;

const sometimes = inTurn(5, 3);

describe('a restored database', () => {
  let rig: FaultRig;

  beforeAll(async () => {
    rig = await FaultRig.start();
  });

  afterAll(async () => {
    await rig?.stop();
  });

  const accepted = () => readJournal(rig.journal).filter((line) => line.verdict === 'accepted');
  const command = async (args: string[], input = '') => {
    const { code, out, err } = await cli(rig.env(), [...args, '--json'], input);
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${err}`);
    return JSON.parse(out) as Record<string, unknown>;
  };
  const startAll = async (env: Record<string, string> = {}) => {
    await rig.flushRedis();
    await rig.startApi();
    return rig.startWorkers(2, { ...SLOW, ...env });
  };

  /** A backup in the middle of a run, which goes on for a while afterwards. */
  async function backedUp(backup: (rig: FaultRig) => Promise<void>) {
    await rig.reset();
    await rig.startWorkers(2, SLOW);
    const mailing = await rig.mailing(Array.from({ length: LETTERS }, () => 'ok-'));
    const run = await rig.send(mailing);
    await rig.accepted(60);
    await stopAll(rig);
    await backup(rig);
    const atBackup = accepted().length;
    await startAll();
    await rig.accepted(atBackup + 100);
    await stopAll(rig);
    expect(accepted().length).toBeLessThan(LETTERS);
    return { mailing, run, atBackup };
  }

  /** Everything says `restored`, and nothing goes out. */
  async function isHeld(mailing: number) {
    const before = accepted().length;
    await sleep(A_WHILE_MS);
    expect(accepted()).toHaveLength(before);
    expect((await rig.call('GET', `/mailings/${mailing}`)).body).toMatchObject({
      status: 'paused',
      statusReason: { code: 'restored', by: null },
    });
    expect((await rig.call('GET', '/statistics')).body).toMatchObject({ restored: { mailings: 1 } });
    const ready = await fetch(`${rig.api.url}/api/v1/health/ready`);
    expect(ready.status).toBe(200);
    expect(((await ready.json()) as { degraded: string[] }).degraded).toContain('restored');
    expect((await command(['status'])).restored).toMatchObject({ mailings: 1 });
  }

  /** The log closes the gap, the mailing is resumed, and everybody has one letter. */
  async function isCompleted({ mailing, run, atBackup }: { mailing: number; run: number; atBackup: number }) {
    const log = accepted().map((line) => `Nov 28 18:00:00 mx postfix/cleanup[1]: 4F1: message-id=${line.messageId}\n`);
    const reconciled = await command(['reconcile', '--run', `${run}`, '--accepted', '-'], log.join(''));
    expect(reconciled).toMatchObject({
      found: log.length,
      marked: log.length - atBackup,
      reopened: LETTERS - log.length,
      notFound: 0,
    });
    const resumed = await rig.call('POST', `/mailings/${mailing}/resume`);
    expect([resumed.status, resumed.body]).toMatchObject([200, { status: 'started' }]);
    await rig.quiet(60_000);
    const got = accepted().map((line) => line.rcpt);
    expect(new Set(got).size).toBe(LETTERS);
    expect(got).toHaveLength(LETTERS);
    expect(await rig.counts(run)).toEqual({ sent: LETTERS });
    expect(await rig.query('SELECT count(*)::int AS n FROM deliveries WHERE marked_by = 0')).toEqual([
      { n: log.length - atBackup },
    ]);
    expect(await recount(rig)).toEqual([]);
    expect((await rig.call('GET', '/statistics')).body).toMatchObject({ restored: null });
    expect((await command(['status'])).restored).toBeNull();
  }

  sometimes(
    'from a dump is noticed: all is paused until it is reconciled and resumed; nobody gets two letters, nobody none',
    async () => {
      const run = await backedUp(dump);
      await restoreDump(rig);
      const workers = await startAll();
      // The first that started, before any other, and none else.
      const noticed = [rig.api, ...workers].filter((program) => program.log.includes('"database.restored"'));
      expect(noticed.map(({ name }) => name)).toEqual([rig.api.name]);
      await isHeld(run.mailing);
      await isCompleted(run);
    },
  );

  sometimes('from a copy of the files is paused by hand, with the same end', async () => {
    const run = await backedUp(copyFiles);
    await restoreFiles(rig);
    expect(await command(['hold', '--restored'])).toMatchObject({ mailings: 1 });
    await startAll();
    await isHeld(run.mailing);
    await isCompleted(run);
  });

  sometimes('is noticed by workers that lived through the restore', async () => {
    await rig.reset();
    // Nobody listens: what is planned stays planned.
    const [worker] = await rig.startWorkers(1, { SMTP_URL: 'smtp://127.0.0.1:1' });
    const mailing = await rig.mailing(['ok-', 'ok-']);
    await rig.send(mailing);
    await rig.query(`UPDATE database_identity SET database_oid = database_oid + 1`);
    await worker?.says(/"database.restored"/);
    expect((await rig.call('GET', `/mailings/${mailing}`)).body).toMatchObject({ status: 'paused' });
  });

  sometimes('pauses the run of a mailing that is done, which is resumed, and stays done', async () => {
    await rig.reset();
    await rig.startWorkers(1, CALM);
    const mailing = await rig.mailing(['ok-', 'fail550-']);
    const run = await rig.send(mailing);
    await rig.quiet(30_000);
    await rig.eventually(
      async () => (await rig.call<{ status: string }>('GET', `/mailings/${mailing}`)).body.status === 'done',
    );
    await stopAll(rig);
    await rig.startApi();
    const again = await rig.call<{ runId: number }>('POST', `/runs/${run}/resend-failed`);
    expect(again.status).toBe(202);
    expect(await command(['hold', '--restored'])).toMatchObject({ mailings: 1 });
    const before = readJournal(rig.journal).length;
    await rig.startWorkers(1, CALM);
    await sleep(A_WHILE_MS);
    expect(readJournal(rig.journal)).toHaveLength(before);
    expect((await rig.call('GET', `/mailings/${mailing}`)).body).toMatchObject({
      status: 'done',
      statusReason: { code: 'restored' },
    });
    const resumed = await rig.call('POST', `/mailings/${mailing}/resume`);
    expect([resumed.status, resumed.body]).toMatchObject([200, { status: 'done', statusReason: null }]);
    await rig.quiet(30_000);
    expect(await rig.counts(again.body.runId)).toEqual({ failed: 1 });
    expect((await rig.call('POST', `/mailings/${mailing}/resume`)).status).toBe(409);
  });

  sometimes('is not what wrong use of the commands makes of it', async () => {
    await rig.reset();
    expect((await cli(rig.env(), ['hold'])).code).toBe(2);
    expect((await cli(rig.env(), ['reconcile', '--run', 'abc', '--accepted', '-'])).code).toBe(2);
    const missing = await cli(rig.env(), ['reconcile', '--run', '1', '--accepted', '/nowhere/mail.log']);
    expect(missing.code).toBe(1);
    const mailing = await rig.mailing(['ok-']);
    const run = await rig.send(mailing);
    const refused = await cli(rig.env(), ['reconcile', '--run', `${run}`, '--accepted', '-', '--json'], '<a@b>');
    expect([refused.code, JSON.parse(refused.out)]).toMatchObject([1, { error: 'RUN_NOT_HELD' }]);
  });
});
