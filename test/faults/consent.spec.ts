import { setTimeout as sleep } from 'node:timers/promises';
import { addressHash, type LinkKey, tokenWriter } from '../../src/domain/address-token';
import { CALM, FaultRig, someOf } from '../support/fault-rig';
import { checkInvariants } from '../support/invariants';
import { readJournal } from '../support/smtp-server';

jest.setTimeout(600_000);

const long = Boolean(process.env.FAULT_MINUTES);
const letters = (n: number, local = 'ok-') => Array.from({ length: n }, () => local);
const ONE_CLICK = {
  method: 'POST',
  body: 'List-Unsubscribe=One-Click',
  headers: {
    'content-type': 'application/x-www-form-urlencoded',
    origin: 'https://mail.example',
    'sec-fetch-site': 'cross-site',
  },
};

/** Slow enough that most of those who leave do so before it is their turn. */
const SLOW = { RATE_LIMIT_PER_SECOND: '25' };

describe('people leave while their letters go out, and addresses end', () => {
  let rig: FaultRig;

  beforeAll(async () => {
    rig = await FaultRig.start();
  });

  afterAll(async () => {
    await rig?.stop();
  });

  interface Letter {
    id: number;
    email: string;
    link: string;
  }

  /** The links of all letters of a run, as they stand or would stand in them. */
  async function links(runId: number): Promise<Letter[]> {
    const [key] = await rig.query<LinkKey>('SELECT id, secret FROM link_keys ORDER BY id DESC LIMIT 1');
    const [pepper] = await rig.query<{ secret: Buffer }>('SELECT secret FROM address_pepper');
    const rows = await rig.query<{ id: string; email: string; owner: string; mailing: string }>(
      `SELECT d.id, d.email, r.owner_id AS owner, r.mailing_id AS mailing
         FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.run_id = $1 ORDER BY d.id`,
      [runId],
    );
    const write = tokenWriter(key!, {
      kind: 'unsubscribe',
      ownerId: Number(rows[0]!.owner),
      mailingId: Number(rows[0]!.mailing),
    });
    return rows.map(({ id, email }) => ({
      id: Number(id),
      email,
      link: `/u/${write(Number(id), addressHash(pepper!.secret, email))}`,
    }));
  }

  const planned = (runId: number) =>
    rig.eventually(async () => {
      const [run] = await rig.query<{ status: string }>('SELECT status FROM runs WHERE id = $1', [runId]);
      return run?.status === 'sending';
    });

  /** The mailing does not end with its first run. */
  const keepsGoing = (mailing: number) =>
    rig.query(
      `UPDATE mailings SET status = 'started', period = 'daily', start_at = now() + interval '1 day' WHERE id = $1`,
      [mailing],
    );
  const leave = (link: string) => fetch(`${rig.api.url}${link}`, ONE_CLICK);
  const state = async (id: number) => {
    const [row] = await rig.query<{ status: string; reason: string | null; claimed: boolean }>(
      'SELECT status, reason, claimed_by IS NOT NULL AS claimed FROM deliveries WHERE id = $1',
      [id],
    );
    return row!;
  };
  /** Every accepted letter to these addresses, with the time at which its last reply was given. */
  const acceptedAt = () =>
    new Map(
      readJournal(rig.journal)
        .filter(({ verdict }) => verdict === 'accepted')
        .map(({ rcpt, ts }) => [rcpt.toLowerCase(), ts]),
    );

  const DISTURBED: [string, () => Promise<unknown>][] = [
    ['while all is well', () => Promise.resolve()],
    ['and Redis loses everything', () => rig.flushRedis()],
    [
      'and every process is killed and started again',
      async () => {
        await rig.killAll();
        await rig.startApi();
        await rig.startWorkers(2, SLOW);
      },
    ],
    ['and sessions at the database end', () => rig.terminateSessions()],
  ];
  it.each(someOf(DISTURBED, 2))(
    'nobody gets a letter that was not claimed when they had their answer, %s',
    async (_how, disturb) => {
      await rig.reset();
      const [clients, leavers] = long ? [2_000, 500] : [240, 60];
      await rig.startWorkers(2, SLOW);
      const runId = await rig.send(await rig.mailing(letters(clients)));
      await planned(runId);
      await rig.accepted(20);
      const leaving = (await links(runId)).slice(-leavers);
      /** Those of whom the ledger said, after the answer, that they had been claimed before. */
      const claimedBefore = new Set<string>();
      let left = 0;
      const disturbing = (async () => {
        while (left < leavers / 3) await sleep(5);
        await disturb();
      })();
      for (const { id, email, link } of leaving) {
        // A mail program tries again until it has its answer.
        for (;;) {
          const answer = await leave(link).catch(() => null);
          if (answer?.status === 200) break;
          expect([null, 503]).toContain(answer?.status ?? null);
          await sleep(50);
        }
        left++;
        const after = await rig.eventually(async () => (await state(id)) !== undefined).then(() => state(id));
        if (after.status !== 'skipped') claimedBefore.add(email.toLowerCase());
      }
      await disturbing;
      await rig.quiet(60_000);
      const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: clients });
      rig.note(`people leave ${_how}`, measured, 0);
      const accepted = acceptedAt();
      for (const { id, email } of leaving) {
        const { status, reason } = await state(id);
        if (accepted.has(email.toLowerCase())) expect(claimedBefore).toContain(email.toLowerCase());
        else expect([email, status, reason]).toEqual([email, 'skipped', 'unsubscribed']);
      }
      expect(claimedBefore.size).toBeLessThan(leavers / 2);
      const { body } = await rig.call<{ counts: Record<string, number>; after: object; skippedBy: object }>(
        'GET',
        `/runs/${runId}`,
      );
      expect(body.after).toMatchObject({ unsubscribed: leavers });
      expect(body.skippedBy).toEqual({ unsubscribed: body.counts.skipped });
    },
  );

  it('an API that is killed between the commit and its answer has taken the word', async () => {
    await rig.reset({}, { GONETS_FAILPOINT: 'unsubscribed' });
    const runId = await rig.send(await rig.mailing(letters(5)));
    const [worker] = await rig.startWorkers(1, { RATE_LIMIT_PER_SECOND: '1' });
    await planned(runId);
    const last = (await links(runId)).at(-1)!;
    await expect(leave(last.link)).rejects.toThrow();
    expect(rig.api.log).toContain('failpoint unsubscribed');
    await rig.startApi();
    await rig.quiet(60_000);
    expect(await state(last.id)).toMatchObject({ status: 'skipped', reason: 'unsubscribed' });
    expect(acceptedAt().has(last.email.toLowerCase())).toBe(false);
    expect((await leave(last.link)).status).toBe(200);
    await worker?.kill();
  });

  it('of a paused run and of one whose letters wait for another try nobody gets one who has left', async () => {
    await rig.reset();
    await rig.startWorkers(1, { ...CALM, RETRY_DELAYS_MS: '8000,8000' });
    const mailing = await rig.mailing([...letters(20, 'defer1-'), ...letters(20)]);
    await keepsGoing(mailing);
    const runId = await rig.send(mailing);
    await planned(runId);
    const isOpen = async () => (await rig.counts(runId)).pending || (await rig.counts(runId)).sending;
    await rig.eventually(async () => !(await isOpen()), 20_000, 'all are sent or deferred');
    expect((await rig.call('POST', `/mailings/${mailing}/pause`)).status).toBe(200);
    const waiting: Letter[] = [];
    for (const letter of await links(runId)) if ((await state(letter.id)).status === 'deferred') waiting.push(letter);
    expect(waiting.length).toBeGreaterThan(9);
    const leaving = waiting.slice(0, 10);
    for (const { link } of leaving) expect((await leave(link)).status).toBe(200);
    for (const { id } of leaving) expect(await state(id)).toMatchObject({ status: 'skipped', reason: 'unsubscribed' });
    expect((await rig.call('POST', `/mailings/${mailing}/resume`)).status).toBe(200);
    await rig.quiet(60_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 40 });
    expect(measured.states).toEqual({ sent: 30, skipped: 10 });
  });

  it('a provider that refuses two thirds of its addresses for a while loses none; later all get their letters', async () => {
    await rig.reset();
    await rig.startWorkers(2, CALM);
    const mailing = await rig.mailing(letters(300));
    await keepsGoing(mailing);
    const first = await rig.send(mailing);
    await rig.accepted(100);
    await rig.smtp.behave({ at: { rcpt: { do: 'reply', text: '550 5.1.1 No such user' } } });
    await rig.quiet(60_000);
    const { failed = 0 } = await rig.counts(first);
    expect(failed).toBeGreaterThan(160);
    const inForce = async () => (await rig.call<{ items: object[] }>('GET', '/suppressions')).body.items;
    await rig.eventually(async () => (await inForce()).length === 0, 20_000, 'none is suppressed');
    const { body: asked } = await rig.call<{ items: { id: number; domain: string; lifted: number }[] }>(
      'GET',
      '/suppressions/batches',
    );
    expect(asked.items).toMatchObject([{ domain: 'client.example', lifted: failed, decision: null }]);
    await rig.smtp.behave({ at: {} });
    const second = await rig.send(mailing);
    await rig.quiet(60_000);
    expect(await rig.counts(second)).toEqual({ sent: 300 });
    // Somebody says that those addresses are really gone, and then that they are not.
    const batch = asked.items[0]!.id;
    const confirmed = await rig.call<{ suppressed: number }>('POST', `/suppressions/batches/${batch}/suppress`);
    expect(confirmed.body).toEqual({ suppressed: failed });
    const third = await rig.send(mailing);
    await rig.quiet(60_000);
    expect(await rig.counts(third)).toEqual({ sent: 300 - failed, skipped: failed });
    const undone = await rig.call<{ lifted: number }>('POST', '/suppressions/undo', { batchId: batch });
    expect(undone.body).toEqual({ lifted: failed });
    await checkInvariants(rig, { deathsAfterDot: false, deliveries: 900 });
  });
});
