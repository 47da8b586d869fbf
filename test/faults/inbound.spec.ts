import type { LinkKey } from '../../src/domain/address-token';
import { returnTokenWriter } from '../../src/domain/bounce-address';
import { FaultRig } from '../support/fault-rig';
import { dsn } from '../support/inbound-letters';

/** A letter that came back is judged, and what follows from it happens, once, whoever dies meanwhile. */

jest.setTimeout(300_000);

const SETTINGS = { BOUNCE_ADDRESS: 'b@news.example.org' };

let rig: FaultRig;

beforeAll(async () => {
  rig = await FaultRig.start();
});
afterAll(() => rig?.stop());

/** A letter that was sent, and the addresses to which it comes back. */
async function sent() {
  await rig.reset({}, SETTINGS);
  const worker = await rig.startWorker(SETTINGS);
  const runId = await rig.send(await rig.mailing(['ok-']));
  await rig.quiet(10_000);
  await worker.kill();
  const [letter] = await rig.query<{ id: string; email: string }>(
    'SELECT id, email FROM deliveries WHERE run_id = $1',
    [runId],
  );
  const [key] = await rig.query<LinkKey>('SELECT id, secret FROM link_keys ORDER BY id DESC LIMIT 1');
  const tokens = returnTokenWriter(key!)(Number(letter!.id));
  return {
    email: letter!.email,
    bounce: `b+${tokens.bounce}@news.example.org`,
    unsubscribe: `b+${tokens.unsubscribe}@news.example.org`,
  };
}

async function handIn(raw: Buffer, to: string, from = ''): Promise<number> {
  const response = await fetch(
    `${rig.api.url}/api/v1/inbound?to=${encodeURIComponent(to)}&from=${encodeURIComponent(from)}`,
    { method: 'POST', headers: { ...rig.bearer(), 'content-type': 'message/rfc822' }, body: new Uint8Array(raw) },
  );
  expect(response.status).toBe(202);
  return ((await response.json()) as { id: number }).id;
}

const isJudged = async (id: number) =>
  (await rig.query('SELECT FROM inbound_letters WHERE id = $1 AND judged_at IS NOT NULL', [id])).length === 1;
const events = async () =>
  (await rig.query<{ kind: string }>('SELECT kind FROM delivery_events ORDER BY id')).map(({ kind }) => kind);
const suppressions = async () =>
  (await rig.query<{ reason: string }>('SELECT reason FROM suppressions ORDER BY id')).map(({ reason }) => reason);

it.each([
  ['a report', 'bounced', 'hard_bounce', []],
  // It is carried out before the letter counts as judged.
  ['a wish to unsubscribe', 'unsubscribed', 'unsubscribed', ['unsubscribed']],
])('%s whose judge dies is judged by another worker', async (what, event, reason, before) => {
  const letter = await sent();
  const id =
    what === 'a report'
      ? await handIn(dsn({ final: `rfc822; ${letter.email}`, status: '5.1.1' }), letter.bounce)
      : await handIn(Buffer.from(`From: ${letter.email}\r\n\r\nunsubscribe`), letter.unsubscribe, letter.email);
  const dies = await rig.startWorker({ ...SETTINGS, GONETS_FAILPOINT: 'inbound-decided' }, false);
  await dies.ends();
  expect(dies.log).toContain('failpoint inbound-decided');
  expect([await isJudged(id), await events()]).toEqual([false, before]);
  await rig.startWorker(SETTINGS);
  await rig.eventually(() => isJudged(id), 10_000, 'judging');
  expect([await events(), await suppressions()]).toEqual([[event], [reason]]);
});

it('a letter that is taken while Redis is away is found by the sweep', async () => {
  const letter = await sent();
  await rig.redis.kill();
  const id = await handIn(dsn({ final: `rfc822; ${letter.email}`, status: '5.1.1' }), letter.bounce);
  // Nobody is left who would enqueue it later.
  await rig.api.kill();
  await rig.redis.start();
  await rig.flushRedis();
  await rig.startWorker(SETTINGS);
  await rig.eventually(() => isJudged(id), 10_000, 'judging');
  expect([await events(), await suppressions()]).toEqual([['bounced'], ['hard_bounce']]);
});
