import { type Call, startApi, type TestApi } from '../support/api';
import { messageBody } from '../support/factories';

let api: TestApi;
let session: { cookie: string; csrf: string };

beforeAll(async () => {
  api = await startApi();
  session = await api.signIn((await api.person()).email);
});
afterAll(() => api.close());

const rename = (call: Call) => api.call('POST', '/api/v1/messages', { body: messageBody(), ...call });

test('a cookie writes with its CSRF token only', async () => {
  expect((await rename({ cookie: session.cookie, csrf: session.csrf })).status).toBe(201);
  for (const csrf of [undefined, '', 'x', `${session.csrf}x`, 'x'.repeat(43)]) {
    const answer = await rename({ cookie: session.cookie, csrf });
    expect([answer.status, answer.body.code]).toEqual([403, 'CSRF_TOKEN']);
  }
});

test("another session's token is not taken, not even the same user's", async () => {
  const other = await api.signIn((await api.person()).email);
  expect((await rename({ cookie: session.cookie, csrf: other.csrf })).status).toBe(403);
});

test('a body may carry the token in its field, which reaches no DTO', async () => {
  const body = { subject: 'Hi', body: '<p>Hi</p>', _csrf: session.csrf };
  expect((await rename({ cookie: session.cookie, body })).status).toBe(201);
  expect((await rename({ cookie: session.cookie, body: { ...body, _csrf: 'x' } })).status).toBe(403);
});

describe('a write by a browser', () => {
  const foreign: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:3000' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
  ];
  test.each(foreign)('from another site is refused, even with the right token: %j', async (headers) => {
    const answer = await rename({ ...session, headers });
    expect([answer.status, answer.body.code]).toEqual([403, 'CROSS_SITE']);
  });

  test.each(foreign)('from another site can not sign anybody in: %j', async (headers) => {
    const answer = await api.call('POST', '/api/v1/auth/login', {
      headers,
      body: { email: 'a@example.org', password: 'x' },
    });
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([403, null]);
  });

  test('from our own pages is taken', async () => {
    for (const headers of [
      { 'sec-fetch-site': 'same-origin', origin: api.url },
      { origin: api.url },
      { origin: new URL(api.config.publicUrl).origin },
      { 'sec-fetch-site': 'none' },
    ] as Record<string, string>[]) {
      expect((await rename({ ...session, headers })).status).toBe(201);
    }
  });
});

test('a token needs no CSRF token and no origin', async () => {
  const { token } = await api.person();
  expect(
    (await rename({ token, headers: { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' } })).status,
  ).toBe(201);
});

test('a cookie beside a bad bearer token does not count', async () => {
  expect((await rename({ ...session, token: 'gnt_nonsense' })).status).toBe(401);
});

test('a read needs no CSRF token', async () => {
  expect((await api.call('GET', '/api/v1/me', { cookie: session.cookie })).status).toBe(200);
});
