import { Outages } from '../../src/features/consent/outages.service';
import { InboundJudge } from '../../src/features/inbound/inbound-judge.service';
import { eraseLetters } from '../../src/features/ledger/erasure';
import { InboundLetters } from '../../src/features/inbound/inbound-letters.service';
import { ReturnWatch } from '../../src/features/scheduling/return-watch.service';
import { type Person, startApi, type TestApi } from '../support/api';
import { exampleLetter, examples, type InboundCase } from '../support/inbound-cases';
import { about, INBOUND_SETTINGS, type SentLetter, sentTo } from '../support/inbound-rig';
import { dsn, type Report } from '../support/inbound-letters';
import { eventually } from '../support/service';

/** Letters that come back by REST: what each is, and what follows from it, once. */

let api: TestApi;
let admin: Person;
let owner: Person;

beforeAll(async () => {
  api = await startApi(INBOUND_SETTINGS);
  admin = await api.person('admin');
  owner = await api.person();
});
afterAll(() => api?.close());

const query = <T>(sql: string, params: unknown[] = []) => api.database.rows<T>(sql, params);

async function handIn(raw: string | Buffer, to: string, from = '', token = admin.token): Promise<number> {
  const path = `/api/v1/inbound?to=${encodeURIComponent(to)}&from=${encodeURIComponent(from)}`;
  const body = typeof raw === 'string' ? raw : raw.toString('latin1');
  const answer = await api.call('POST', path, { token, body, headers: { 'content-type': 'message/rfc822' } });
  expect(answer.status).toBe(202);
  return answer.body.id;
}
const judge = (id: number) => api.app.get(InboundJudge, { strict: false }).judge(id);
const watch = () => api.app.get(ReturnWatch, { strict: false });
const handInReport = (letter: SentLetter, of: Report) =>
  handIn(dsn({ final: `rfc822; ${letter.email}`, ...of }), letter.returnPair.bounce);
/** Hands in a report about a letter, and judges it as a worker does. */
async function report(letter: SentLetter, of: Report) {
  const judged = await judge(await handInReport(letter, of));
  watch().note(judged!.mailingId!, judged!.verdict);
}
/** Of the mailing of these letters. */
async function stateOf([letter]: SentLetter[]) {
  const [state] = await query<{ status: string; code: string | null; text: string | null }>(
    'SELECT status, status_code AS code, status_text AS text FROM mailings WHERE id = $1',
    [letter!.mailingId],
  );
  return state!;
}
const events = (letter: SentLetter) =>
  query<{ kind: string; reason: string; blame: string | null }>(
    'SELECT kind, reason, blame FROM delivery_events WHERE delivery_id = $1 ORDER BY id',
    [letter.deliveryId],
  );
const suppressed = (email: string) =>
  query<{ reason: string; source: string; ownerId: number | null; listedFor: number; expires: boolean }>(
    `SELECT reason, source, owner_id, listed_for, expires_at IS NOT NULL AS expires FROM suppressions
      WHERE email_key = lower($1) AND lifted_at IS NULL ORDER BY id`,
    [email],
  );

const COMPLAINT = { type: 'message/feedback-report', status_part: 'Feedback-Type: abuse\r\n' };
const OUR_FAULT = { status: '5.7.1', diagnostic: 'smtp; 554 5.7.1 blocked using zen.example' };

const EVENT: Record<string, string | undefined> = {
  hard: 'bounced',
  soft: 'soft_bounced',
  complaint: 'complained',
  unsubscribe: 'unsubscribed',
  'auto-reply': 'auto_replied',
};

