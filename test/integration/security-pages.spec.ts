import { WebModule } from '../../src/web/web.module';
import { startApi, type TestApi } from '../support/api';
import { makeObjects, type Objects, routesOf } from '../support/objects';

/** Every page of the running application, from its own table of routes: whoever adds one is held to the same. */

/** For everybody; the last one is for addresses that are nobody's. */
const PUBLIC =
  /^\/(sign-in(\/code|\/oidc(\/callback)?)?|register|confirm|confirm-email|invitation|forgot|reset|language\/:code|u\/:link|media\/:name|f\/:token|f\/confirm|\{\*path\})$/;
const FOR_MANAGERS =
  /^\/((users|audit|status)(\/|$)|suppressions\/batches\/:id\/suppress$|inbound\/:id\/judge$|inbound\/webhooks(\/|$))/;
const OBJECTS: [RegExp, keyof Objects][] = [
  [/^\/clients\/import\/:id/, 'import'],
  [/^\/clients\/tags\/:id/, 'tag'],
  [/^\/clients\/:id/, 'client'],
  [/^\/forms\/:id/, 'form'],
  [/^\/messages\/:id/, 'message'],
  [/^\/messages\/pictures\/:id/, 'picture'],
  [/^\/segments\/:id/, 'segment'],
  [/^\/mailings\/:id/, 'mailing'],
  [/^\/runs\/:id/, 'run'],
  [/^\/deliveries\/:id/, 'delivery'],
  [/^\/users\/:id/, 'user'],
  [/^\/suppressions\/batches\/:id/, 'batch'],
  [/^\/inbound\/:id/, 'inbound'],
  [/^\/inbound\/webhooks\/:id/, 'webhook'],
  [/^\/clients\/jobs\/:id/, 'job'],
  [/^\/suppressions\/:id/, 'suppression'],
  [/^\/(account\/)?tokens\/:id/, 'token'],
  [/^\/account\/sessions\/:id/, 'session'],
  [/^\/account\/provider\/:id/, 'identity'],
];

type Session = { cookie: string; csrf: string };
let api: TestApi;
let objects: Objects;
let owner: Session;
let other: Session;
let manager: Session;
let pages: { method: string; path: string; url: string; ofOne: boolean }[];

beforeAll(async () => {
  api = await startApi({ apiCallsPerMinute: 0 }, [WebModule]);
  const [one, another, boss] = [await api.person(), await api.person(), await api.person('manager')];
  objects = await makeObjects(api, one);
  [owner, other, manager] = [
    await api.signIn(one.email),
    await api.signIn(another.email),
    await api.signIn(boss.email),
  ];
  pages = routesOf(api)
    .map((route) => route.split(' ') as [string, string])
    .filter(([, path]) => !/^\/api\b/.test(path) && !PUBLIC.test(path))
    .map(([method, path]) => {
      const of = OBJECTS.find(([pattern]) => pattern.test(path))?.[1];
      const url = path.replace(':id', of ? String(objects[of]) : ':id').replace(/:\w+/g, 'nothing');
      return { method, path, url, ofOne: of !== undefined };
    });
});
afterAll(() => api.close());

const ask = (method: string, url: string, session?: Partial<Session>) =>
  api.call(method, url, {
    ...(session?.cookie && { cookie: session.cookie }),
    ...(session?.csrf && { csrf: session.csrf }),
    headers: {
      accept: 'text/html',
      ...(method === 'GET' ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    ...(method === 'GET' ? {} : { body: '' }),
  });

describe('nothing of what somebody sees is kept by a browser or on the way', () => {
  test('of pages, lists as CSV, errors and the ways to other pages', async () => {
    for (const { method, url } of pages.filter((page) => page.method === 'GET')) {
      const answer = await ask(method, url, manager);
      expect([url, answer.headers.get('cache-control')]).toEqual([url, 'no-store']);
    }
  });

  test.each([
    '/queues',
    '/queues/api/queues',
    '/QUEUES/',
    '/Clients/export.csv',
    '/nothing',
    '/api/docs',
    '/api/docs-json',
    '/api/v1/clients/export.csv',
    '/api/v1/nothing',
    '/sign-in',
  ])('of %s', async (url) => {
    expect((await ask('GET', url, manager)).headers.get('cache-control')).toBe('no-store');
  });

  test('but for bundles, which hold nothing of anybody', async () => {
    const { text } = await ask('GET', '/sign-in');
    const bundle = /\/assets\/[\w.-]+\.js/.exec(text)?.[0] ?? '';
    expect((await ask('GET', bundle, manager)).headers.get('cache-control')).toMatch(/immutable/);
  });

  test('a sign-out clears what the browser has kept', async () => {
    const person = await api.person();
    const first = await api.signIn(person.email);
    const left = await ask('POST', '/sign-out', first);
    expect([left.status, left.headers.get('clear-site-data')]).toEqual([303, '"cache", "storage"']);
    const second = await api.signIn(person.email);
    const out = await api.call('POST', '/api/v1/auth/logout', second);
    expect([out.status, out.headers.get('clear-site-data')]).toEqual([204, '"cache", "storage"']);
    for (const { headers } of [left, out])
      expect(headers.get('set-cookie')).toMatch(/gonets=; .*Expires=Thu, 01 Jan 1970/);
  });
});

test('there are pages, and every id in an address is known here', () => {
  expect(pages.length).toBeGreaterThan(30);
  expect(pages.filter(({ path, ofOne }) => path.includes(':id') && !ofOne)).toEqual([]);
});

test.each([
  ['GET', '/api/v1/nothing'],
  ['GET', '/api/v1/nothing/'],
  ['GET', '/API/V1/Nothing'],
  ['GET', '/api/v1/mailings/1/nothing'],
  ['GET', '/api/v1'],
  ['GET', '/api/'],
  ['GET', '/api'],
  ['GET', '/Api/v2/me'],
  ['POST', '/api/v1/nothing'],
])('what the API does not have is no page: %s %s', async (method, url) => {
  for (const session of [undefined, owner]) {
    const { status, headers, body } = await ask(method, url, session);
    expect([status, headers.get('content-type')]).toEqual([404, 'application/problem+json; charset=utf-8']);
    expect(body).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
      title: 'Not found',
      detail: `Cannot ${method} ${url}`,
    });
  }
});

