import { solveChallenge } from 'altcha-lib';
import { issueToken } from '../../src/features/notices/notice-tokens';
import { LinkKeys } from '../../src/features/consent/link-keys.service';
import { PlannerService } from '../../src/features/runs/planner.service';
import { SignupRecords } from '../../src/features/signups/signup-records.service';
import { RedisConnection } from '../../src/queue/redis.module';
import { WebModule } from '../../src/web/web.module';
import { type Answer, type Person, startApi, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';

/** Forms by which strangers sign up: what they may learn (nothing), change (nothing unproved) and do to others (little). */

let api: TestApi;
let owner: Person;
let other: Person;
let manager: Person;
let form: { id: number; token: string };

const SITE = 'https://shop.example';
/** What would be noticed if any text were taken for HTML, SQL, Liquid or a header. */
const EVIL = `<script>alert(1)</script>'; DROP TABLE clients; -- {{ client.email }} {% if %} ">`;

beforeAll(async () => {
  api = await startApi({ apiCallsPerMinute: 0, authAnswerMs: 1, trustProxy: 'loopback' }, [WebModule]);
  owner = await api.person();
  other = await api.person();
  manager = await api.person('manager');
  await post('/fields', { key: 'city', label: 'City', type: 'text' });
  await post('/fields', { key: 'size', label: 'Size', type: 'choice', options: ['S', 'M'] });
  await post('/fields', { key: 'secret', label: 'Rating of ours', type: 'text' });
  await post('/tags', { name: 'News', public: true });
  await post('/tags', { name: 'Offers', public: true });
  await post('/tags', { name: 'From the site' });
  await post('/tags', { name: 'Difficult people' });
  form = await newForm();
});
afterAll(() => api.close());

async function post(path: string, body: unknown, of = owner) {
  const answer = await api.call('POST', `/api/v1${path}`, { token: of.token, body });
  expect([answer.status, answer.status < 300 ? '' : answer.text]).toEqual([answer.status, '']);
  return answer.body;
}

const newForm = async (more: object = {}) =>
  (await post('/forms', {
    name: 'Site',
    title: 'Our news',
    consentText: 'You get a letter each week.',
    fields: ['city', 'size'],
    topics: ['News', 'Offers'],
    tags: ['From the site'],
    allowedOrigins: [SITE],
    ...more,
  })) as unknown as { id: number; token: string };

let callers = 0;
let made = 0;
const someone = () => `new${++made}@people.example`;

/** Each from an address of its own, if none is given. */
const signUp = (body: object, { to = form, headers = {}, ip = '' } = {}): Promise<Answer> => {
  callers++;
  const from = ip || `10.${callers >> 16}.${(callers >> 8) & 255}.${callers & 255}`;
  return api.call('POST', `/api/v1/forms/${to.token}`, { body, headers: { 'x-forwarded-for': from, ...headers } });
};
const page = (path: string, values: Record<string, string>, headers: Record<string, string> = {}) =>
  api.call('POST', path, {
    body: new URLSearchParams(values).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-forwarded-for': `10.200.${++callers >> 8}.${callers & 255}`,
      ...headers,
    },
  });
const noticesTo = (email: string) =>
  api.database.rows<{ id: number; kind: string; payload: Record<string, unknown> }>(
    'SELECT id, kind, payload FROM notices WHERE lower(email) = lower($1) ORDER BY id',
    [email],
  );
/** The token of the link in the last letter to this address. */
async function linkTo(email: string): Promise<string> {
  const notice = (await noticesTo(email)).at(-1)!;
  await api.database.affected(`UPDATE notices SET status = 'sending' WHERE id = $1`, [notice.id]);
  return (await issueToken(api.database, notice.id, 'signup'))!;
}
const confirm = async (email: string) => page('/f/confirm', { token: await linkTo(email) });
const clientAt = async (email: string, of = owner) => {
  const { body } = await api.call('GET', `/api/v1/clients?search=${encodeURIComponent(email)}`, { token: of.token });
  return body.items[0] as
    { id: number; fullName: string; fields: object; tags: string[]; subscription: { status: string } } | undefined;
};
const addClient = (email: string, more: object = {}) => post('/clients', { email, fullName: 'Known', ...more });
const suppress = (email: string, reason: string) => post('/suppressions', { email, reason });

