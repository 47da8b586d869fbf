import { randomUUID } from 'node:crypto';
import { RedisConnection } from '../../src/queue/redis.module';
import { WebModule } from '../../src/web/web.module';
import { type Answer, type Person, startApi, type TestApi } from '../support/api';
import { makeObjects, type Objects } from '../support/objects';

/** What was refused is said on the page on which it was asked for. */

let api: TestApi;
let owner: Person;
let manager: Person;
let objects: Objects;
let session: { cookie: string; csrf: string };

beforeAll(async () => {
  api = await startApi({}, [WebModule]);
  [owner, manager] = [await api.person(), await api.person('manager')];
  objects = await makeObjects(api, owner);
  session = await api.signIn(owner.email);
});
afterAll(() => api.close());

type Session = typeof session;

/** Sends a form as a browser does, from this page. */
const press = (path: string, from: string | null, fields: Record<string, string> = {}, by: Session = session) =>
  api.call('POST', path, {
    cookie: by.cookie,
    body: new URLSearchParams({ _csrf: by.csrf, key: `web-${randomUUID()}`, ...fields }).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(from !== null && { referer: from.startsWith('/') ? api.url + from : from }),
    },
  });

/** The cookies of an answer, as a browser would send them with the next request. */
const left = ({ headers }: Answer) =>
  headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0] ?? '')
    .filter((cookie) => !cookie.endsWith('='))
    .join('; ');
const open = (path: string, more: string, cookie = session.cookie) =>
  api.call('GET', path, { cookie: `${cookie}; ${more}` });

test('a refused button leads back to its page, which says the true cause, once', async () => {
  const page = `/mailings/${objects.mailing}?cursor=`;
  const refused = await press(`/mailings/${objects.mailing}/resume`, page);
  expect([refused.status, refused.headers.get('location')]).toEqual([303, page]);
  const shown = await open(page, left(refused));
  expect(shown.status).toBe(200);
  expect(shown.text).toMatch(
    /<div class="alert alert-warning" role="alert"[^>]*>.*This mailing is scheduled or being sent already\./s,
  );
  expect(left(shown)).toBe('');
  expect(shown.headers.getSetCookie().join()).toContain('gonets_notice=;');
  expect((await open(page, '')).text).not.toContain('role="alert"');
});

test('what uses a thing is named in the notice, in the language of its reader', async () => {
  await api.call('PATCH', '/api/v1/me', { token: owner.token, body: { language: 'ru' } });
  const refused = await press(`/messages/${objects.message}/delete`, `/messages/${objects.message}`);
  const shown = await open(`/messages/${objects.message}`, left(refused));
  expect(shown.text).toMatch(/role="alert".*Сообщение используется в рассылках/s);
  await api.call('PATCH', '/api/v1/me', { token: owner.token, body: { language: 'en' } });
});

test('a page that was open for too long is shown anew and says so; nothing was done', async () => {
  const page = `/mailings/${objects.mailing}`;
  const stale = await press(`${page}/pause`, page, {}, { ...session, csrf: 'of-another-session' });
  expect([stale.status, stale.headers.get('location')]).toEqual([303, page]);
  expect((await open(page, left(stale))).text).toContain('was open for too long, so nothing was done');
  const { body } = await api.call('GET', `/api/v1/mailings/${objects.mailing}`, { token: owner.token });
  expect(body.status).toBe('started');
});

test('an answer to a form may be a page of which there is no address: then the nearest one is shown', async () => {
  const refused = await press(`/mailings/${objects.mailing}/resume`, `/mailings/${objects.mailing}/send`);
  expect(refused.headers.get('location')).toBe(`/mailings/${objects.mailing}`);
});

test('where something was written, or nobody knows where it came from, the error is a page with a way back', async () => {
  const name = await press('/clients/4711/edit', '/clients/4711/edit', { fullName: 'Long to write' });
  expect(name.status).toBe(404);
  expect(name.text).toMatch(/<a class="btn btn-primary" href="\/clients\/4711\/edit" data-back[^>]*>Back</);
  expect(name.text).toMatch(/<a class="btn btn-secondary" href="\/clients"[^>]*>Clients</);
  for (const from of [null, 'https://evil.example/mailings', 'nonsense']) {
    const answer = await press(`/mailings/${objects.mailing}/resume`, from);
    expect([answer.status, answer.text.includes('This mailing is scheduled or being sent already.')]).toEqual([
      409,
      true,
    ]);
    expect(answer.text).toContain('href="/"');
  }
});