test('what is broken in an address of the API is no page either', async () => {
  const { status, headers } = await ask('GET', '/api/v1/clients/%E0%A4%A', owner);
  expect([status, headers.get('content-type')]).toEqual([400, 'application/problem+json; charset=utf-8']);
});

test.each(['/nothing', '/apis', '/api-docs'])('%s is answered by a page', async (url) => {
  const { status, headers } = await ask('GET', url);
  expect([status, headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
});

test('who is not signed in is sent to do so, everywhere', async () => {
  for (const { method, path, url } of pages) {
    const { status, headers } = await ask(method, url);
    expect([method, path, status, headers.get('location')?.split('?')[0]]).toEqual([method, path, 303, '/sign-in']);
  }
});

test("another's objects are not there", async () => {
  for (const { method, path, url } of pages.filter(({ ofOne, path }) => ofOne && !FOR_MANAGERS.test(path))) {
    const { status } = await ask(method, url, other);
    const made = await ask(method, path.replace(':id', '999999999'), other);
    // An empty form may be answered before it is looked whom it concerns: as for what is not there at all.
    expect([method, path, status, [303, 400, 404, 415].includes(status)]).toEqual([method, path, made.status, true]);
  }
});

test('what is for managers is for nobody else', async () => {
  for (const { method, path, url } of pages.filter(({ path }) => FOR_MANAGERS.test(path)))
    expect([method, path, (await ask(method, url, owner)).status]).toEqual([method, path, 403]);
});

test('no form is taken without the CSRF token of its session', async () => {
  for (const { method, path, url } of pages.filter(({ method }) => method !== 'GET'))
    for (const csrf of ['', other.csrf])
      expect([path, (await ask(method, url, { cookie: owner.cookie, csrf })).status]).toEqual([path, 403]);
});

test('one’s own and, to read, everybody’s to a manager', async () => {
  // Only of what was sent there is a letter to see.
  await api.database.affected(`UPDATE deliveries SET status = 'sent' WHERE id = $1`, [objects.delivery]);
  for (const { path, url } of pages.filter(({ method, path }) => method === 'GET' && !/:(?!id)/.test(path)))
    for (const [who, session] of [
      ['owner', owner],
      ['manager', manager],
    ] as const) {
      if (who === 'owner' && FOR_MANAGERS.test(path)) continue;
      const editsAnothers = who === 'manager' && /:id\/edit$/.test(path);
      const { status } = await ask('GET', url, session);
      expect([who, path, status < 400 || (editsAnothers && status === 404)]).toEqual([who, path, true]);
    }
});

test('a letter is shown without scripts, forms and a way out of its frame', async () => {
  const preview = await api.call('POST', '/messages/preview', {
    ...owner,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ subject: 'Hi', body: '<p>Hi</p>' }).toString(),
  });
  const [, src = ''] = /<iframe [^>]*\bsandbox \w[^>]*src="([^"]*)"/.exec(preview.text) ?? [];
  const letter = await ask('GET', src, owner);
  expect(letter.text).toContain('<p>Hi</p>');
  expect(letter.headers.get('content-security-policy')).toBe(
    "sandbox; default-src 'none'; img-src 'self' https: data:; style-src 'unsafe-inline'; frame-ancestors 'self'",
  );
  expect(letter.headers.get('x-frame-options')).toBe('SAMEORIGIN');
  expect((await ask('GET', src, other)).status).toBe(404);
});

test('an unknown address leads back to the pages of who is signed in, and shows strangers none', async () => {
  const menu = async (session?: Partial<Session>) => {
    const { status, text } = await ask('GET', '/nowhere', session);
    return [status, text.includes('<nav class="menu"')];
  };
  expect([await menu(owner), await menu(), await menu({ cookie: 'gonets=x' })]).toEqual([
    [404, true],
    [404, false],
    [404, false],
  ]);
});

test('a frame says why there is no letter in it', async () => {
  const person = await api.person();
  const session = await api.signIn(person.email);
  const id = await api.make.message(person.id, { body: '<p>{{ client.gone }}</p>' });
  const { status, headers, text } = await ask('GET', `/messages/${id}/letter.html`, session);
  expect([status, headers.get('x-frame-options')]).toEqual([400, 'SAMEORIGIN']);
  expect(text).toContain('The letter cannot be shown.');
  expect(text).toContain('client.gone');
  expect(text).not.toContain('Menu');
});

test.each([
  ['ru', '/messages?cursor=x', '/messages?cursor=x'],
  ['ru', '//evil.example', '/'],
  ['ru', '/\\evil.example', '/'],
  ['ru', 'https://evil.example', '/'],
  ['nothing', 'javascript:alert(1)', '/'],
  ['ru\r\nX: y', '/\r\nX: y', '/'],
])('the choice of a language (%j) with %j leads to %s', async (code, next, location) => {
  const { status, headers } = await ask(
    'GET',
    `/language/${encodeURIComponent(code)}?next=${encodeURIComponent(next)}`,
    owner,
  );
  expect([status, headers.get('location'), headers.get('x')]).toEqual([303, location, null]);
  expect(headers.get('set-cookie')).toEqual(
    code === 'ru' ? (expect.stringMatching(/^gonets_language=ru; /) as string) : null,
  );
});