describe('the answer', () => {
  it('is the same for every kind of address, and tells nothing', async () => {
    const kinds: Record<string, (email: string) => Promise<unknown>> = {
      unknown: () => Promise.resolve(),
      known: (email) => addClient(email, { fields: { secret: 'low' }, tags: ['Difficult people'] }),
      unconfirmed: async (email) => {
        await signUp({ email }, { to: await newForm() });
      },
      unsubscribed: (email) => suppress(email, 'unsubscribed'),
      bounced: (email) => suppress(email, 'hard_bounce'),
      complained: (email) => suppress(email, 'complaint'),
      excluded: (email) => suppress(email, 'manual'),
    };
    const seen = new Set<string>();
    const pages = new Set<string>();
    for (const prepare of Object.values(kinds)) {
      const email = someone();
      await prepare(email);
      const json = await signUp({ email, topics: ['News'] });
      seen.add(JSON.stringify([json.status, json.text, [...json.headers.keys()].sort()]));
      const web = await page(`/f/${form.token}`, { email: someone().replace('new', 'web') });
      pages.add(JSON.stringify([web.status, web.text]));
    }
    expect([...seen]).toEqual([expect.stringMatching(/^\[202,"{}"/)]);
    expect(pages.size).toBe(1);
  });

  it('leads to a letter where the address may get one, and only there', async () => {
    const letters = async (prepare: (email: string) => Promise<unknown>) => {
      const email = someone();
      await prepare(email);
      expect((await signUp({ email })).status).toBe(202);
      return (await noticesTo(email)).map(({ kind, payload }) => [kind, payload.isKnown]);
    };
    expect(await letters(() => Promise.resolve())).toEqual([['signup', false]]);
    expect(await letters((email) => addClient(email))).toEqual([['signup', true]]);
    expect(await letters((email) => suppress(email, 'unsubscribed'))).toEqual([['signup', false]]);
    for (const reason of ['hard_bounce', 'complaint', 'manual', 'invalid'])
      expect(await letters((email) => suppress(email, reason))).toEqual([]);
  });

  it('says what is wrong with what was sent, and nothing about fields and tags that are not of the form', async () => {
    const { status, body } = await signUp({
      email: 'x',
      fields: { secret: 'a', size: 'XL' },
      topics: ['Difficult people'],
    });
    expect(status).toBe(400);
    expect(body.errors.map(({ field }) => field)).toEqual(['email', 'fields.secret', 'fields.size', 'topics']);
    expect(JSON.stringify(body)).not.toMatch(/Rating|From the site/);
  });

  it.each(['x', 'A'.repeat(22), '%00', '1'])('of a form that is not there is 404: %s', async (token) => {
    for (const path of [`/api/v1/forms/${token}/challenge`, `/f/${token}`])
      expect([400, 404]).toContain((await api.call('GET', path)).status);
    expect([400, 404]).toContain((await signUp({ email: someone() }, { to: { id: 0, token } })).status);
  });

  it('of a closed form, a deleted one and a blocked owner says no more than that', async () => {
    const [closed, deleted] = [await newForm(), await newForm()];
    await api.call('PATCH', `/api/v1/forms/${closed.id}`, { token: owner.token, body: { closed: true } });
    await api.call('DELETE', `/api/v1/forms/${deleted.id}`, { token: owner.token });
    const blocked = await api.person();
    const theirs = (await post('/forms', { name: 'a', title: 'b' }, blocked)) as unknown as typeof form;
    await api.database.affected(`UPDATE users SET status = 'blocked' WHERE id = $1`, [blocked.id]);
    const none = await signUp({ email: someone() }, { to: { id: 0, token: 'A'.repeat(22) } });
    for (const to of [closed, deleted, theirs]) {
      const { status, body } = await signUp({ email: someone() }, { to });
      expect([status, body.detail]).toEqual([404, none.body.detail]);
    }
  });
});

describe('a sign-up', () => {
  it('is nothing until it is confirmed: no mailing goes there; then it is a client with what was chosen', async () => {
    const email = someone();
    await signUp(
      { email, fullName: 'Ann', fields: { city: 'Perm', size: 'M' }, topics: ['news'] },
      { headers: { origin: SITE } },
    );
    expect(await clientAt(email)).toMatchObject({
      fullName: '',
      fields: {},
      tags: [],
      subscription: { status: 'unconfirmed' },
    });
    const messageId = (await post('/messages', messageBody())).id;
    const planned = async () => {
      const clientId = (await clientAt(email))!.id;
      const body = mailingBody(messageId, { audience: 'selected', clientIds: [clientId], period: 'daily' });
      const mailingId = (await post('/mailings', body)).id;
      const { text: check } = await api.call('GET', `/api/v1/mailings/${mailingId}/preflight`, { token: owner.token });
      const runId = Number(
        (await api.call('POST', `/api/v1/mailings/${mailingId}/send`, { token: manager.token })).body.runId,
      );
      const sent = runId
        ? runId
        : Number((await api.call('POST', `/api/v1/mailings/${mailingId}/send`, { token: owner.token })).body.runId);
      if (!sent) return { check: JSON.parse(check) as object, delivery: null };
      await api.app.get(PlannerService, { strict: false }).plan(sent);
      return {
        check: JSON.parse(check) as object,
        delivery: await api.database.first('SELECT status, reason FROM deliveries WHERE run_id = $1', [sent]),
      };
    };
    expect(await planned()).toMatchObject({ check: { chosen: 1, eligible: 0, excluded: { unconfirmed: 1 } } });

    const link = await linkTo(email);
    for (let i = 0; i < 3; i++) expect((await api.call('GET', `/f/confirm?token=${link}`)).status).toBe(200);
    expect((await clientAt(email))!.subscription.status).toBe('unconfirmed');
    const thanks = await page('/f/confirm', { token: link });
    expect([thanks.status, thanks.text.includes('You are signed up.')]).toEqual([200, true]);
    expect(await clientAt(email)).toMatchObject({
      fullName: 'Ann',
      fields: { city: 'Perm', size: 'M' },
      tags: ['From the site', 'News'],
      subscription: { status: 'subscribed' },
    });
    expect(await planned()).toMatchObject({ check: { eligible: 1 }, delivery: { status: 'pending', reason: null } });

    const { id } = (await clientAt(email))!;
    const { body } = await api.call('GET', `/api/v1/forms/${form.id}/signups`, { token: owner.token });
    expect(body.items[0]).toMatchObject({
      email,
      clientId: id,
      consentText: 'You get a letter each week.',
      origin: SITE,
      topics: ['News'],
      confirmedAt: expect.any(String) as string,
    });
    const copy = await api.call('GET', `/api/v1/clients/${id}/export`, { token: owner.token });
    expect(copy.body.signups).toMatchObject([{ email, form: 'Site', consentText: 'You get a letter each week.' }]);
    const audit = await api.call('GET', '/api/v1/audit?action=signup.confirm', { token: manager.token });
    // The address stands with the sign-up alone, which an erasure deletes.
    expect(audit.body.items[0]).toMatchObject({ objectId: id, ip: null, detail: { name: 'Site' } });
  });

  it('is planned as unconfirmed by a mailing to all', async () => {
    const person = await api.person();
    const theirs = (await post('/forms', { name: 'a', title: 'b' }, person)) as unknown as typeof form;
    const email = someone();
    await signUp({ email }, { to: theirs });
    await post('/clients', { email: someone() }, person);
    const messageId = (await post('/messages', messageBody(), person)).id;
    const mailingId = (await post('/mailings', mailingBody(messageId, { period: 'daily' }), person)).id;
    const runId = Number((await post(`/mailings/${mailingId}/send`, {}, person)).runId);
    await api.app.get(PlannerService, { strict: false }).plan(runId);
    const deliveries = await api.database.rows('SELECT status, reason FROM deliveries WHERE run_id = $1 ORDER BY id', [
      runId,
    ]);
    expect(deliveries).toEqual([
      { status: 'skipped', reason: 'unconfirmed' },
      { status: 'pending', reason: null },
    ]);
    const list = await api.call('GET', '/api/v1/clients?subscription=unconfirmed', { token: person.token });
    expect(list.body.items).toMatchObject([{ email, subscription: { status: 'unconfirmed', reason: null } }]);
    const subscribed = await api.call('GET', '/api/v1/clients?subscription=subscribed', { token: person.token });
    expect(subscribed.body.items).toHaveLength(1);
  });

  it('is confirmed twice without harm, and not by what is not its link', async () => {
    const email = someone();
    await signUp({ email, fullName: 'Ann' });
    const link = await linkTo(email);
    for (const token of ['', 'x', link.slice(1), `${link}x`, 'A'.repeat(43)]) {
      expect((await api.call('GET', `/f/confirm?token=${token}`)).status).toBe(400);
      expect((await page('/f/confirm', { token })).status).toBe(400);
    }
    await page('/f/confirm', { token: link });
    await api.database.affected(`UPDATE clients SET full_name = 'Renamed' WHERE email = $1`, [email]);
    expect((await page('/f/confirm', { token: link })).status).toBe(200);
    expect(await clientAt(email)).toMatchObject({ fullName: 'Renamed' });
  });

  it('is forgotten after a week, with a client of whom nothing else is known', async () => {
    const [email, known] = [someone(), someone()];
    await signUp({ email });
    await signUp({ email: known });
    const { id } = (await clientAt(known))!;
    await api.call('PATCH', `/api/v1/clients/${id}`, { token: owner.token, body: { comment: 'a friend' } });
    const link = await linkTo(email);
    const back = `- interval '8 days'`;
    const both = [[email, known]];
    await api.database.affected(`UPDATE signups SET expires_at = expires_at ${back} WHERE email = ANY($1)`, both);
    await api.database.affected(
      `UPDATE clients SET unconfirmed_since = unconfirmed_since ${back} WHERE email = ANY($1)`,
      both,
    );
    expect((await page('/f/confirm', { token: link })).status).toBe(400);
    await api.database.affected(`UPDATE notices SET created_at = created_at - interval '9 days' WHERE email = $1`, [
      email,
    ]);
    await api.app.get(SignupRecords, { strict: false }).forgetExpired();
    expect([await noticesTo(email), (await noticesTo(known)).length]).toEqual([[], 1]);
    expect(await clientAt(email)).toBeUndefined();
    expect(await clientAt(known)).toMatchObject({ id, subscription: { status: 'unconfirmed' } });
    expect(await api.database.rows('SELECT id FROM signups WHERE email = ANY($1)', both)).toEqual([]);
    expect((await page('/f/confirm', { token: link })).status).toBe(400);
  });

  it('brings back who unsubscribed, and nobody who was excluded for another reason', async () => {
    const [left, complained] = [someone(), someone()];
    await addClient(left);
    await suppress(left, 'unsubscribed');
    await signUp({ email: left });
    expect((await clientAt(left))!.subscription.status).toBe('unsubscribed');
    await confirm(left);
    expect((await clientAt(left))!.subscription.status).toBe('subscribed');
    const audit = await api.call('GET', '/api/v1/audit?action=suppression.lift', { token: manager.token });
    expect(audit.body.items[0]).toMatchObject({
      actorId: null,
      ip: null,
      detail: { reason: 'unsubscribed', name: 'Site' },
    });

    await signUp({ email: complained });
    await suppress(complained, 'complaint');
    await confirm(complained);
    expect((await clientAt(complained))!.subscription.status).toBe('complained');
  });

  it('of a known client changes nothing before it is confirmed, and then only what was given', async () => {
    const email = someone();
    const body = { fullName: 'Known', fields: { city: 'Omsk', secret: 'low' }, tags: ['Difficult people', 'Offers'] };
    await addClient(email, body);
    await signUp({ email: email.toUpperCase(), fields: { city: 'Perm' }, topics: ['News'] });
    expect(await clientAt(email)).toMatchObject({ ...body, tags: ['Difficult people', 'Offers'] });
    const shown = await api.call('GET', `/f/confirm?token=${await linkTo(email)}`);
    expect(shown.text).not.toMatch(/Omsk|low|Difficult|Offers|Known|Perm/);
    await confirm(email);
    expect(await clientAt(email)).toMatchObject({
      fullName: 'Known',
      fields: { city: 'Perm', secret: 'low' },
      tags: ['Difficult people', 'From the site', 'News', 'Offers'],
    });
  });

  it('takes what is still allowed when it is confirmed', async () => {
    const own = await api.person();
    await post('/fields', { key: 'colour', label: 'Colour', type: 'choice', options: ['red', 'blue'] }, own);
    await post('/tags', { name: 'Gone', public: true }, own);
    const body = { name: 'a', title: 'b', fields: ['colour'], topics: ['Gone'] };
    const theirs = (await post('/forms', body, own)) as unknown as typeof form;
    const email = someone();
    await signUp({ email, fields: { colour: 'red' }, topics: ['Gone'] }, { to: theirs });
    await api.call('PATCH', '/api/v1/fields/colour', { token: own.token, body: { options: ['blue'] } });
    await api.database.affected('DELETE FROM tags WHERE owner_id = $1', [own.id]);
    await confirm(email);
    expect(await clientAt(email, own)).toMatchObject({ fields: {}, tags: [], subscription: { status: 'subscribed' } });
  });

  it('without double opt-in counts at once for a new address, and for no other', async () => {
    const open = await newForm({ doubleOptIn: false, redirectUrl: 'https://shop.example/thanks' });
    const [fresh, known, left] = [someone(), someone(), someone()];
    await addClient(known);
    await suppress(left, 'unsubscribed');
    const answers = [];
    for (const email of [fresh, known, left]) {
      const { status, headers } = await page(`/f/${open.token}`, { email, fullName: 'New name' });
      answers.push([status, headers.get('location')]);
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set(['[303,"https://shop.example/thanks"]']),
    );
    expect(await clientAt(fresh)).toMatchObject({ fullName: 'New name', subscription: { status: 'subscribed' } });
    expect(await clientAt(known)).toMatchObject({ fullName: 'Known' });
    expect(await clientAt(left)).toMatchObject({ subscription: { status: 'unconfirmed' } });
    expect([await noticesTo(fresh), (await noticesTo(known)).length]).toEqual([[], 1]);
    const { headers } = await api.call('GET', `/f/${open.token}`);
    expect(headers.get('content-security-policy')).toContain(`form-action 'self' https://shop.example;`);
  });
});

describe('others who write at the same time', () => {
  it('without double opt-in: who has become a client meanwhile is not overwritten, and asked by a letter', async () => {
    const open = await newForm({ doubleOptIn: false });
    const email = someone();
    let sent: Promise<Answer> | undefined;
    await api.database.transaction(async (tx) => {
      await tx.affected(`INSERT INTO clients (owner_id, email, full_name) VALUES ($1, $2, 'Known')`, [owner.id, email]);
      await tx.affected(
        `INSERT INTO suppressions (owner_id, email_key, address_hash, reason, source)
         VALUES ($1, $2, address_hash($2), 'unsubscribed', 'page')`,
        [owner.id, email],
      );
      sent = signUp({ email, fullName: 'Stranger' }, { to: open });
      await waitsForLock();
    });
    expect((await sent!).status).toBe(202);
    expect(await clientAt(email)).toMatchObject({ fullName: 'Known', subscription: { status: 'unsubscribed' } });
    expect(await noticesTo(email)).toHaveLength(1);
  });

  const waitsForLock = async () => {
    for (;;) {
      const waiting = await api.database.first(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
           AND query LIKE '%INSERT INTO clients%' AND pid <> pg_backend_pid()`,
      );
      if (waiting) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it('do not keep sign-ups and confirmations of known addresses waiting while they add clients', async () => {
    const [known, waiting] = [someone(), someone()];
    await addClient(known);
    await signUp({ email: waiting });
    await api.database.transaction(async (tx) => {
      await tx.rows(`SELECT pg_advisory_xact_lock(hashtext('clients_count'))`);
      await tx.rows(`SET LOCAL idle_in_transaction_session_timeout = '20s'`);
      expect((await signUp({ email: known })).status).toBe(202);
      expect((await confirm(waiting)).status).toBe(200);
    });
    expect((await clientAt(waiting))!.subscription.status).toBe('subscribed');
  });

  it('do not keep the public form waiting, which does not count its sign-ups', async () => {
    await api.database.transaction(async (tx) => {
      await tx.rows('LOCK TABLE signups IN ACCESS EXCLUSIVE MODE');
      await tx.rows(`SET LOCAL idle_in_transaction_session_timeout = '20s'`);
      expect((await api.call('GET', `/f/${form.token}`)).status).toBe(200);
      expect((await api.call('GET', `/api/v1/forms/${form.token}/challenge`)).status).toBe(200);
    });
  });
});

describe('an owner who has the address from elsewhere', () => {
  const entries = async (id: number) =>
    (await api.call('GET', '/api/v1/audit?action=client.confirm', { token: manager.token })).body.items.filter(
      ({ objectId }) => objectId === id,
    );

  it('adds it although a stranger entered it before: the client is confirmed, with the values of the owner', async () => {
    const email = someone();
    await signUp({ email, fullName: 'Stranger', topics: ['Offers'] });
    const { id } = (await clientAt(email))!;
    const refused = await api.call('POST', '/api/v1/clients', {
      token: owner.token,
      body: { email, fields: { size: 'XL' } },
    });
    expect([refused.status, (await clientAt(email))!.subscription.status]).toEqual([400, 'unconfirmed']);
    const mine = { fullName: 'Ann', fields: { secret: 'high' }, tags: ['Difficult people'] };
    const added = await post('/clients', { email: email.toUpperCase(), ...mine });
    expect(added).toMatchObject({ ...mine, id, subscription: { status: 'subscribed' } });
    expect(await entries(id)).toMatchObject([{ actorId: owner.id }]);
    const again = await api.call('POST', '/api/v1/clients', { token: owner.token, body: { email } });
    expect([again.status, again.body.code]).toEqual([409, 'EMAIL_TAKEN']);
    const elsewhere = someone();
    await signUp({ email: elsewhere });
    await post('/clients', { email: elsewhere }, other);
    expect((await clientAt(elsewhere))!.subscription.status).toBe('unconfirmed');
  });

  it('confirms it by hand, by REST and on its page, once', async () => {
    const emails = [someone(), someone()];
    for (const email of emails) await signUp({ email });
    const [byRest, byPage] = await Promise.all(emails.map(async (email) => (await clientAt(email))!.id));
    const patch = ({ token }: Person, confirmed: unknown) =>
      api.call('PATCH', `/api/v1/clients/${byRest}`, { token, body: { confirmed } });
    expect([(await patch(other, true)).status, (await patch(manager, true)).status]).toEqual([404, 403]);
    expect((await patch(owner, false)).status).toBe(400);
    for (let i = 0; i < 2; i++)
      expect((await patch(owner, true)).body).toMatchObject({ subscription: { status: 'subscribed' } });
    expect(await entries(byRest!)).toHaveLength(1);

    const session = await api.signIn(owner.email);
    const action = `/clients/${byPage}/confirm`;
    expect((await api.call('GET', `/clients/${byPage}`, session)).text).toContain(`action="${action}"`);
    const pressed = await api.call('POST', action, {
      ...session,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: '',
    });
    expect([pressed.status, pressed.headers.get('location')]).toEqual([303, `/clients/${byPage}`]);
    expect((await clientAt(emails[1]!))!.subscription.status).toBe('subscribed');
    expect((await api.call('GET', `/clients/${byPage}`, session)).text).not.toContain(action);
  });
});

describe('what is sent is only ever text', () => {
  it('in the form, its letter, its pages and what it keeps', async () => {
    const evil = await newForm({ name: EVIL, title: EVIL, intro: EVIL, consentText: EVIL, thanks: EVIL });
    const email = someone();
    const shown = await api.call('GET', `/f/${evil.token}`);
    const again = await page(`/f/${evil.token}`, {
      email: `"><script>alert(2)</script>`,
      fullName: EVIL,
      'fields.city': EVIL,
    });
    expect(again.status).toBe(400);
    await signUp({ email, fullName: EVIL, fields: { city: EVIL } }, { to: evil });
    const link = await linkTo(email);
    const asked = await api.call('GET', `/f/confirm?token=${link}`);
    const done = await page('/f/confirm', { token: link });
    const session = await api.signIn(owner.email);
    const { id } = (await clientAt(email))!;
    const own = await Promise.all(
      [`/forms/${evil.id}`, '/forms', `/forms/${evil.id}/edit`, `/clients/${id}`].map((path) =>
        api.call('GET', path, session),
      ),
    );
    for (const { status, text } of [shown, again, asked, done, ...own]) {
      expect([200, 400]).toContain(status);
      expect(text).not.toContain('<script>alert');
    }
    expect(await clientAt(email)).toMatchObject({ fullName: EVIL, fields: { city: EVIL } });
  });

  it('and no line breaks reach a header', async () => {
    const answer = await signUp({ email: `a@b.example\r\nBcc: ${someone()}`, fullName: 'A\r\nBcc: x' });
    expect([answer.status, answer.body.errors.map(({ field }) => field)]).toEqual([400, ['email', 'fullName']]);
    const made = await api.call('POST', '/api/v1/forms', {
      token: owner.token,
      body: { name: 'a', title: 'b\r\nBcc: x', redirectUrl: 'https://x.example/\r\nX: y' },
    });
    expect(made.body.errors.map(({ field }) => field)).toContain('title');
  });

  it.each([
    ['__proto__', '{"email":"a@b.example","__proto__":{"x":1}}'],
    ['an unknown field', '{"email":"a@b.example","admin":true}'],
    ['a list', '[]'],
    ['fields that are a list', '{"email":"a@b.example","fields":[1]}'],
    ['topics that are no list', '{"email":"a@b.example","topics":"News"}'],
    ['topics that are no texts', '{"email":"a@b.example","topics":[{}]}'],
    ['NUL', '{"email":"a@b.example","fullName":"\\u0000"}'],
  ])('%s is refused', async (_, body) => {
    const answer = await api.call('POST', `/api/v1/forms/${form.token}`, {
      body,
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '10.250.0.1' },
    });
    expect(answer.status).toBe(400);
  });

  it('and there is not much of it', async () => {
    expect((await signUp({ email: someone(), fullName: 'x'.repeat(9_000) })).status).toBe(413);
    expect((await page(`/f/${form.token}`, { email: someone(), fullName: 'x'.repeat(9_000) })).status).toBe(413);
  });
});