test('what a role may not do is refused for that reason alone', async () => {
  const own = await api.signIn(manager.email);
  const refused = await press(`/users/${owner.id}/role`, `/users/${owner.id}`, { role: 'admin' }, own);
  expect(refused.status).toBe(303);
  // Another session of the same person: what was said to the first is not said to it.
  const other = await api.signIn(manager.email);
  expect((await open(`/users/${owner.id}`, left(refused), other.cookie)).text).not.toContain('role="alert"');
  expect((await open(`/users/${owner.id}`, left(refused), own.cookie)).text).toContain(
    'Your role does not allow this.',
  );
  const direct = await api.call('GET', '/users', { cookie: session.cookie });
  expect([direct.status, direct.text.includes('Your role does not allow this.')]).toEqual([403, true]);
});

test('nobody who can set a cookie puts words into a page', async () => {
  const payload = Buffer.from(JSON.stringify(['Call this number', true])).toString('base64url');
  const real = left(await press(`/mailings/${objects.mailing}/resume`, '/mailings'));
  const seal = real.split('.').at(-1);
  for (const forged of [`${payload}.${seal}`, payload, `${payload}.`, '.', ''])
    expect((await open('/mailings', `gonets_notice=${forged}`)).text).not.toContain('role="alert"');
  expect((await open('/mailings', real)).text).toContain('role="alert"');
});

test('a live part that asks in between leaves it for the page', async () => {
  const waiting = `${left(await press(`/mailings/${objects.mailing}/resume`, '/mailings'))}; gonets_flash=saved`;
  const live = await api.call('GET', '/live', {
    cookie: `${session.cookie}; ${waiting}`,
    headers: { 'hx-request': 'true' },
  });
  expect([live.status, live.headers.getSetCookie()]).toEqual([200, []]);
});

test('no page that says what is wrong is headed by what went well', async () => {
  const withFlash = { ...session, cookie: `${session.cookie}; gonets_flash=saved` };
  const wrong = await press('/clients/tags', '/clients/tags', { name: '' }, withFlash);
  expect([wrong.status, wrong.text.includes('class="flash"')]).toEqual([400, false]);
  const nothing = await open('/clients/4711', 'gonets_flash=saved');
  expect([nothing.status, nothing.text.includes('class="flash"')]).toEqual([404, false]);
  expect((await open('/clients', 'gonets_flash=saved')).text).toContain('class="flash"');
});

test('a form of what is not possible just now is shown again with what was typed, and says when to try again', async () => {
  const boss = await api.signIn(manager.email);
  const typed = { email: 'typed@example.org', fullName: 'Anna Typed' };
  const { client } = api.app.get(RedisConnection, { strict: false });
  client.disconnect();
  try {
    for (const [path, fields] of [
      ['/users/invite', typed],
      ['/register', { ...typed, password: 'a long enough password' }],
      ['/sign-in', { email: typed.email, password: 'a long enough password' }],
    ] as const) {
      const answer = await press(path, path, fields, boss);
      expect([path, answer.status, answer.headers.get('retry-after')]).toEqual([path, 503, '5']);
      expect(answer.text).toMatch(/role="alert"[^>]*>Not possible just now\. Try again soon\./);
      expect(answer.text).toContain(`value="${typed.email}"`);
      expect(answer.text.includes(`value="${typed.fullName}"`)).toBe('fullName' in fields);
      expect(answer.text).not.toContain('a long enough password');
    }
  } finally {
    await client.connect();
  }
});

test('a notice that was not made here is none, whatever is in it', async () => {
  const page = `/mailings/${objects.mailing}`;
  // The last one has as many characters as the right seal, and more bytes.
  for (const cookie of ['x', 'x.y', `W10.${'a'.repeat(43)}`, `W10.${'a'.repeat(42)}%D1%8F`]) {
    const shown = await open(page, `gonets_notice=${cookie}`);
    expect([cookie, shown.status]).toEqual([cookie, 200]);
    expect(shown.text).not.toContain('role="alert"');
  }
});
