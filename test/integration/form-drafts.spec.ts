import { FormDrafts } from '../../src/features/drafts/form-drafts.service';
import { StaleUsers } from '../../src/features/users/stale-users';
import { WebModule } from '../../src/web/web.module';
import { type Answer, type Person, startApi, type TestApi } from '../support/api';
import { messageBody } from '../support/factories';

/** Drafts of forms: whose they are, how many, how long; and what a session that is over can still do: keep its text. */

let api: TestApi;
let owner: Person;
let other: Person;
let session: { cookie: string; csrf: string };

beforeAll(async () => {
  api = await startApi({}, [WebModule]);
  [owner, other] = [await api.person('user', 'writes@example.org'), await api.person('user', 'reads@example.org')];
});

beforeEach(async () => {
  session = await api.signIn('writes@example.org');
});

afterAll(() => api.close());

const AS_SCRIPT = { 'hx-request': 'true' };

const send = (path: string, form: Record<string, string>, more: Record<string, string> = {}, cookie = session.cookie) =>
  api.call('POST', path, {
    cookie,
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin', ...more },
    body: new URLSearchParams(form).toString(),
  });

const keep = (page: string, form: Record<string, string>, at = session) =>
  send('/drafts', { page, _csrf: at.csrf, ...form }, AS_SCRIPT, at.cookie);

const drafts = (userId = owner.id) =>
  api.database.rows<{ page: string; fields: Record<string, string> }>(
    'SELECT page, fields FROM form_drafts WHERE user_id = $1 ORDER BY page',
    [userId],
  );

const where = ({ status, headers }: Answer) => [status, headers.get('location')];
const clear = () => api.database.rows('DELETE FROM form_drafts');
afterEach(clear);

it('belong to a user and a page with a form', async () => {
  expect((await keep('/messages/7?x=1', { subject: 'Mine\0', key: 'k', for: '1' })).status).toBe(200);
  const others = await api.signIn('reads@example.org');
  expect((await keep('/messages/7', { subject: 'Theirs' }, others)).status).toBe(200);
  expect(await drafts()).toEqual([{ page: '/messages/7', fields: { subject: 'Mine' } }]);
  expect(await drafts(other.id)).toEqual([{ page: '/messages/7', fields: { subject: 'Theirs' } }]);
  for (const page of ['/account', 'https://evil.example/messages/7', ''])
    expect((await keep(page, { subject: 'x' })).status).toBe(400);
  expect((await send('/drafts/discard?page=/messages/7', { _csrf: others.csrf }, {}, others.cookie)).status).toBe(303);
  expect([await drafts(), await drafts(other.id)]).toMatchObject([[{ page: '/messages/7' }], []]);
});

it('go with what is saved from them, and stay with what another window saves', async () => {
  const client = { email: '', fullName: 'Saved' };
  const save = async (email: string, more: Record<string, string> = {}) => {
    const sent = { ...client, email, page: '/clients/new', for: String(owner.id), _csrf: session.csrf, ...more };
    expect((await send('/clients/new', sent)).status).toBe(303);
    return (await drafts()).length;
  };
  await keep('/clients/new', { ...client, email: 'other@example.org' });
  expect(await save('first@example.org')).toBe(1);
  expect(await save('second@example.org', { draft: new Date(0).toISOString() })).toBe(1);
  expect(await save('other@example.org', { then: 'again' })).toBe(0);
  // Without a script a draft is not kept again when it is changed: the form tells which one it showed.
  await keep('/clients/new', { ...client, email: 'unfinished' });
  const shown = /name="draft" value="([^"]+)"/.exec((await api.call('GET', '/clients/new', session)).text)?.[1];
  expect(await save('finished@example.org', { draft: shown ?? '' })).toBe(0);
});

it('are at most a hundred for each user, and go after a month', async () => {
  const service = api.app.get(FormDrafts, { strict: false });
  for (let id = 1; id <= 105; id++) await service.keep(owner.id, `/messages/${id}`, { subject: String(id) });
  expect(await drafts()).toHaveLength(100);
  expect((await drafts()).map(({ page }) => page)).not.toContain('/messages/5');
  await api.database.rows(`UPDATE form_drafts SET kept_at = now() - interval '31 days' WHERE page <> '/messages/105'`);
  await service.forgetOld();
  expect((await drafts()).map(({ page }) => page)).toEqual(['/messages/105']);
});

it('go when they mention a person who is erased, those of other owners stay', async () => {
  const [client = 0] = await api.make.clients(owner.id, ['gone@example.org']);
  const service = api.app.get(FormDrafts, { strict: false });
  await service.keep(owner.id, '/mailings/new', { clientIds: 'a@example.org, Gone@Example.org' });
  await service.keep(owner.id, '/messages/new', { body: 'nobody' });
  await service.keep(other.id, '/mailings/new', { clientIds: 'gone@example.org' });
  const erased = await api.call('POST', `/api/v1/clients/${client}/erase`, { token: owner.token, body: {} });
  expect(erased.status).toBe(200);
  expect([await drafts(), await drafts(other.id)]).toMatchObject([
    [{ page: '/messages/new' }],
    [{ page: '/mailings/new' }],
  ]);
});

