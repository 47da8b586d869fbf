import { RedisConnection } from '../../src/queue/redis.module';
import { PASSWORD, startApi, type TestApi } from '../support/api';

let api: TestApi;
let number = 0;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const me = (cookie: string, of = api) => of.call('GET', '/api/v1/me', { cookie });
const login = (email: string, password: string, ip?: string, of = api) =>
  of.call('POST', '/api/v1/auth/login', {
    body: { email, password },
    ...(ip && { headers: { 'x-forwarded-for': ip } }),
  });

async function signedIn() {
  const person = await api.person();
  return { ...person, ...(await api.signIn(person.email)) };
}

describe('the sessions of somebody', () => {
  const signInAs = async (email: string, userAgent: string) => {
    const answer = await api.call('POST', '/api/v1/auth/login', {
      body: { email, password: PASSWORD },
      headers: { 'user-agent': userAgent },
    });
    return { cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '', csrf: answer.body.csrfToken };
  };
  const listed = async (who: { cookie: string }) => (await api.call('GET', '/api/v1/me/sessions', who)).body.items;

  test('are listed, and ended one by one', async () => {
    const { email, id: userId } = await api.person();
    const [here, there] = [await signInAs(email, 'Browser A'), await signInAs(email, 'Browser B')];
    const stranger = await signedIn();
    const items = await listed(here);
    expect(items.map(({ userAgent, current }) => [userAgent, current])).toEqual(
      expect.arrayContaining([
        ['Browser A', true],
        ['Browser B', false],
      ]),
    );
    expect(Object.keys(items[0]!).sort()).toEqual(
      ['createdAt', 'current', 'expiresAt', 'id', 'ip', 'lastSeenAt', 'userAgent'].sort(),
    );
    const other = Number(items.find(({ current }) => !current)!.id);
    const end = (id: number, who: { cookie: string; csrf: string }) =>
      api.call('DELETE', `/api/v1/me/sessions/${id}`, who);
    expect((await end(other, stranger)).status).toBe(404);
    expect((await me(there.cookie)).status).toBe(200);
    expect((await end(other, here)).status).toBe(204);
    expect((await me(there.cookie)).status).toBe(401);
    expect((await me(here.cookie)).status).toBe(200);
    expect((await end(other, here)).status).toBe(404);
    expect(
      await api.database.rows(`SELECT detail FROM audit_log WHERE action = 'session.end' AND actor_id = $1`, [userId]),
    ).toEqual([{ detail: { endedSessions: 1 } }]);
  });

  test('are ended all but the own one; with an API token all', async () => {
    const { email, token } = await api.person();
    const [one, two, three] = [await signInAs(email, '1'), await signInAs(email, '2'), await signInAs(email, '3')];
    expect((await api.call('DELETE', '/api/v1/me/sessions', two)).status).toBe(204);
    expect([(await me(one.cookie)).status, (await me(two.cookie)).status, (await me(three.cookie)).status]).toEqual([
      401, 200, 401,
    ]);
    expect((await api.call('DELETE', '/api/v1/me/sessions', { token })).status).toBe(204);
    expect((await me(two.cookie)).status).toBe(401);
  });

  test('that are over are not listed', async () => {
    const { email, id } = await api.person();
    const here = await signInAs(email, 'here');
    await api.database.affected(
      `INSERT INTO sessions (user_id, token_hash, expires_at, last_seen_at) VALUES ($1, 'a', now() - interval '1 s', now()), ($1, 'b', now() + interval '1 day', now() - interval '2 days')`,
      [id],
    );
    expect(await listed(here)).toHaveLength(1);
  });

  test('that are over are deleted with the others, and not counted', async () => {
    const { email, id } = await api.person();
    const [here] = [await signInAs(email, 'here'), await signInAs(email, 'there')];
    const [over] = await api.database.rows<{ id: number }>(
      `INSERT INTO sessions (user_id, token_hash, expires_at, last_seen_at)
       VALUES ($1, 'c', now() - interval '1 s', now()), ($1, 'd', now() + interval '1 day', now() - interval '2 days'),
              ($1, 'e', now() - interval '1 s', now()) RETURNING id`,
      [id],
    );
    expect((await api.call('DELETE', `/api/v1/me/sessions/${over!.id}`, here)).status).toBe(204);
    expect((await api.call('DELETE', '/api/v1/me/sessions', here)).status).toBe(204);
    expect(await api.database.rows('SELECT id FROM sessions WHERE user_id = $1', [id])).toHaveLength(1);
    expect(
      await api.database.rows(
        `SELECT detail FROM audit_log WHERE action = 'session.end' AND actor_id = $1 ORDER BY id`,
        [id],
      ),
    ).toEqual([{ detail: { endedSessions: 0 } }, { detail: { endedSessions: 1 } }]);
  });
});