describe('abuse', () => {
  it('writes few letters to an address, by whatever spelling and form, and answers alike', async () => {
    const email = someone();
    const forms = await Promise.all(Array.from({ length: 5 }, () => newForm()));
    const [first] = forms;
    for (let i = 0; i < 3; i++)
      expect((await signUp({ email: email.replace('@', `+${i}@`) }, { to: first! })).status).toBe(202);
    for (const to of forms) expect((await signUp({ email: email.toUpperCase() }, { to })).status).toBe(202);
    const notices = await api.database.rows(`SELECT id FROM notices WHERE email ILIKE $1`, [email.replace('@', '%@')]);
    expect(notices).toHaveLength(3);
  });

  it('counts dots as nothing', async () => {
    const name = `d${++made}victim`;
    const to = await newForm();
    const spelled = [name, [...name].join('.'), `${name[0]}.${name.slice(1)}+x.y`];
    for (const local of spelled) expect((await signUp({ email: `${local}@dots.example` }, { to })).status).toBe(202);
    const notices = await api.database.rows<{ email: string }>(
      `SELECT email FROM notices WHERE replace(email, '.', '') LIKE $1`,
      [`${name}%@dotsexample`],
    );
    expect(notices).toEqual([{ email: `${name}@dots.example` }]);
  });

  it('takes few sign-ups of a caller without a proof of work, more with one, each proof once', async () => {
    const proof = async () => {
      const { body } = await api.call('GET', `/api/v1/forms/${form.token}/challenge`);
      const { algorithm, challenge, maxnumber, salt } = body as unknown as Record<string, string> & {
        maxnumber: number;
      };
      const solution = await solveChallenge(challenge!, salt!, algorithm, maxnumber).promise;
      const { maxnumber: _, ...given } = body as unknown as Record<string, unknown>;
      return Buffer.from(JSON.stringify({ ...given, number: solution!.number })).toString('base64');
    };
    const ip = '192.0.2.7';
    const statuses = [];
    for (let i = 0; i < 7; i++) statuses.push((await signUp({ email: someone() }, { ip })).status);
    expect(statuses).toEqual([202, 202, 202, 202, 202, 202, 429]);
    const good = await proof();
    expect((await signUp({ email: someone(), altcha: good }, { ip })).status).toBe(202);
    expect((await signUp({ email: someone(), altcha: good }, { ip })).status).toBe(429);
    const elsewhere = await newForm();
    expect((await signUp({ email: someone(), altcha: await proof() }, { ip, to: elsewhere })).status).toBe(429);
    for (const bad of ['x', 'e30=', Buffer.from('{"salt":{},"algorithm":"MD5"}').toString('base64'), 'A'.repeat(3_000)])
      expect((await signUp({ email: someone(), altcha: bad }, { ip })).status).toBe(429);
    const tooOften = await page(`/f/${form.token}`, { email: someone() }, { 'x-forwarded-for': ip });
    expect([
      tooOften.status,
      Number(tooOften.headers.get('retry-after')) > 0,
      tooOften.text.includes('too often'),
    ]).toEqual([429, true, true]);
  });

  it('by programs that fill in everything is answered like all else, and forgotten', async () => {
    const email = someone();
    const { status, text } = await page(`/f/${form.token}`, { email, contact_again: 'yes' });
    expect([status, text]).toEqual([200, (await page(`/f/${form.token}`, { email: someone() })).text]);
    expect([await clientAt(email), await noticesTo(email)]).toEqual([undefined, []]);
  });

  it('ends at so many letters of a form in an hour', async () => {
    const busy = await newForm();
    const redis = api.app.get(RedisConnection, { strict: false });
    await redis.client.set(redis.key(`limit:signupForm:${busy.id}`), 500, 'EX', 3_600);
    const email = someone();
    expect((await signUp({ email }, { to: busy })).status).toBe(202);
    expect(await noticesTo(email)).toEqual([]);
  });

  it('is not possible while Redis can not count', async () => {
    const { client } = api.app.get(RedisConnection, { strict: false });
    const email = someone();
    const russian = await newForm({ language: 'ru', fullName: 'optional' });
    client.disconnect();
    try {
      expect((await api.call('GET', `/f/${form.token}`)).status).toBe(200);
      const answer = await signUp({ email });
      expect([answer.status, answer.body.code, Number(answer.headers.get('retry-after')) > 0]).toEqual([
        503,
        'LIMITS_UNAVAILABLE',
        true,
      ]);
      // A person keeps what they typed, and is told in the form's language.
      const typed = { email, fullName: 'Anna Typed', 'fields.city': 'Perm' };
      const again = await page(`/f/${russian.token}`, typed, { 'accept-language': 'en' });
      expect([again.status, again.headers.get('retry-after')]).toEqual([503, '5']);
      for (const value of Object.values(typed)) expect(again.text).toContain(`value="${value}"`);
      expect(again.text).toMatch(/role="alert"[^>]*>Сейчас не получается/);
    } finally {
      await client.connect();
    }
    expect(await noticesTo(email)).toEqual([]);
  });
});