describe('a form of a session that is over', () => {
  let at: string;
  const subject = async () => (await api.call('GET', `/api/v1${at}`, { token: owner.token })).body.subject;
  const form = () => ({ subject: 'Typed', page: at, _csrf: session.csrf, for: String(owner.id) });
  const end = (sql: string) => api.database.rows(`${sql} WHERE user_id = $1`, [owner.id]);

  beforeEach(async () => {
    const made = await api.call('POST', '/api/v1/messages', {
      token: owner.token,
      body: messageBody({ subject: 'Saved' }),
    });
    at = `/messages/${made.body.id}`;
  });

  it('is kept, and nothing else is done', async () => {
    await end(`UPDATE sessions SET expires_at = now() - interval '23 hours'`);
    expect(where(await send(at, form()))).toEqual([303, `/sign-in?next=${encodeURIComponent(at)}&kept=1`]);
    expect(await drafts()).toEqual([{ page: at, fields: { subject: 'Typed' } }]);
    expect(await subject()).toBe('Saved');
    // It lets nobody in, and its sweep leaves it for a day.
    expect(where(await api.call('GET', at, { cookie: session.cookie }))).toEqual([
      303,
      `/sign-in?next=${encodeURIComponent(at)}`,
    ]);
    expect((await api.call('GET', '/api/v1/me', { cookie: session.cookie })).status).toBe(401);
  });

  it('of a second window is kept beside that of the first one, and both are found again', async () => {
    await end(`UPDATE sessions SET expires_at = now() - interval '1 hour'`);
    const window = (key: string, text: string, draft = '') =>
      send(at, { ...form(), subject: text, key: `web-${key}-0000-4000-8000-000000000000`, draft });
    const one = where(await window('0a1b2c3d', 'One'));
    const two = where(await window('4e5f6a7b', 'Two'));
    expect([one, two]).toEqual(
      [at, `${at}?window=4e5f6a7b`].map((page) => [303, `/sign-in?next=${encodeURIComponent(page)}&kept=1`]),
    );
    // What goes on from a draft takes its place, and so does the same text, sent twice.
    const [draft] = await api.database.rows<{ keptAt: Date }>('SELECT kept_at FROM form_drafts WHERE page = $1', [at]);
    await window('89abcdef', 'One more', draft?.keptAt.toISOString());
    await window('4e5f6a7b', 'Two');
    expect(await drafts()).toMatchObject([
      { page: at, fields: { subject: 'One more' } },
      { page: `${at}?window=4e5f6a7b`, fields: { subject: 'Two' } },
    ]);
    session = await api.signIn('writes@example.org');
    const shown = await api.call('GET', `${at}?window=4e5f6a7b`, session);
    expect(shown.text).toMatch(/name="subject"[^>]*value="Two"|value="Two"[^>]*name="subject"/);
    expect(shown.text).toContain(`name="page" value="${at}?window=4e5f6a7b"`);
  });

  it('is not kept with the token of another form, after a day, or when somebody ended the session', async () => {
    const led = [303, '/sign-in'];
    await end(`UPDATE sessions SET last_seen_at = now() - interval '25 hours'`);
    expect(where(await send(at, { ...form(), _csrf: 'x' }))).toEqual(led);
    expect(where(await send(at, form(), { 'content-type': 'text/plain' }))).toEqual(led);
    expect((await send(at, form(), { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect(await drafts()).toEqual([]);
    const stale = new StaleUsers(api.database, api.config);
    await stale.forget();
    await end(`UPDATE sessions SET last_seen_at = last_seen_at - interval '1 day'`);
    expect(where(await send(at, form()))).toEqual(led);
    await stale.forget();
    expect(await api.database.rows('SELECT FROM sessions WHERE user_id = $1', [owner.id])).toHaveLength(0);

    session = await api.signIn('writes@example.org');
    await api.call('POST', '/api/v1/auth/logout', { cookie: session.cookie, csrf: session.csrf, body: {} });
    expect(where(await send(at, form()))).toEqual(led);
    session = await api.signIn('writes@example.org');
    await end(`UPDATE sessions SET expires_at = now() - interval '1 hour'`);
    await api.database.rows(`UPDATE users SET status = 'blocked' WHERE id = $1`, [owner.id]);
    expect(where(await send(at, form()))).toEqual(led);
    await api.database.rows(`UPDATE users SET status = 'active' WHERE id = $1`, [owner.id]);
    expect(await drafts()).toEqual([]);
  });

  it('leads back to the page of this site that it came from', async () => {
    const from = (referer: string) => api.call('POST', `${at}/copy`, { headers: { referer } });
    expect(where(await from(`${api.url}/messages?search=x`))).toEqual([303, '/sign-in?next=%2Fmessages%3Fsearch%3Dx']);
    for (const referer of ['https://evil.example/messages', 'nonsense', `${api.url}//evil.example`])
      expect(where(await from(referer))).toEqual([303, '/sign-in']);
  });

  it('with the token of an earlier one is shown again, to the same user, and from our pages only', async () => {
    const now = await api.signIn('writes@example.org');
    const late = (more: object, headers: Record<string, string> = {}) =>
      send(at, { ...form(), ...more }, headers, now.cookie);
    expect(where(await late({}))).toEqual([303, at]);
    expect(await drafts()).toEqual([{ page: at, fields: { subject: 'Typed' } }]);
    expect(await subject()).toBe('Saved');
    await clear();
    expect((await late({ for: String(other.id) })).status).toBe(403);
    expect((await late({}, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await late({ page: '/account' })).status).toBe(403);
    expect((await late({}, AS_SCRIPT)).status).toBe(403);
    expect(await drafts()).toEqual([]);
  });
});

describe('a form of what was deleted meanwhile', () => {
  const made = async (path: string, body: object): Promise<number> => {
    const answer = await api.call('POST', `/api/v1${path}`, { token: owner.token, body });
    expect([answer.status, answer.status === 201 ? '' : answer.text]).toEqual([201, '']);
    return answer.body.id;
  };
  const gone = async (path: string, id: number) =>
    expect((await api.call('DELETE', `/api/v1${path}/${id}`, { token: owner.token })).status).toBe(204);
  const opened = { version: '1', was: 'x' };
  const saved = (page: string, form: Record<string, string>) =>
    send(page, { page, _csrf: session.csrf, for: String(owner.id), ...opened, ...form });

  it('is shown again as one that makes it anew, with what was typed', async () => {
    const clientId = await made('/clients', { email: 'gone@example.org' });
    const segmentId = await made('/segments', { name: 'Gone', filter: { field: 'email', op: 'contains', value: 'x' } });
    const [html, blocks] = [await made('/messages', messageBody()), await made('/messages', messageBody())];
    await gone('/clients', clientId);
    await gone('/segments', segmentId);
    await gone('/messages', html);
    await gone('/messages', blocks);
    const condition = { 'g0.match': 'all', 'g0.0.field': 'email', 'g0.0.op': 'contains', 'g0.0.value': 'Typed text' };
    for (const [page, form, anew] of [
      [`/clients/${clientId}/edit`, { email: 'gone@example.org', comment: 'Typed text' }, '/clients/new'],
      [`/segments/${segmentId}/edit`, { name: 'Gone', segmentId: String(segmentId), ...condition }, '/segments/new'],
      [`/messages/${html}`, { subject: 'Typed text', body: '<p>Hi</p>' }, '/messages/new?as=html'],
      [`/messages/${blocks}`, { subject: 'Typed text', document: '{}' }, '/messages/new?as=blocks'],
      ['/mailings/999999/edit', { name: 'Typed text', period: 'once' }, '/mailings/new'],
      ['/forms/999999/edit', { name: 'Typed text' }, '/forms/new'],
    ] as const) {
      await keep(page, { ...opened, ...form });
      const answer = await saved(page, form);
      expect([page, ...where(answer)]).toEqual([page, 303, anew]);
      expect(answer.headers.getSetCookie().join()).toContain('gonets_flash=keptOfGone');
      expect(await drafts()).toEqual([{ page: anew, fields: form }]);
      const shown = await api.call('GET', anew, { cookie: `${session.cookie}; gonets_flash=keptOfGone` });
      expect(shown.text).toContain('Typed text');
      expect(shown.text).toContain('It was deleted while you were writing');
      await clear();
    }
  });

  it('that was left before is offered where the thing was, and leads to one that makes it anew', async () => {
    const page = '/clients/999999/edit';
    await keep(page, { ...opened, comment: 'Typed <text>' });
    const { status, text } = await api.call('GET', page, session);
    expect(status).toBe(404);
    expect(text).toContain('What you typed about it is kept.');
    expect(text).toContain('value="Typed &lt;text>"');
    const fields = Object.fromEntries(
      [...text.matchAll(/<input type="hidden" name="([\w.]+)" value="([^"]*)"/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    ) as Record<string, string>;
    expect(where(await send(page, { ...fields, comment: 'Typed <text>' }))).toEqual([303, '/clients/new']);
    expect(await drafts()).toEqual([{ page: '/clients/new', fields: { comment: 'Typed <text>' } }]);
    await clear();
    expect((await api.call('GET', page, session)).text).not.toContain('What you typed about it is kept.');
  });

  it('takes nothing from another window, and is for those alone who sent one', async () => {
    const page = '/clients/999999/edit';
    await keep(page, { comment: 'Of another window' });
    await keep('/clients/new', { comment: 'Of a third one' });
    const form = { comment: 'Mine', key: 'web-01234567-89ab-cdef-0123-456789abcdef' };
    expect(where(await saved(page, form))).toEqual([303, '/clients/new?window=01234567']);
    expect((await drafts()).map((draft) => draft.fields.comment)).toEqual([
      'Of another window',
      'Of a third one',
      'Mine',
    ]);
    await clear();
    expect((await send('/clients/999999/delete', { page, _csrf: session.csrf })).status).toBe(404);
    expect((await api.call('GET', page, session)).status).toBe(404);
    expect(await drafts()).toEqual([]);
  });
});
