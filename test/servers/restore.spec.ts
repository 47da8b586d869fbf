import { setTimeout as sleep } from 'node:timers/promises';
import { stopAll } from '../support/backups';
import { DebianPostgres } from '../support/debian-postgres';
import { CALM, FaultRig } from '../support/fault-rig';
import { recount } from '../support/invariants';
import { cli } from '../support/service';
import { readJournal } from '../support/smtp-server';

const LETTERS = 300;
const SLOW = { ...CALM, RATE_LIMIT_PER_SECOND: '60' };

/** Needs Debian's postgresql-15: pg_dump of a database that is at work, and pg_restore. */
it('a dump taken in the middle of a run, restored after more was sent: nobody gets two letters, nobody none', async () => {
  let postgres: DebianPostgres | undefined;
  const rig = await FaultRig.start({
    provide: async ({ dataDir }) => (postgres = await DebianPostgres.create(dataDir)),
  });
  const accepted = () => readJournal(rig.journal).filter((line) => line.verdict === 'accepted');
  try {
    await rig.reset();
    await rig.startWorkers(2, SLOW);
    const mailing = await rig.mailing(Array.from({ length: LETTERS }, () => 'ok-'));
    const run = await rig.send(mailing);
    await rig.accepted(60);
    postgres?.dump();
    const atDump = accepted().length;
    await rig.accepted(atDump + 80);
    await stopAll(rig);
    const sent = accepted().length;
    expect(sent).toBeLessThan(LETTERS);

    postgres?.restore();
    await rig.flushRedis();
    await rig.startApi();
    await rig.startWorkers(2, SLOW);
    await sleep(4_000);
    expect(accepted()).toHaveLength(sent);
    expect((await rig.call('GET', `/mailings/${mailing}`)).body).toMatchObject({
      status: 'paused',
      statusReason: { code: 'restored' },
    });
    const log = accepted().map((line) => `4F1A2: message-id=${line.messageId}\n`);
    const { code, out, err } = await cli(
      rig.env(),
      ['reconcile', '--run', String(run), '--accepted', '-', '--json'],
      log.join(''),
    );
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ found: sent, reopened: LETTERS - sent, notFound: 0 });
    expect((await rig.call('POST', `/mailings/${mailing}/resume`)).status).toBe(200);
    await rig.quiet(60_000);
    const got = accepted().map((line) => line.rcpt);
    expect([got.length, new Set(got).size]).toEqual([LETTERS, LETTERS]);
    expect(await rig.counts(run)).toEqual({ sent: LETTERS });
    expect(await recount(rig)).toEqual([]);
  } finally {
    await rig.stop();
  }
});