describe('scripts of other sites', () => {
  const allowed = (answer: Answer) => answer.headers.get('access-control-allow-origin');

  it('may send a form and read its answer if it names their site, and no others', async () => {
    for (const [origin, expected] of [
      [SITE, SITE],
      ['https://evil.example', null],
      ['https://shop.example.evil.example', null],
      ['null', null],
    ] as const) {
      const asked = await api.call('OPTIONS', `/api/v1/forms/${form.token}`, { headers: { origin } });
      expect([asked.status, allowed(asked)]).toEqual([204, expected]);
      expect(asked.headers.get('access-control-allow-headers')).toBe(expected && 'Content-Type');
      const headers = { origin, 'sec-fetch-site': 'cross-site' };
      expect(allowed(await signUp({ email: someone() }, { headers }))).toBe(expected);
      const wrong = await signUp({ email: 'x', nothing: 1 }, { headers });
      expect([wrong.status, allowed(wrong)]).toEqual([400, expected]);
      expect(wrong.headers.get('access-control-allow-credentials')).toBeNull();
    }
    expect(
      allowed(await api.call('OPTIONS', `/api/v1/forms/${'A'.repeat(22)}`, { headers: { origin: SITE } })),
    ).toBeNull();
    const clients = await api.call('GET', '/api/v1/clients', { token: owner.token, headers: { origin: SITE } });
    expect(allowed(clients)).toBeNull();
  });

  it('plain forms of any site are taken, without a cookie', async () => {
    const email = someone();
    const headers = { origin: 'https://blog.example', 'sec-fetch-site': 'cross-site' };
    const { status, headers: got } = await page(`/f/${form.token}`, { email, 'fields.size': 'M' }, headers);
    expect([status, got.get('set-cookie')]).toEqual([200, null]);
    expect(await noticesTo(email)).toHaveLength(1);
  });
});