describe('the examples', () => {
  it.each(examples.cases.map((each, i) => [each.file, each, i] as const))('%s', async (_, of, i) => {
    const email = of.file.startsWith('39') ? of.address : `anna.k${i}@client.example`;
    const [letter] = (await sentTo(api, owner.id, [email])) as [SentLetter];
    // As latin1: bytes as they are, whatever the charset.
    const raw = about(letter, exampleLetter(of.file).toString('latin1'));
    const to = about(letter, of.envelopeTo);
    const from = about(letter, of.envelopeFrom);
    const id = await handInBytes(raw, to, from);
    expect(await handInBytes(raw, to, from)).toBe(id);
    await judge(id);
    expect(await judge(id)).toBeNull();
    const { body } = await api.call('GET', `/api/v1/inbound/${id}`, { token: admin.token });
    expect(body).toMatchObject({ kind: of.kind, reason: of.reason, enhancedCode: of.enhanced, blame: of.blame });
    expect(body.matchBy).toBe(of.matchBy);
    expect(body.deliveryId).toBe(of.matchBy ? letter.deliveryId : null);
    if (of.address !== 'stranger@other.example' && of.reason !== 'dmarc_report')
      expect(body.address).toBe(about(letter, of.address));
    await expectEffects(of, letter);
  });

  async function expectEffects(of: InboundCase, letter: SentLetter) {
    const kind = EVENT[of.kind] ?? (of.reason === 'delayed' ? 'delayed' : undefined);
    expect((await events(letter)).map((event) => event.kind)).toEqual(kind ? [kind] : []);
    expect((await suppressed(letter.email)).map(({ reason }) => reason)).toEqual(of.suppress ? [of.suppress] : []);
    // Its status stays, and the run counts it.
    expect(await query('SELECT status FROM deliveries WHERE id = $1', [letter.deliveryId])).toEqual([
      { status: 'sent' },
    ]);
    const run = await api.call('GET', `/api/v1/runs/${letter.runId}`, { token: owner.token });
    expect(run.body).toMatchObject({ status: 'done', counts: { sent: 1 } });
    expect(run.body.after).toEqual({
      bounced: of.kind === 'hard' ? 1 : 0,
      softBounced: of.kind === 'soft' ? 1 : 0,
      complained: of.kind === 'complaint' ? 1 : 0,
      unsubscribed: of.kind === 'unsubscribe' ? 1 : 0,
    });
  }

  async function handInBytes(raw: string, to: string, from: string): Promise<number> {
    const path = `/api/v1/inbound?to=${encodeURIComponent(to)}&from=${encodeURIComponent(from)}`;
    const response = await fetch(api.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin.token}`, 'content-type': 'message/rfc822' },
      body: Buffer.from(raw, 'latin1'),
    });
    expect(response.status).toBe(202);
    return ((await response.json()) as { id: number }).id;
  }
});

describe('what follows', () => {
  it('a hard bounce and a complaint bind everybody, and stand in the list of the owner', async () => {
    const [one, two] = (await sentTo(api, owner.id, ['gone@follow.example', 'angry@follow.example'])) as [
      SentLetter,
      SentLetter,
    ];
    await report(one, { status: '5.1.1' });
    await report(two, COMPLAINT);
    const everybody = { ownerId: null, listedFor: owner.id, source: 'inbound', expires: false };
    expect(await suppressed(one.email)).toEqual([{ ...everybody, reason: 'hard_bounce' }]);
    expect(await suppressed(two.email)).toEqual([{ ...everybody, reason: 'complaint' }]);
  });

  it('two reports about one letter are one event', async () => {
    const [letter] = (await sentTo(api, owner.id, ['twice@follow.example'])) as [SentLetter];
    await report(letter, { status: '5.1.1', text: 'first' });
    await report(letter, { status: '5.1.1', text: 'second' });
    const [soft] = (await sentTo(api, owner.id, ['softly@follow.example'])) as [SentLetter];
    await Promise.all(['a', 'b', 'c'].map((text) => report(soft, { status: '5.2.2', text })));
    expect((await events(letter)).map(({ kind }) => kind)).toEqual(['bounced']);
    expect((await events(soft)).map(({ kind }) => kind)).toEqual(['soft_bounced']);
  });

  it('letters come back on five days of at least ten: the address rests for 90 days', async () => {
    const [letter] = (await sentTo(api, owner.id, ['often@follow.example'])) as [SentLetter];
    const clients = [letter.clientId];
    const after = async (days: number, status: string) => {
      const [next] = (await sentTo(api, owner.id, [], clients)) as [SentLetter];
      const id = await handIn(dsn({ final: `rfc822; ${next.email}`, status }), next.returnPair.bounce);
      await query(
        `UPDATE inbound_letters SET received_at = now() - interval '40 days' + $2 * interval '1 day' WHERE id = $1`,
        [id, days],
      );
      await judge(id);
      return suppressed(next.email);
    };
    for (const day of [1, 1, 2, 4, 6]) expect(await after(day, '4.4.1')).toEqual([]);
    // The fifth day, and ten after the first.
    expect(await after(11, '4.4.1')).toEqual([
      { reason: 'hard_bounce', source: 'inbound', ownerId: null, listedFor: owner.id, expires: true },
    ]);
    // Somebody says it is gone: then it does not rest for a while, but for good.
    const [last] = (await sentTo(api, owner.id, ['often2@follow.example'])) as [SentLetter];
    await query(
      `UPDATE suppressions SET email_key = 'often2@follow.example', address_hash = address_hash('often2@follow.example') WHERE email_key = 'often@follow.example'`,
    );
    await report(last, { status: '5.1.1' });
    expect(await suppressed(last.email)).toMatchObject([{ reason: 'hard_bounce', expires: false }]);
  });

  it('a full mailbox is given longer', async () => {
    const [first] = (await sentTo(api, owner.id, ['full@follow.example'])) as [SentLetter];
    const days = async (list: number[]) => {
      for (const day of list) {
        const [next] = (await sentTo(api, owner.id, [], [first.clientId])) as [SentLetter];
        const id = await handIn(dsn({ final: `rfc822; ${next.email}`, status: '5.2.2' }), next.returnPair.bounce);
        await query(
          `UPDATE inbound_letters SET received_at = now() - interval '60 days' + $2 * interval '1 day' WHERE id = $1`,
          [id, day],
        );
        await judge(id);
      }
      return suppressed(first.email);
    };
    expect(await days([1, 5, 9, 13, 17])).toEqual([]);
    expect(await days([22])).toHaveLength(1);
  });

  it('what is our own fault counts against nobody, and stops the mailing after 20', async () => {
    const letters = await sentTo(
      api,
      owner.id,
      Array.from({ length: 20 }, (_, i) => `blocked${i}@follow${i % 3}.example`),
    );
    for (const letter of letters.slice(1)) await report(letter, OUR_FAULT);
    await watch().flush();
    expect(await stateOf(letters)).toEqual({ status: 'started', code: null, text: null });
    await report(letters[0]!, OUR_FAULT);
    await watch().flush();
    expect(await stateOf(letters)).toEqual({
      status: 'paused',
      code: 'sender_blocked',
      text: '554 5.7.1 blocked using zen.example',
    });
    expect(await query(`SELECT 1 FROM address_health WHERE email_key LIKE 'blocked%'`)).toEqual([]);
    // Somebody mended it: what came back before counts no more.
    const resumed = await api.call('POST', `/api/v1/mailings/${letters[0]!.mailingId}/resume`, {
      token: owner.token,
      body: {},
    });
    expect(resumed.status).toBe(200);
    await watch().look();
    expect(await stateOf(letters)).toMatchObject({ status: 'started' });
  });

  it('counts letters that come back side by side, within three seconds', async () => {
    const letters = await sentTo(
      api,
      owner.id,
      Array.from({ length: 20 }, (_, i) => `beside${i}@beside${i % 3}.example`),
    );
    // Each transaction takes a while from its last statement to its end, so that none sees those beside it.
    await query(
      `CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END'`,
    );
    await query(`CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON delivery_events DEFERRABLE INITIALLY DEFERRED
                   FOR EACH ROW EXECUTE FUNCTION linger()`);
    try {
      await Promise.all(letters.map((letter) => report(letter, OUR_FAULT)));
    } finally {
      await query('DROP TRIGGER linger ON delivery_events');
      await query('DROP FUNCTION linger');
    }
    const since = performance.now();
    await eventually(async () => (await stateOf(letters)).status === 'paused', 'the mailing is paused');
    expect(performance.now() - since).toBeLessThan(3_000);
  });

  it('the sweeper counts what a process did not get to', async () => {
    const letters = await sentTo(
      api,
      owner.id,
      Array.from({ length: 20 }, (_, i) => `left${i}@left${i % 3}.example`),
    );
    for (const letter of letters) await judge(await handInReport(letter, OUR_FAULT));
    expect(await stateOf(letters)).toMatchObject({ status: 'started' });
    await watch().look();
    expect(await stateOf(letters)).toMatchObject({ status: 'paused', code: 'sender_blocked' });
  });

  it('what is our own fault stops no mailing at one domain, nor under 1 % of its letters', async () => {
    const few = async (domainOf: (i: number) => string, sent: number) => {
      const letters = await sentTo(
        api,
        owner.id,
        Array.from({ length: 20 }, (_, i) => `few${i}@${domainOf(i)}`),
      );
      await query(
        `INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status)
         SELECT d.id, d.run_id, $2, $3, d.client_id, 1, n, 'ok' FROM deliveries d, generate_series(1, $4) n
          WHERE d.id = $1`,
        [letters[0]!.deliveryId, letters[0]!.mailingId, owner.id, sent],
      );
      for (const letter of letters) await report(letter, OUR_FAULT);
      await watch().flush();
      return (await stateOf(letters)).status;
    };
    expect(await few(() => 'one.few.example', 0)).toBe('started');
    expect(await few((i) => `many${i % 3}.few.example`, 2_001)).toBe('started');
    expect(await few((i) => `all${i % 3}.few.example`, 2_000)).toBe('paused');
  });

  it('without a token of ours, what is reported binds only the owner', async () => {
    const [gone, angry, full, signed] = (await sentTo(api, owner.id, [
      'gone@forged.example',
      'angry@forged.example',
      'full@forged.example',
      'signed@forged.example',
    ])) as [SentLetter, SentLetter, SentLetter, SentLetter];
    const handInAt = async (letter: SentLetter, to: string, of: Report, more = '') => {
      const enclosed = `To: <${letter.email}>\r\nMessage-ID: <${letter.messageId}>\r\n${more}\r\nx`;
      const raw = dsn({ final: `rfc822; ${letter.email}`, enclosed, ...of });
      return (await judge(await handIn(raw, to)))?.verdict;
    };
    const news = 'news@news.example.org';
    const byMessageId = { kind: 'hard', match: { by: 'message-id' } };
    expect(await handInAt(gone, news, { status: '5.1.1' })).toMatchObject(byMessageId);
    expect(await handInAt(angry, 'fbl@news.example.org', COMPLAINT)).toMatchObject({ kind: 'complaint' });
    expect(await handInAt(full, news, { status: '5.2.2' })).toMatchObject({ kind: 'soft' });
    const onlyOwner = { ownerId: owner.id, listedFor: owner.id, expires: false };
    expect(await suppressed(gone.email)).toMatchObject([{ ...onlyOwner, reason: 'hard_bounce' }]);
    expect(await suppressed(angry.email)).toMatchObject([{ ...onlyOwner, reason: 'complaint' }]);
    expect(await query(`SELECT 1 FROM address_health WHERE email_key = 'full@forged.example'`)).toEqual([]);
    // The letter inside has its link to unsubscribe, which we signed.
    const list = `List-Unsubscribe: <${signed.link}>\r\n`;
    expect(await handInAt(signed, news, { status: '5.1.1' }, list)).toMatchObject(byMessageId);
    expect(await suppressed(signed.email)).toMatchObject([{ ...onlyOwner, ownerId: null, reason: 'hard_bounce' }]);
  });

  it('a refusal that names the address from which the letter came is about the sender', async () => {
    const [direct, forwarded] = (await sentTo(api, owner.id, [
      'direct@sender.example',
      'forwarded@sender.example',
    ])) as [SentLetter, SentLetter];
    const handInAt = async (letter: SentLetter, to: string) => {
      const diagnostic = `smtp; 550 5.1.0 <${letter.returnPair.bounce}>: address unknown`;
      const enclosed = `To: <${letter.email}>\r\nList-Unsubscribe: <${letter.link}>\r\n\r\nx`;
      return judge(await handIn(dsn({ final: `rfc822; ${letter.email}`, status: '5.1.0', diagnostic, enclosed }), to));
    };
    const expected = { verdict: { kind: 'soft', reason: 'sender_refused', blame: 'sender' } };
    expect(await handInAt(direct, direct.returnPair.bounce.toUpperCase())).toMatchObject(expected);
    expect(await handInAt(forwarded, 'news@news.example.org')).toMatchObject(expected);
    expect([await suppressed(direct.email), await suppressed(forwarded.email)]).toEqual([[], []]);
  });

  it('a letter that ends the process that judges it is given up after five tries', async () => {
    const id = await handIn('From: a@b.example\r\n\r\nx', 'news@news.example.org');
    const tries = () => query('SELECT failures, judged_at FROM inbound_letters WHERE id = $1', [id]);
    // Nothing after the beginning is heard of.
    await query('UPDATE inbound_letters SET failures = 4 WHERE id = $1', [id]);
    const begun = api.app.get<unknown, { begin(of: number): Promise<unknown> }>(InboundJudge, { strict: false });
    expect(await begun.begin(id)).toBeDefined();
    expect(await tries()).toEqual([{ failures: 5, judgedAt: null }]);
    expect(await judge(id)).toBeNull();
    expect(await tries()).toEqual([{ failures: 5, judgedAt: null }]);
    const problem = async () => (await api.call('GET', `/api/v1/inbound/${id}`, { token: admin.token })).body.problem;
    expect(await problem()).toBe('given_up');
    await query('UPDATE inbound_letters SET failures = 1 WHERE id = $1', [id]);
    expect(await problem()).toBe('interrupted');
  });

  it('letters with NUL bytes are judged as others', async () => {
    const [letter] = (await sentTo(api, owner.id, ['nul@follow.example'])) as [SentLetter];
    const ids: number[] = [];
    for (const { file, envelopeFrom, envelopeTo } of examples.cases)
      for (const [at, put] of [
        [/@/g, '\0@'],
        [/[ :<]/g, '$&\0'],
        [/\d\b/g, '$&\0'],
      ] as const) {
        const raw = about(letter, exampleLetter(file).toString('latin1')).replace(at, put);
        ids.push(await handIn(raw, about(letter, envelopeTo), about(letter, envelopeFrom)));
      }
    for (const id of ids) await judge(id);
    const failed = 'SELECT subject, problem FROM inbound_letters WHERE id = ANY($1) AND judged_at IS NULL';
    expect(await query(failed, [ids])).toEqual([]);
  });

  it('a letter that can not be judged says so by a code', async () => {
    const [letter] = (await sentTo(api, owner.id, ['error@follow.example'])) as [SentLetter];
    const id = await handInReport(letter, { status: '5.1.1' });
    await query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'`);
    await query('CREATE TRIGGER refuse BEFORE INSERT ON delivery_events FOR EACH ROW EXECUTE FUNCTION refuse()');
    try {
      expect(await judge(id)).toBeNull();
    } finally {
      await query('DROP TRIGGER refuse ON delivery_events');
      await query('DROP FUNCTION refuse');
    }
    const { body } = await api.call('GET', `/api/v1/inbound/${id}`, { token: admin.token });
    expect(body).toMatchObject({ problem: 'failed', judgedAt: null, kind: null });
    expect((await judge(id))?.verdict.kind).toBe('hard');
  });

  it('complaints stop a mailing at 0.3 % of a thousand letters to one domain', async () => {
    const letters = await sentTo(
      api,
      owner.id,
      Array.from({ length: 1_100 }, (_, i) => `c${i}@yahoo.example`),
    );
    await query(
      `INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status)
       SELECT d.id, d.run_id, $2, $3, d.client_id, 1, 1, 'ok' FROM deliveries d WHERE d.run_id = $1`,
      [letters[0]!.runId, letters[0]!.mailingId, owner.id],
    );
    for (const i of [0, 1, 2]) await report(letters[i]!, COMPLAINT);
    await watch().flush();
    expect(await stateOf(letters)).toMatchObject({ status: 'started' });
    await report(letters[3]!, COMPLAINT);
    await watch().flush();
    expect(await stateOf(letters)).toEqual({ status: 'paused', code: 'complaint_rate', text: 'yahoo.example' });
  });

  it('an outage of a mail server suppresses nobody', async () => {
    const before = await sentTo(
      api,
      owner.id,
      Array.from({ length: 60 }, (_, i) => `o${i}@outage.example`),
    );
    const letters = await sentTo(
      api,
      owner.id,
      [],
      before.map(({ clientId }) => clientId),
    );
    for (const letter of letters)
      await report(letter, { status: '5.1.1', diagnostic: 'smtp; 550 5.1.1 The account does not exist' });
    await api.app.get(Outages, { strict: false }).look();
    expect(
      await query(`SELECT 1 FROM suppressions WHERE email_key LIKE '%@outage.example' AND lifted_at IS NULL`),
    ).toEqual([]);
    expect(await query(`SELECT domain FROM suppression_batches WHERE kind = 'outage'`)).toEqual([
      { domain: 'outage.example' },
    ]);
  });

  it('judged anew, it has no second effect, and only managers may ask for it', async () => {
    const [letter] = (await sentTo(api, owner.id, ['anew@follow.example'])) as [SentLetter];
    const id = await handIn('From: a@b.example\r\n\r\nunsubscribe', letter.returnPair.unsubscribe, letter.email);
    await judge(id);
    await query(`UPDATE suppressions SET lifted_at = now() WHERE email_key = $1`, [letter.email]);
    const path = `/api/v1/inbound/${id}/judge`;
    expect((await api.call('POST', path, { token: owner.token })).status).toBe(403);
    const asked = await api.call('POST', path, { token: admin.token });
    expect(asked).toMatchObject({ status: 202, body: { judgedAt: null, kind: 'unsubscribe' } });
    expect((await judge(id))?.verdict.kind).toBe('unsubscribe');
    expect(await suppressed(letter.email)).toEqual([]);
    expect(await query(`SELECT action FROM audit_log WHERE object_type = 'inbound' AND object_id = $1`, [id])).toEqual([
      { action: 'inbound.judge' },
    ]);
  });
});

