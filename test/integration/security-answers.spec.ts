import { loadConfig } from '../../src/config/config';
import { PASSWORD, type Person, startApi, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';

/** Headers, limits of size, what may stand in a letter's head, secrets, and the audit log. */

let api: TestApi;
let user: Person;

beforeAll(async () => {
  api = await startApi();
  user = await api.person();
});
afterAll(() => api.close());

const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  api.call(method, `/api/v1${path}`, {
    token: user.token,
    ...(body === undefined ? {} : { body }),
    ...(headers && { headers }),
  });

describe('headers', () => {
  test.each(['/api/v1/me', '/API/v1/me', '/api/v1/health/live', '/api/v1/nothing', '/nothing'])(
    'of %s',
    async (path) => {
      const { headers } = await api.call('GET', path, user);
      const csp = headers.get('content-security-policy') ?? '';
      expect(csp).toContain("default-src 'none'");
      expect(csp).toContain("script-src 'self'");
      expect(csp).not.toMatch(/unsafe|\*|http:|https:/);
      expect(csp).toContain("frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('same-origin');
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('strict-transport-security')).toBeNull();
      if (path.toLowerCase().startsWith('/api/')) expect(headers.get('cache-control')).toBe('no-store');
    },
  );

  test('scripts are never allowed inside of pages, not of the documentation either', async () => {
    for (const path of ['/api/docs', '/queues']) {
      const { headers } = await api.call('GET', path);
      const [scripts] = /script-src [^;]*/.exec(headers.get('content-security-policy') ?? '') ?? [];
      expect(scripts).toBe("script-src 'self'");
    }
  });

  test("other sites' scripts may read nothing: there is no CORS", async () => {
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await api.call(method, '/api/v1/me', {
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      });
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });
});

describe('sizes', () => {
  test('of a body', async () => {
    const answer = await call('POST', '/messages', { subject: 'x', body: 'x'.repeat(3_000_000) });
    expect([answer.status, answer.body.code]).toEqual([413, 'TOO_LARGE']);
  });

  test.each(['0', '201', '-1', '1.5', 'x', '1e9'])('of a page: %s', async (limit) => {
    for (const list of ['clients', 'messages', 'mailings', 'imports', 'attempts'])
      expect((await call('GET', `/${list}?limit=${limit}`)).status).toBe(400);
  });

  test.each([['abc'], ['1; DROP TABLE users'], ['1', '2', '3'], ['\0'], [{}], 'x', null])(
    'of a cursor that nobody was given: %j',
    async (key) => {
      const cursor = Buffer.from(JSON.stringify(key)).toString('base64url');
      for (const list of ['clients', 'messages', 'mailings', 'imports', 'attempts'])
        expect((await call('GET', `/${list}?cursor=${cursor}`)).status).toBe(400);
    },
  );

  test('of a search with NUL in it', async () => {
    const answer = await call('GET', '/clients?search=%00');
    expect([answer.status, answer.body.errors[0]?.field]).toEqual([400, 'search']);
  });
});

describe("what would break out of a letter's head is refused", () => {
  const signs = ['\r\n', '\n', '\r', '\0', '\u0007', '\u001b', '\u007f', '\u0085', '\u2028', '\u2029'];
  const cases = signs.map((sign) => [encodeURI(sign), sign] as const);

  test.each(cases)('%s', async (_, sign) => {
    const bad = `a${sign}Bcc: b@example.org`;
    const client = (await call('POST', '/clients', { email: `ok${Date.now()}@example.org`, fullName: 'Ok' })).body.id;
    const message = (await call('POST', '/messages', messageBody())).body.id;
    const mailing = mailingBody(message);
    for (const [method, path, body, field] of [
      ['POST', '/clients', { email: `a${sign}@example.org`, fullName: 'A' }, 'email'],
      ['POST', '/clients', { email: `a@example.org${sign}`, fullName: 'A' }, 'email'],
      ['POST', '/clients', { email: 'a@example.org', fullName: bad }, 'fullName'],
      ['PATCH', `/clients/${client}`, { fullName: bad }, 'fullName'],
      ['POST', '/messages', { subject: bad, body: '<p>Hi</p>' }, 'subject'],
      ['PATCH', `/messages/${message}`, { subject: bad }, 'subject'],
      ['POST', `/messages/${message}/test`, { to: `a@example.org${sign}` }, 'to'],
      ['POST', '/mailings', { ...mailing, name: bad }, 'name'],
      ['PATCH', '/me', { fullName: bad }, 'fullName'],
      ['POST', '/me/email', { email: `a${sign}@example.org`, password: PASSWORD }, 'email'],
      ['POST', '/tokens', { name: bad }, 'name'],
    ] as const) {
      const answer = await call(method, path, body);
      expect([path, answer.status, answer.body.errors?.[0]?.field]).toEqual([path, 400, field]);
    }
  });
});

describe('production', () => {
  const env = {
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://u:secret-of-postgres@db/g',
    REDIS_URL: 'redis://:secret-of-redis@redis/0',
    SMTP_URL: 'smtps://u:secret-of-smtp@mail.example.com',
    MAIL_FROM: 'Gonets <gonets@example.com>',
    PUBLIC_URL: 'https://mail.example.com',
    SECRET_KEY: 'q8Zr2mVx7Lw4Tn9Kc3Hf6Jd1Sb5Pg0Ya',
  };
  const problems = (change: NodeJS.ProcessEnv): string => {
    try {
      loadConfig({ ...env, ...change });
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  test('has safe defaults', () => {
    expect(loadConfig(env)).toMatchObject({ registration: 'approval', secureCookies: true });
  });

  test.each([
    [undefined, 'missing'],
    ['', 'missing'],
    ['changeme', 'too weak'],
    ['a'.repeat(64), 'too weak'],
    ['development-only-secret-key-not-for-production', 'too weak'],
  ])('does not start with the key %j', (key, problem) => {
    expect(problems({ SECRET_KEY: key })).toContain(`SECRET_KEY is ${problem}`);
  });

  test('tells no secret in what it complains about', () => {
    const said = problems({ SECRET_KEY: 'hunter2', REDIS_URL: 'http://:secret-of-redis@redis', PORT: 'x' });
    expect(said).toContain('SECRET_KEY');
    expect(said).not.toMatch(/hunter2|secret-of/);
  });
});

describe("the caller's address", () => {
  test.each([
    ['203.0.113.5', '203.0.113.5'],
    ['203.0.113.5:4711', '203.0.113.5'],
    ['2001:db8::5', '2001:db8::5'],
    ['[2001:db8::5]', '2001:db8::5'],
    ['[2001:db8::5]:443', '2001:db8::5'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%eth0]:443', 'fe80::1'],
    ['::ffff:203.0.113.5', '::ffff:203.0.113.5'],
    ['invented, 203.0.113.5', '203.0.113.5'],
    ['203.0.113.5, 127.0.0.1', '203.0.113.5'],
    ['203.0.113.5, invented', '127.0.0.1'],
    ['invented', '127.0.0.1'],
    ["1.2.3.4' OR 1=1", '127.0.0.1'],
    ['<script>', '127.0.0.1'],
    ['203.0.113.5:', '127.0.0.1'],
    ['203.0.113.500', '127.0.0.1'],
    ['_hidden', '127.0.0.1'],
    ['unknown', '127.0.0.1'],
    [`${'1'.repeat(5_000)}`, '127.0.0.1'],
    ['', '127.0.0.1'],
  ])('that a proxy names as %.40j is %s', async (header, ip) => {
    const headers = { 'x-forwarded-for': header };
    const deleted = await call('DELETE', `/messages/${await message()}`, undefined, headers);
    expect(deleted.status).toBe(204);
    const last = await api.database.first<{ ip: string }>('SELECT ip FROM audit_log ORDER BY id DESC LIMIT 1');
    expect(last?.ip).toBe(ip);
  });

  const message = async () => (await call('POST', '/messages', { subject: 'Hi', body: 'x' })).body.id;
});

describe('the audit log', () => {
  test('says who did what to which object, when and from where', async () => {
    const admin = await api.person('admin');
    const { cookie, csrf } = await api.signIn(admin.email);
    await api.signIn(admin.email, 'not the password');
    const client = (await call('POST', '/clients', { email: 'gone@example.org', fullName: 'G' })).body.id;
    await call('DELETE', `/clients/${client}`);
    await api.call('POST', '/api/v1/transport/resume', { cookie, csrf });
    const { items } = (await api.call('GET', '/api/v1/audit?limit=4', { cookie })).body;
    expect(items).toMatchObject([
      { action: 'account.resume', actorId: admin.id, actorEmail: admin.email, via: 'session', ip: '127.0.0.1' },
      { action: 'client.delete', actorId: user.id, via: 'token', objectType: 'client', objectId: client },
      { action: 'sign_in_failed', actorId: null, via: 'anonymous', objectType: 'user', objectId: admin.id },
      { action: 'sign_in', actorId: admin.id, via: 'session' },
    ]);
    expect(JSON.stringify(items)).not.toContain(PASSWORD);
  });

  test('is paged and filtered', async () => {
    const manager = await api.person('manager');
    const get = async (query: string) => (await api.call('GET', `/api/v1/audit?${query}`, manager)).body;
    const all = (await get('limit=200')).items;
    const first = await get('limit=3');
    const second = await get(`limit=200&cursor=${first.nextCursor}`);
    expect([...first.items, ...second.items]).toEqual(all);
    for (const { action, objectType } of all.slice(0, 3)) {
      const some = await get(`action=${String(action)}&objectType=${String(objectType)}&limit=200`);
      expect(some.items).toEqual(all.filter((entry) => entry.action === action && entry.objectType === objectType));
    }
    const { createdAt } = all[2] ?? {};
    expect((await get(`to=${String(createdAt)}&limit=200`)).items).toEqual(all.slice(3));
    expect((await api.call('GET', '/api/v1/audit?action=nonsense', manager)).status).toBe(400);
  });

  test.each(['UPDATE audit_log SET ip = NULL', 'DELETE FROM audit_log', 'TRUNCATE audit_log'])(
    'can not be changed: %s',
    async (statement) => {
      await expect(api.database.rows(statement)).rejects.toThrow('append-only');
    },
  );
});