describe('the public page', () => {
  it('asks for what the form says, in its language, and keeps what was typed', async () => {
    const { text, headers } = await api.call('GET', `/f/${form.token}`);
    for (const words of ['Our news', 'City', 'Size', 'News', 'Offers', 'You get a letter each week.'])
      expect(text).toContain(words);
    expect(text).not.toMatch(/Difficult|From the site|Rating|https?:\/\//);
    expect([headers.get('x-robots-tag'), headers.get('set-cookie'), headers.get('referrer-policy')]).toEqual([
      'noindex, nofollow',
      null,
      'no-referrer',
    ]);
    const again = await page(`/f/${form.token}`, { email: 'nobody', 'fields.city': 'Perm', 'topic.1': 'on' });
    expect([again.status, again.text.includes('value="nobody"'), again.text.includes('value="Perm"')]).toEqual([
      400,
      true,
      true,
    ]);
    const russian = await newForm({ language: 'ru' });
    const ru = await api.call('GET', `/f/${russian.token}`, { headers: { 'accept-language': 'en' } });
    expect(ru.text).toContain('<html lang="ru"');
    expect(ru.text).toContain('Подписаться');
  });
});

describe('forms of owners', () => {
  it('are read by managers, changed by their owner, and not there for others', async () => {
    const get = (path: string, { token }: Person) => api.call('GET', `/api/v1${path}`, { token });
    expect((await get(`/forms/${form.id}`, manager)).status).toBe(200);
    for (const path of [`/forms/${form.id}`, `/forms/${form.id}/signups`])
      expect((await get(path, other)).status).toBe(404);
    const change = (who: Person) =>
      api.call('PATCH', `/api/v1/forms/${form.id}`, { token: who.token, body: { thanks: 'Hi' } });
    expect([(await change(other)).status, (await change(manager)).status, (await change(owner)).status]).toEqual([
      404, 403, 200,
    ]);
    const refused = await api.call('POST', '/api/v1/forms', {
      token: other.token,
      body: { name: 'a', title: 'b', topics: ['News'] },
    });
    expect(refused.body.errors.map(({ field }) => field)).toEqual(['topics']);
  });

  it('lose a field that was deleted and a tag that is not public any more', async () => {
    const own = await api.person();
    await post('/fields', { key: 'town', label: 'Town', type: 'text' }, own);
    const tag = await post('/tags', { name: 'Topic', public: true }, own);
    const body = { name: 'a', title: 'b', fields: ['town'], requiredFields: ['town'], topics: ['Topic'] };
    const theirs = (await post('/forms', body, own)) as unknown as typeof form;
    await api.call('DELETE', '/api/v1/fields/town', { token: own.token });
    await api.call('PATCH', `/api/v1/tags/${tag.id}`, { token: own.token, body: { public: false } });
    expect((await api.call('GET', `/f/${theirs.token}`)).text).not.toMatch(/Town|Topic/);
    expect((await signUp({ email: someone() }, { to: theirs })).status).toBe(202);
    const changed = await api.call('PATCH', `/api/v1/forms/${theirs.id}`, { token: own.token, body: { title: 'c' } });
    expect(changed.body).toMatchObject({ title: 'c', fields: [], topics: [] });
  });
});

describe('topics behind the link of a letter', () => {
  it('are set exactly as chosen; other tags stay and are not shown', async () => {
    const email = someone();
    const { id: clientId } = await addClient(email, { tags: ['Difficult people', 'Offers'] });
    const messageId = (await post('/messages', messageBody())).id;
    const body = mailingBody(messageId, { audience: 'selected', clientIds: [clientId], period: 'daily' });
    const mailingId = (await post('/mailings', body)).id;
    const runId = Number((await post(`/mailings/${mailingId}/send`, {})).runId);
    await api.app.get(PlannerService, { strict: false }).plan(runId);
    const delivery = await api.database.first<{ id: number }>('SELECT id FROM deliveries WHERE run_id = $1', [runId]);
    const keys = api.app.get(LinkKeys, { strict: false });
    const link = `/u/${(await keys.signer({ kind: 'unsubscribe', ownerId: owner.id, mailingId }))(delivery!.id, email)}`;
    const { text } = await api.call('GET', link);
    expect(text).toContain('Offers');
    expect(text).not.toMatch(/Difficult|From the site/);
    const tags = await api.database.rows<{ id: number; name: string }>(
      'SELECT id, name FROM tags WHERE owner_id = $1',
      [owner.id],
    );
    const idOf = (name: string) => tags.find((tag) => tag.name === name)!.id;
    const choose = (...names: string[]) =>
      page(link, { action: 'topics', ...Object.fromEntries(names.map((name) => [`topic.${idOf(name)}`, 'on'])) });
    const saved = await choose('News', 'From the site');
    expect([saved.status, saved.text.includes('Your choice is saved.')]).toEqual([200, true]);
    expect((await clientAt(email))!.tags).toEqual(['Difficult people', 'News']);
    await choose();
    expect((await clientAt(email))!.tags).toEqual(['Difficult people']);
    expect((await clientAt(email))!.subscription.status).toBe('subscribed');

    // A topic that the page did not show is neither given nor taken away.
    await choose('Offers');
    await page(link, { action: 'topics', shown: `${idOf('News')}-0`, [`topic.${idOf('News')}`]: 'on' });
    expect((await clientAt(email))!.tags).toEqual(['Difficult people', 'News', 'Offers']);
    expect((await api.call('GET', link)).text).toContain(`name="shown" value="${idOf('News')}-${idOf('Offers')}"`);
    await page(link, { action: 'topics', shown: `${idOf('News')}`, [`topic.${idOf('Offers')}`]: 'on' });
    expect((await clientAt(email))!.tags).toEqual(['Difficult people', 'Offers']);

    await page(link, { action: 'unsubscribe', scope: 'owner' });
    expect((await api.call('GET', link)).text).not.toContain('value="topics"');
    const test = `/u/${(await keys.signer({ kind: 'test', ownerId: owner.id, mailingId: 0 }))(delivery!.id, email)}`;
    expect((await api.call('GET', test)).text).not.toContain('Offers');
    await api.call('DELETE', `/api/v1/clients/${clientId}`, { token: owner.token });
    expect((await choose('News')).text).not.toContain('value="topics"');
  });
});