describe('who may', () => {
  it('hand letters in: managers, and tokens made for it, which can do nothing else', async () => {
    const body = 'From: x@y.example\r\n\r\nx';
    const headers = { 'content-type': 'message/rfc822' };
    const path = '/api/v1/inbound?to=b@news.example.org';
    const post = (token: string) => api.call('POST', path, { token, body, headers });
    expect((await post(owner.token)).status).toBe(403);
    const refused = await api.call('POST', '/api/v1/tokens', {
      token: owner.token,
      body: { name: 'x', scopes: ['inbound'] },
    });
    expect(refused.status).toBe(403);
    const made = await api.call('POST', '/api/v1/tokens', {
      token: admin.token,
      body: { name: 'x', scopes: ['inbound'] },
    });
    expect(made.status).toBe(201);
    expect((await post(made.body.token)).status).toBe(202);
    expect((await api.call('GET', '/api/v1/inbound', { token: made.body.token })).status).toBe(403);
    expect((await api.call('GET', '/api/v1/clients', { token: made.body.token })).status).toBe(403);
    expect(
      (await api.call('POST', '/api/v1/clients', { token: made.body.token, body: { email: 'a@b.example' } })).status,
    ).toBe(403);
  });

  it('hand letters in no more, once they are no managers: their tokens do not outlive the role', async () => {
    const manager = await api.person('manager');
    const made = await api.call('POST', '/api/v1/tokens', {
      token: manager.token,
      body: { name: 'x', scopes: ['inbound'] },
    });
    const post = () =>
      api.call('POST', '/api/v1/inbound?to=b@news.example.org', {
        token: made.body.token,
        body: 'From: x@y.example\r\n\r\nonce',
        headers: { 'content-type': 'message/rfc822' },
      });
    expect((await post()).status).toBe(202);
    const role = await api.call('PATCH', `/api/v1/users/${manager.id}`, { token: admin.token, body: { role: 'user' } });
    expect(role.status).toBe(200);
    expect((await post()).status).toBe(403);
  });

  it('see letters: a user those about their own deliveries', async () => {
    const stranger = await api.person();
    const [letter] = (await sentTo(api, owner.id, ['seen@who.example'])) as [SentLetter];
    const id = await handIn(dsn({ final: 'rfc822; seen@who.example', status: '5.1.1' }), letter.returnPair.bounce);
    await judge(id);
    const foreign = await handIn('From: x@y.example\r\n\r\nto nobody', 'news@news.example.org');
    await judge(foreign);
    const status = async (person: Person, path: string) =>
      (await api.call('GET', `/api/v1/inbound/${path}`, { token: person.token })).status;
    expect(await status(owner, `${id}`)).toBe(200);
    expect(await status(owner, `${id}/eml`)).toBe(200);
    expect(await status(stranger, `${id}`)).toBe(404);
    expect(await status(stranger, `${id}/eml`)).toBe(404);
    expect(await status(owner, `${foreign}`)).toBe(404);
    expect(await status(admin, `${foreign}`)).toBe(200);
    const list = await api.call('GET', '/api/v1/inbound?kind=hard', { token: owner.token });
    expect(list.body.items.map((item) => item.id)).toContain(id);
    expect((await api.call('GET', '/api/v1/inbound', { token: stranger.token })).body.items).toEqual([]);
  });

  it.each([
    ['no recipient', '', 'message/rfc822', 'x', 400],
    ['another type', '?to=a@b.example', 'text/plain', 'x', 415],
    ['nothing in it', '?to=a@b.example', 'message/rfc822', '', 400],
    ['a letter of more than 1 MB', '?to=a@b.example', 'message/rfc822', 'x'.repeat(1024 * 1024 + 1), 413],
  ])('%s is refused', async (_, path, type, body, status) => {
    const answer = await api.call('POST', `/api/v1/inbound${path}`, {
      token: admin.token,
      body,
      headers: { 'content-type': type },
    });
    expect(answer.status).toBe(status);
  });
});