describe('the cookie', () => {
  test('is out of reach of scripts and other sites', async () => {
    const { answer } = await signedIn();
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^gonets=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/);
  });

  test('is __Host- and Secure where cookies are secure', async () => {
    const secure = await startApi({ secureCookies: true, publicUrl: 'https://mail.example.com' });
    const person = await secure.person();
    const answer = await login(person.email, PASSWORD, undefined, secure);
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^__Host-gonets=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/);
    expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000');
    expect((await me(cookie.split(';')[0] ?? '', secure)).status).toBe(200);
    const plain = (cookie.split(';')[0] ?? '').replace('__Host-', '');
    expect((await me(plain, secure)).status).toBe(401);
    await secure.close();
  });
});

describe('a session', () => {
  test('is new at every sign-in; the one that came with it ends', async () => {
    const { email, cookie } = await signedIn();
    const again = await api.call('POST', '/api/v1/auth/login', { cookie, body: { email, password: PASSWORD } });
    const next = (again.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    expect(next).not.toBe(cookie);
    expect((await me(cookie)).status).toBe(401);
    expect((await me(next)).status).toBe(200);
  });

  test.each(["status = 'blocked'", "password_hash = 'another'"])(
    'does not begin behind what ends all sessions: %s',
    async (change) => {
      const { id, email } = await api.person();
      let answered = false;
      const waits = () =>
        api.database.first(
          `SELECT 1 AS waits FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
      const attempt = await api.database.transaction(async (tx) => {
        await tx.affected(`UPDATE users SET ${change} WHERE id = $1`, [id]);
        const signingIn = login(email, PASSWORD).finally(() => (answered = true));
        while (!answered && !(await waits()));
        return { signingIn };
      });
      expect((await attempt.signingIn).status).toBe(401);
    },
  );

  test('is not taken from who signs in: a planted cookie is worth nothing', async () => {
    const planted = `gonets=${'a'.repeat(43)}`;
    const { email } = await api.person();
    await api.call('POST', '/api/v1/auth/login', { cookie: planted, body: { email, password: PASSWORD } });
    expect((await me(planted)).status).toBe(401);
  });

  test('ends by signing out, this one only', async () => {
    const first = await signedIn();
    const second = await api.signIn(first.email);
    const { cookie, csrf } = first;
    const out = await api.call('POST', '/api/v1/auth/logout', { cookie, csrf });
    expect(out.status).toBe(204);
    expect(out.headers.get('set-cookie')).toMatch(/^gonets=; Path=\/; Expires=Thu, 01 Jan 1970/);
    expect((await me(first.cookie)).status).toBe(401);
    expect((await me(second.cookie)).status).toBe(200);
  });

  test('ends when it was idle for too long, and at its end however busy it was', async () => {
    const { cookie } = await signedIn();
    const move = (column: string, by: string) =>
      api.database.affected(`UPDATE sessions SET ${column} = ${column} - $1::interval`, [by]);
    await move('last_seen_at', '23 hours');
    expect((await me(cookie)).status).toBe(200);
    await move('last_seen_at', '23 hours');
    expect((await me(cookie)).status).toBe(200);
    await move('last_seen_at', '25 hours');
    expect((await me(cookie)).status).toBe(401);
    const { cookie: busy } = await signedIn();
    await move('expires_at', '13 days 23 hours');
    expect((await me(busy)).status).toBe(200);
    await move('expires_at', '2 hours');
    expect((await me(busy)).status).toBe(401);
  });

  test.each(['', 'gonets=', 'gonets=x', `gonets=${'x'.repeat(43)}`, `gonets=${'x'.repeat(5_000)}`, 'gonets=%00'])(
    'is not: %j',
    async (cookie) => expect((await me(cookie)).status).toBe(401),
  );
});

describe('guesses', () => {
  test('of one password 200 times find nothing, whoever guesses, and tell nothing of the account', async () => {
    const { email } = await api.person();
    const statuses = { known: [] as number[], unknown: [] as number[] };
    for (let i = 0; i < 200; i++) {
      const ip = `10.1.${i >> 6}.${i}`;
      statuses.known.push((await login(email, `guess number ${i}`, ip)).status);
      statuses.unknown.push((await login('nobody@example.org', `guess number ${i}`, ip)).status);
    }
    expect(statuses.known).toEqual([...Array<number>(10).fill(401), ...Array<number>(190).fill(429)]);
    expect(statuses.unknown).toEqual(statuses.known);
    const right = await login(email.toUpperCase(), PASSWORD, '10.2.0.1');
    expect([right.status, right.body.code]).toEqual([429, 'RATE_LIMITED']);
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(60);
  });

  test('of many passwords from one address are counted together', async () => {
    const tries = Array.from({ length: 120 }, (_, i) => login(`some${i}@example.org`, 'a guess of mine', '10.3.0.1'));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect([statuses.filter((s) => s === 401).length, statuses.filter((s) => s === 429).length]).toEqual([100, 20]);
  });

  test('of an IPv6 address count with its network', async () => {
    for (let i = 0; i < 100; i++) await login(`six${i}@example.org`, 'a guess of mine', `2001:db8::${i.toString(16)}`);
    expect((await login('six@example.org', 'a guess of mine', '2001:db8:0:0:ffff::1')).status).toBe(429);
    expect((await login('six@example.org', 'a guess of mine', '2001:db8:0:1::1')).status).toBe(401);
  });

  test('that fail now and then are forgiven by a success', async () => {
    const { email } = await api.person();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 9; i++) expect((await login(email, 'not this one', `10.4.0.${++number}`)).status).toBe(401);
      expect((await login(email, PASSWORD, `10.4.0.${++number}`)).status).toBe(200);
    }
  });

  test('of the own password, by who holds a session, end too', async () => {
    const session = await signedIn();
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const body = { currentPassword: `guess number ${i}`, newPassword: 'a new one of mine' };
      statuses.push((await api.call('POST', '/api/v1/me/password', { ...session, body })).status);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(400), 429, 429]);
  });
});

describe('limits', () => {
  test('of calls are by user', async () => {
    const few = await startApi({ apiCallsPerMinute: 5 });
    const [one, other] = [await few.person(), await few.person()];
    const statuses: number[] = [];
    for (let i = 0; i < 7; i++) statuses.push((await few.call('GET', '/api/v1/me', one)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
    expect((await few.call('GET', '/api/v1/me', other)).status).toBe(200);
    await few.close();
  });

  test('that Redis can not count refuse strangers and let those signed in work', async () => {
    const alone = await startApi({ authAnswerMs: 1 });
    const person = await alone.person();
    const { cookie } = await alone.signIn(person.email);
    alone.app.get(RedisConnection, { strict: false }).client.disconnect();
    for (const [path, body] of [
      ['login', { email: person.email, password: PASSWORD }],
      ['register', { email: 'x@example.org', password: PASSWORD }],
      ['forgot', { email: person.email }],
      ['reset', { token: 'x', password: PASSWORD }],
    ] as const) {
      const answer = await alone.call('POST', `/api/v1/auth/${path}`, { body });
      expect([path, answer.status, answer.body.code]).toEqual([path, 503, 'LIMITS_UNAVAILABLE']);
      expect(answer.headers.get('retry-after')).toBe('5');
    }
    expect((await me(cookie, alone)).status).toBe(200);
    expect((await alone.call('GET', '/api/v1/me', person)).status).toBe(200);
    await alone.close();
  });
});

describe('an API token', () => {
  const make = (token: string, body: object) => api.call('POST', '/api/v1/tokens', { token, body });

  test('makes none that can do more or lives longer', async () => {
    const { token } = await api.person();
    const soon = new Date(Date.now() + 60_000).toISOString();
    const later = new Date(Date.now() + 120_000).toISOString();
    const writer = (await make(token, { name: 'w', scopes: ['write'], expiresAt: soon })).body.token;
    expect((await make(writer, { name: 'x', scopes: ['read'] })).status).toBe(403);
    expect((await make(writer, { name: 'x', scopes: ['write', 'read'] })).status).toBe(403);
    expect((await make(writer, { name: 'x', expiresAt: later })).status).toBe(403);
    const heir = await make(writer, { name: 'x' });
    expect(heir.body).toMatchObject({ scopes: ['write'], expiresAt: soon });
    const reader = (await make(token, { name: 'r', scopes: ['read'] })).body.token;
    expect((await make(reader, { name: 'x', scopes: ['read'] })).status).toBe(403);
    expect((await api.call('GET', '/api/v1/me', { token: reader })).status).toBe(200);
    expect((await api.call('GET', '/api/v1/me', { token: writer })).status).toBe(403);
  });

  test('is over at once when it is revoked', async () => {
    const { token } = await api.person();
    const { id, token: other } = (await make(token, { name: 'x' })).body;
    expect((await api.call('DELETE', `/api/v1/tokens/${id}`, { token })).status).toBe(204);
    expect((await api.call('GET', '/api/v1/me', { token: other })).status).toBe(401);
  });
});