describe('of an erased person', () => {
  const erase = async ({ clientId }: SentLetter) =>
    expect((await api.call('POST', `/api/v1/clients/${clientId}/erase`, { token: owner.token })).status).toBe(200);
  const OF_PERSON: [string, Report][] = [
    ['for good', { status: '5.1.1' }],
    ['this time', { status: '4.4.1' }],
    ['a complaint', COMPLAINT],
  ];
  const handInAbout = (letter: SentLetter, of: Report) =>
    handInReport(letter, { diagnostic: `smtp; ${of.status} <${letter.email}> no`, text: letter.email, ...of });
  /** What became known stays, without the address and what was said. */
  async function expectNothingOf({ email, deliveryId }: SentLetter) {
    expect(await query('SELECT reply FROM delivery_events WHERE delivery_id = $1', [deliveryId])).toEqual([
      { reply: null },
    ]);
    for (const from of ['inbound_letters', 'delivery_events', 'address_health', 'suppressions'])
      expect(await query(`SELECT t FROM ${from} t WHERE t::text ILIKE '%' || $1 || '%'`, [email])).toEqual([]);
  }
  let made = 0;
  const letterTo = async () => (await sentTo(api, owner.id, [`erased${++made}@person.example`]))[0]!;

  it.each(OF_PERSON)('%s: a report that comes in afterwards brings nothing back', async (_, of) => {
    const letter = await letterTo();
    await erase(letter);
    const id = await handInAbout(letter, of);
    expect(await judge(id)).not.toBeNull();
    expect(await query('SELECT id FROM inbound_letters WHERE id = $1', [id])).toEqual([]);
    await expectNothingOf(letter);
  });

  it.each(OF_PERSON)('%s: neither does one that waited meanwhile', async (_, of) => {
    const letter = await letterTo();
    const id = await handInAbout(letter, of);
    await erase(letter);
    expect(await judge(id)).not.toBeNull();
    expect(await query('SELECT id FROM inbound_letters WHERE id = $1', [id])).toEqual([]);
    await expectNothingOf(letter);
  });

  it('nor one that was just being judged', async () => {
    const letter = await letterTo();
    const id = await handInAbout(letter, { status: '5.1.1' });
    const { judging } = await api.database.transaction(async (tx) => {
      await tx.rows('SELECT FROM deliveries WHERE id = $1 FOR UPDATE', [letter.deliveryId]);
      const judging = judge(id);
      const waits = () =>
        query(`SELECT pid FROM pg_stat_activity WHERE query LIKE '%deliveries%FOR SHARE' AND wait_event_type = 'Lock'`);
      await eventually(async () => (await waits()).length > 0, 'it was decided', 10_000);
      await eraseLetters(tx, [letter.deliveryId]);
      return { judging };
    });
    expect((await judging)?.verdict.kind).toBe('hard');
    expect(await query('SELECT id FROM inbound_letters WHERE id = $1', [id])).toEqual([]);
    await expectNothingOf(letter);
  });

  it('nor an automatic answer from the person', async () => {
    const letter = await letterTo();
    await erase(letter);
    const raw = `From: <${letter.email}>\r\nAuto-Submitted: auto-replied\r\nSubject: Out of office\r\n\r\nI am away.`;
    expect((await judge(await handIn(raw, letter.returnPair.bounce, letter.email)))?.verdict.kind).toBe('auto-reply');
    await expectNothingOf(letter);
  });
});

it('letters are deleted after some time, what they led to stays', async () => {
  const [letter] = (await sentTo(api, owner.id, ['old@keep.example'])) as [SentLetter];
  const id = await handIn(dsn({ final: 'rfc822; old@keep.example', status: '5.1.1' }), letter.returnPair.bounce);
  await judge(id);
  await query(`UPDATE inbound_letters SET received_at = now() - interval '31 days' WHERE id = $1`, [id]);
  await api.app.get(InboundLetters, { strict: false }).sweep();
  expect(await query('SELECT id FROM inbound_letters WHERE id = $1', [id])).toEqual([]);
  expect(await suppressed('old@keep.example')).toHaveLength(1);
});
