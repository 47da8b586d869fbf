import { WebModule } from '../../src/web/web.module';
import { type Answer, type Person, startApi, type TestApi } from '../support/api';

/** Bodies, queries and ids of every shape: answered, or refused with the reason, never by an error of the service. */

let api: TestApi;
let user: Person;

beforeAll(async () => {
  api = await startApi({ apiCallsPerMinute: 0 }, [WebModule]);
  user = await api.person();
});
afterAll(() => api.close());

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  api.call(method, `/api/v1${path}`, {
    token: user.token,
    ...(body === undefined ? {} : { body }),
    headers: { ...(typeof body === 'string' && JSON_TYPE), ...headers },
  });
const login = (body: string) => api.call('POST', '/api/v1/auth/login', { body, headers: JSON_TYPE });
const names = (n: number) => Array.from({ length: n }, (_, i) => `"k${i}":${i}`).join();

/** Refused with the cap, briefly. */
function expectRefused(answer: Answer, status: number, cap: RegExp): void {
  expect([answer.status, answer.body.detail]).toEqual([status, expect.stringMatching(cap)]);
  expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
  expect(answer.text.length).toBeLessThan(25_000);
}

describe('without sign-in', () => {
  test.each([
    ['160,000 names', `{${names(160_000)}}`],
    ['a long string', JSON.stringify({ email: 'x'.repeat(100_000), password: 'x' })],
    ['a tree', '['.repeat(5_000) + ']'.repeat(5_000)],
  ])('a body has a few KB at most: %s', async (_, body) => {
    expectRefused(await login(body), 413, /at most 8192 bytes/);
  });

  test('nor is one of a page, nor one that does not say how long it is', async () => {
    const form = await api.call('POST', '/sign-in', { body: `email=${'x'.repeat(9_000)}`, headers: FORM_TYPE });
    expect(form.status).toBe(413);
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 100; i++) controller.enqueue(new Uint8Array(1_000));
        controller.close();
      },
    });
    const init = { method: 'POST', headers: JSON_TYPE, body: stream, duplex: 'half' } as RequestInit;
    expect((await fetch(`${api.url}/api/v1/auth/login`, init)).status).toBe(413);
  });

  test('at most 20 errors are told, and how many there are', async () => {
    const answer = await login(`{${names(400)}}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toHaveLength(20);
    expect(answer.body.detail).toMatch(/and \d{3} more$/);
  });

  test('nothing of a body is read before it is known whose it is', async () => {
    for (const path of ['/messages', '/mailings/1/clients']) {
      const answer = await api.call('POST', `/api/v1${path}`, { body: '[', headers: JSON_TYPE });
      expect([path, answer.status]).toEqual([path, 401]);
    }
  });
});

describe('with sign-in', () => {
  test.each([
    [`{${names(600)}}`, /at most 500 names/],
    [`{${'"a":1,'.repeat(160_000)}"a":1}`, /at most 500 names/],
    [`[${'{},'.repeat(300_000)}{}]`, /at most 1000 objects and lists/],
    [`{"clientIds":[${'{},'.repeat(300_000)}{}]}`, /at most 1000 objects and lists/],
    [`{"clientIds":[${'1,'.repeat(300_000)}1]}`, /at most 150000 values/],
    [`{"clientIds":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, /deeper than 16/],
    ['{"a":'.repeat(5_000) + '1' + '}'.repeat(5_000), /deeper than 16/],
    [`{"messageId":${'9'.repeat(101)}}`, /no number longer than 100/],
    [`{"clientIds":[1,-0.${'1'.repeat(1_000_000)}]}`, /no number longer than 100/],
    [`{"messageId":1e${'9'.repeat(1_000_000)}}`, /no number longer than 100/],
    [`{"subject":"${'x'.repeat(2_000_000)}"}`, /at most 1048576 bytes/],
    ['[]', /must be a JSON object/],
    ['null', /must be a JSON object/],
    ['5', /must be a JSON object/],
    ['{"subject":"secret', /^The body is not JSON/],
  ])('%.40s', async (body, cap) => {
    const answer = await call('POST', '/mailings', body);
    expectRefused(answer, /bytes/.test(cap.source) ? 413 : 400, cap);
    expect(answer.text).not.toContain('secret');
  });

  test('a letter of blocks may have many names, but not one beside the other', async () => {
    expectRefused(await call('POST', '/messages', `{${names(600)}}`), 400, /at most 500 fields/);
    const document = { version: 1, doc: { type: 'doc', content: [Object.fromEntries(Array(600).entries())] } };
    const answer = await call('POST', '/messages', { subject: 'x', document });
    expect(answer.body.errors).toEqual([expect.objectContaining({ code: 'document_block' })]);
  });

  test('100,000 ids are fine, however they are told to be strangers', async () => {
    const clientIds = Array.from({ length: 100_000 }, (_, i) => i + 1_000_000);
    const message = (await call('POST', '/messages', { subject: 'Hi', body: 'Hi' })).body.id;
    const mailing = await call('POST', '/mailings', {
      messageId: message,
      audience: 'selected',
      startAt: '2030-01-01T00:00:00Z',
      period: 'once',
    });
    const answer = await call('POST', `/mailings/${mailing.body.id}/clients`, { clientIds });
    expect([answer.status, answer.body.errors.length]).toEqual([400, 5]);
    const more = await call('POST', `/mailings/${mailing.body.id}/clients`, { clientIds: [...clientIds, 1] });
    expectRefused(more, 400, /at most 100000 ids/);
  });

  test('of two fields of a name the last counts', async () => {
    const answer = await call('POST', '/messages', '{"subject":"one","subject":"two","body":"x"}');
    expect([answer.status, answer.body.subject]).toEqual([201, 'two']);
  });

  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'length'])(
    'a name of JavaScript’s own is no field: %s',
    async (name) => {
      for (const value of ['1', '{"a":1}', '[1]', '{"__proto__":{"a":1}}']) {
        const answer = await call('POST', '/messages', `{"subject":"s","body":"b","${name}":${value}}`);
        expect([answer.status, answer.body.errors[0]?.message]).toEqual([400, 'is not a field of this request']);
      }
    },
  );

  test('a long name is told in part', async () => {
    const answer = await call('POST', '/messages', JSON.stringify({ ['x'.repeat(1_000_000)]: 1 }));
    expect(answer.status).toBe(400);
    expect(answer.text.length).toBeLessThan(2_000);
  });

  test('a query has as many fields as anybody needs', async () => {
    const many = Array.from({ length: 900 }, (_, i) => `k${i}=1`).join('&');
    expectRefused(await call('GET', `/clients?${many}`), 400, /at most 100 fields/);
    for (const query of ['a[b][c]=1', 'limit[]=1', 'limit=1&limit=2', '__proto__=1', '%E0%A4%A=1', 'search=%ff'])
      expect([query, (await call('GET', `/clients?${query}`)).status]).toEqual([
        query,
        query === 'search=%ff' ? 200 : 400,
      ]);
  });

  test('a body is large only where a message or very many ids may come', async () => {
    const body = JSON.stringify({ email: 'a@example.org', fullName: 'A', comment: 'x'.repeat(200_000) });
    expectRefused(await call('POST', '/clients', body), 413, /at most 131072 bytes/);
    const comment = '\\u044f'.repeat(10_000);
    const longest = `{"email":"a@example.org","fullName":"A","comment":"${comment}"}`;
    expect((await call('POST', '/clients', longest)).status).toBe(201);
    const parts = { subject: 'Hi', body: 'я'.repeat(200_000), bodyText: 'я'.repeat(200_000) };
    expect((await call('POST', '/messages', JSON.stringify(parts))).status).toBe(201);
    // A form writes each of these letters in six bytes.
    const { cookie, csrf } = await api.signIn(user.email);
    const form = new URLSearchParams({ _csrf: csrf, ...parts }).toString();
    expect((await api.call('POST', '/messages/new', { cookie, body: form, headers: FORM_TYPE })).status).toBe(303);
    const twice = await api.call('POST', '/messages/new', { cookie, body: form + form, headers: FORM_TYPE });
    expect([twice.status, twice.text.includes('more than this form accepts')]).toEqual([413, true]);
  });

  test('a form has as many fields as anybody needs', async () => {
    const { cookie, csrf } = await api.signIn(user.email);
    const fields = `_csrf=${csrf}&fullName=Anna&email=fields@example.org`;
    const send = (more: number) =>
      api.call('POST', '/clients/new', { cookie, body: `${fields}${'&a=1'.repeat(more)}`, headers: FORM_TYPE });
    const refused = await send(198);
    expect([refused.status, refused.text.includes('At most 200 fields')]).toEqual([400, true]);
    expect((await send(197)).status).toBe(303);
  });

  test('a form whose escapes are no text is refused', async () => {
    const { cookie, csrf } = await api.signIn(user.email);
    // All else is right: a lenient reader would make these clients.
    for (const [i, name] of ['%', '%4', '%ff', '%E0%A4', '%'.repeat(100_000)].entries()) {
      const body = `_csrf=${csrf}&email=escape${i}@example.org&fullName=${name}`;
      expect((await api.call('POST', '/clients/new', { cookie, body, headers: FORM_TYPE })).status).toBe(400);
    }
    const body = `_csrf=${csrf}&&fullName=Anna+%2B+B%C3%A9+=&email=plus%2Bplus@example.org&comment=a%0D%0Ab&`;
    expect((await api.call('POST', '/clients/new', { cookie, body, headers: FORM_TYPE })).status).toBe(303);
    expect((await call('GET', '/clients?search=plus%2Bplus')).body.items[0]).toMatchObject({
      fullName: 'Anna + Bé =',
      email: 'plus+plus@example.org',
      comment: 'a\nb',
    });
  });

  test('a form takes as many addresses as anybody pastes', async () => {
    const { cookie, csrf } = await api.signIn(user.email);
    const message = (await call('POST', '/messages', { subject: 'Hi', body: 'Hi' })).body.id;
    const clientIds = Array.from({ length: 5_001 }, (_, i) => `c${i}@example.org`).join('\n');
    const form = new URLSearchParams({ _csrf: csrf, messageId: String(message), audience: 'selected', clientIds });
    form.set('startAt', '2030-01-01T00:00');
    const answer = await api.call('POST', '/mailings/new', { cookie, body: form.toString(), headers: FORM_TYPE });
    expect([answer.status, answer.text.includes('At most 5000 addresses at once')]).toEqual([400, true]);
  });

  test('a list of scopes is what it says, however often', async () => {
    const answer = await call('POST', '/tokens', { name: 'x', scopes: Array(5_000).fill('read') });
    expect([answer.status, answer.body.scopes]).toEqual([201, ['read']]);
  });

  test('a file of a form that ends too early ends nothing else', async () => {
    const { cookie, csrf } = await api.signIn(user.email);
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    for (const name of ['', '; filename=""', '; filename="a.csv"'])
      for (const rest of [
        '',
        'email,full_name\n',
        '\r\n--b\r\n',
        '\r\n--b\r\nContent-Disposition: form-data; name="file"; filename=""',
      ]) {
        const body = `--b\r\nContent-Disposition: form-data; name="file"${name}\r\nContent-Type: text/csv\r\n\r\n${rest}`;
        const answers = [
          await api.call('POST', '/api/v1/clients/import', { token: user.token, body, headers }),
          await api.call('POST', `/clients/import?_csrf=${csrf}`, { cookie, body, headers }),
        ];
        for (const answer of answers) expect([body, answer.status < 500]).toEqual([body, true]);
      }
    expect((await call('GET', '/me')).status).toBe(200);
  });

  test('a form with half a megabyte that is no address is answered like any other', async () => {
    const { cookie, csrf } = await api.signIn(user.email);
    const message = (await call('POST', '/messages', { subject: 'Hi', body: 'Hi' })).body.id;
    const form = new URLSearchParams({
      _csrf: csrf,
      messageId: String(message),
      audience: 'selected',
      startAt: '2030-01-01T00:00',
      period: 'once',
      timeZone: 'UTC',
      clientIds: `${'a'.repeat(500_000)} ${'@'.repeat(150_000)}`,
    });
    const answer = await api.call('POST', '/mailings/new', { cookie, body: form.toString(), headers: FORM_TYPE });
    expect(answer.status).toBe(303);
  });
});

describe('what is told of a field', () => {
  test.each([
    ['POST', '/clients', {}, { email: 'is required' }],
    ['POST', '/messages', {}, { subject: 'is required', body: 'is required' }],
    ['POST', '/tokens', {}, { name: 'is required' }],
    ['POST', '/auth/login', {}, { email: 'is required', password: 'is required' }],
    ['POST', '/auth/login', undefined, { email: 'is required', password: 'is required' }],
    ['POST', '/mailings/1/clients', {}, { clientIds: 'is required' }],
    ['POST', '/clients', { email: 5, fullName: 5 }, { email: 'must be a string', fullName: 'must be a string' }],
  ])('%s %s %j', async (method, path, body, errors) => {
    const answer = await call(method, path, body);
    expect(answer.status).toBe(400);
    expect(Object.fromEntries(answer.body.errors.map(({ field, message }) => [field, message]))).toEqual(errors);
  });

  test.each([
    ['POST', '/clients', { email: 5, fullName: 'x' }, 'email', 'wrong_type', { wanted: 'string' }],
    ['POST', '/clients', { email: 'a@b.org', fullName: 'x'.repeat(1_001) }, 'fullName', 'too_long', { max: 1_000 }],
    ['POST', '/clients', { email: 'a@b.org', fullName: 'x'.repeat(201) }, 'fullName', 'too_long', { max: 200 }],
    ['POST', '/clients', { email: 'a.org', fullName: 'x' }, 'email', 'email', { fault: 'no_at' }],
    ['POST', '/clients', { email: 'a@b.org', fullName: 'x', age: 5 }, 'age', 'unknown_field', {}],
    ['POST', '/mailings/1/clients', { clientIds: 5 }, 'clientIds', 'wrong_type', { wanted: 'list' }],
    ['POST', '/mailings/1/clients', { clientIds: [0] }, 'clientIds', 'wrong_type', { wanted: 'ids' }],
    ['POST', '/messages/1/preview', { clientId: '1' }, 'clientId', 'wrong_type', { wanted: 'id' }],
    ['POST', '/tokens', { name: 'x', scopes: ['all'] }, 'scopes', 'some_of', { options: ['read', 'write', 'inbound'] }],
    ['POST', '/tokens', { name: 'x', scopes: [] }, 'scopes', 'some_of', { options: ['read', 'write', 'inbound'] }],
    ['PATCH', '/me', { language: 'la' }, 'language', 'one_of', { options: ['en', 'ru'] }],
    ['GET', '/clients?limit=0', undefined, 'limit', 'too_small', { min: 1 }],
    ['GET', '/clients?limit=201', undefined, 'limit', 'too_large', { max: 200 }],
    ['GET', '/clients?limit=1.5', undefined, 'limit', 'wrong_type', { wanted: 'integer' }],
    ['GET', '/clients?withTotal=yes', undefined, 'withTotal', 'wrong_type', { wanted: 'boolean' }],
  ])('programs get a code and its values: %s %s %j', async (method, path, body, field, code, values) => {
    const answer = await call(method, path, body);
    expect([answer.status, answer.body.errors]).toEqual([
      400,
      [{ field, code, values, message: expect.any(String) as string }],
    ]);
  });
});

describe('an id', () => {
  const none = [
    '0',
    '-1',
    '1.5',
    '01',
    '1e3',
    '0x10',
    ' 1',
    '+1',
    'abc',
    '9007199254740993',
    '99999999999999999999999',
    'NaN',
  ];

  test.each(none)('%j in a path does not exist', async (id) => {
    for (const path of ['clients', 'messages', 'mailings', 'imports', 'runs'])
      expect([path, (await call('GET', `/${path}/${encodeURIComponent(id)}`)).status]).toEqual([path, 404]);
  });

  test.each(none.filter((id) => id !== '01'))('%j in a query is refused', async (id) => {
    for (const query of ['clients?ownerId', 'attempts?mailingId', 'attempts?deliveryId', 'reports?mailingId']) {
      const answer = await call('GET', `/${query}=${encodeURIComponent(id)}`);
      expect([query, answer.status]).toEqual([query, 400]);
    }
  });

  test.each([0, -1, 1.5, 1e300, 9007199254740992, -0.5, '1', null, true, [1], {}])(
    '%j in a body is refused',
    async (id) => {
      const mailing = { audience: 'all', startAt: '2030-01-01T00:00:00Z', period: 'once' };
      for (const answer of [
        await call('POST', '/mailings', { ...mailing, messageId: id }),
        await call('POST', '/mailings', { ...mailing, messageId: 1, clientIds: [1, id] }),
        await call('POST', '/mailings/1/clients', { clientIds: [id] }),
      ])
        expect([answer.status, answer.body.errors.length > 0]).toEqual([400, true]);
    },
  );

  test('that is well formed and nobody has is 404, however large', async () => {
    expect((await call('GET', '/clients/9007199254740991')).status).toBe(404);
    expect((await call('GET', '/clients?ownerId=9007199254740991')).status).toBe(200);
  });
});

describe('a time', () => {
  test.each([
    '2030-01-01T00:00:00Z',
    '2030-01-01t00:00:00z',
    '2030-01-01T00:00:00.1Z',
    '2030-01-01T00:00:00.123456789012345678Z',
    '2030-01-01T03:00:00.000001+03:00',
    '2030-01-01T00:00Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
    '2030-01-01T00:00:00-00:00',
  ])('%s is taken', async (at) => {
    for (const list of ['attempts', 'attempts?limit=1'])
      expect(
        (await call('GET', `/${list}${list.includes('?') ? '&' : '?'}from=${encodeURIComponent(at)}`)).status,
      ).toBe(200);
    const message = (await call('POST', '/messages', { subject: 'Hi', body: 'Hi' })).body.id;
    const mailing = { messageId: message, audience: 'all', startAt: at, period: 'daily' };
    const made = await call('POST', '/mailings', mailing);
    expect(made.status).toBe(201);
    const from = encodeURIComponent(at);
    expect((await call('GET', `/mailings/${made.body.id}/schedule?from=${from}&count=200`)).status).toBe(200);
  });

  test.each([
    '',
    'x',
    '2030-02-30T00:00:00Z',
    '2030-01-01',
    '2030-01-01T25:00:00Z',
    '2030-01-01T00:00:00,5Z',
    `2030-01-01T00:00:00.${'1'.repeat(10_000)}`,
  ])('%.40j is refused', async (at) => {
    expect((await call('GET', `/attempts?from=${encodeURIComponent(at)}`)).status).toBe(400);
  });

  test.each(['2016-12-31T23:59:60Z', '2017-01-01T02:59:60.5+03:00', '2030-01-01T00:00:60Z'])(
    'a leap second is refused, and the answer says so: %s',
    async (at) => {
      const from = encodeURIComponent(at);
      const mailing = { messageId: 1, audience: 'all', period: 'once', startAt: at };
      for (const [field, answer] of [
        ['from', await call('GET', `/attempts?from=${from}`)],
        ['startAt', await call('POST', '/mailings', mailing)],
        ['expiresAt', await call('POST', '/tokens', { name: 'x', expiresAt: at })],
      ] as const) {
        const message = 'has a leap second: seconds go from 00 to 59';
        const errors = [{ field, code: 'date_time', values: { fault: 'leap_second' }, message }];
        expect([answer.status, answer.body.errors]).toEqual([400, errors]);
      }
    },
  );
});

describe('another content type', () => {
  test.each([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    '',
  ])('%s is 415', async (type) => {
    for (const path of ['/messages', '/auth/login', '/mailings/1/start']) {
      const answer = await call('POST', path, 'subject=x', { 'content-type': type });
      expectRefused(answer, 415, /application\/json/);
    }
  });

  test('nor is another character set or a compressed body', async () => {
    for (const headers of [
      { 'content-type': 'application/json; charset=utf-16' },
      { 'content-encoding': 'gzip' },
    ] as Record<string, string>[])
      expect((await call('POST', '/messages', '{}', { ...headers })).status).toBe(415);
    const utf8 = { 'content-type': 'application/json; charset=UTF-8' };
    expect((await call('POST', '/messages', '{"subject":"я","body":"б"}', utf8)).body.subject).toBe('я');
  });

  test('is 415 for a file, too', async () => {
    for (const type of ['application/json', 'text/plain', 'application/zip'])
      expectRefused(await call('POST', '/clients/import', 'x', { 'content-type': type }), 415, /text\/csv/);
    for (const type of ['multipart/form-data', 'multipart/form-data; boundary='])
      expect((await call('POST', '/clients/import', 'x', { 'content-type': type })).status).toBe(400);
  });
});

describe('another method', () => {
  test.each([
    ['PUT', '/me', 'GET, HEAD, PATCH'],
    ['GET', '/auth/login', 'POST'],
    ['DELETE', '/clients', 'GET, HEAD, POST'],
    ['POST', '/clients/1', 'DELETE, GET, HEAD, PATCH'],
    ['PATCH', '/mailings/1/start', 'POST'],
    ['OPTIONS', '/clients/export.csv', 'GET, HEAD'],
    ['GET', '/clients/import', 'POST'],
  ])('%s %s is 405 and says which there are', async (method, path, allow) => {
    for (const caller of [{}, { token: user.token }]) {
      const answer = await api.call(method, `/api/v1${path}`, caller);
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
      expect(answer.body).toMatchObject({ code: 'METHOD_NOT_ALLOWED', requestId: answer.headers.get('x-request-id') });
    }
  });

  test('of a page, too', async () => {
    const answer = await api.call('GET', '/mailings/1/start');
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await api.call('DELETE', '/sign-in')).headers.get('allow')).toBe('GET, HEAD, POST');
  });
});

test('every problem has the id of its request', async () => {
  for (const [method, path, body] of [
    ['GET', '/api/v1/clients/%E0%A4%A'],
    ['POST', '/api/v1/clients', '{'],
    ['GET', '/api/nothing'],
    ['GET', '/api/v1/me?x=1'],
    ['PUT', '/api/docs'],
  ] as const) {
    const answer = await api.call(method, path, { ...(body && { body, headers: JSON_TYPE }) });
    expect([path, answer.status >= 400, answer.body.requestId]).toEqual([
      path,
      true,
      answer.headers.get('x-request-id'),
    ]);
  }
});

describe('a copy of a mailing', () => {
  test('is the same, with another name and not started', async () => {
    const message = (await call('POST', '/messages', { subject: 'Hi', body: 'Hi' })).body.id;
    const client = (await call('POST', '/clients', { email: 'copy@example.org', fullName: 'C' })).body.id;
    const input = {
      name: 'Weekly',
      messageId: message,
      audience: 'selected',
      clientIds: [client],
      startAt: '2030-01-01T00:00:00Z',
      endAt: '2031-01-01T00:00:00Z',
      period: 'weekly',
      timeZone: 'Europe/Athens',
      onUnknown: 'hold',
    };
    const made = await call('POST', '/mailings', input);
    const copied = await call('POST', `/mailings/${made.body.id}/copy`);
    expect(copied.status).toBe(201);
    const { id, name, createdAt, updatedAt, ...rest } = made.body;
    expect(copied.body).toMatchObject({ ...rest, name: 'Copy of Weekly', recipientCount: 1 });
    expect([id === copied.body.id, name, typeof createdAt, typeof updatedAt]).toEqual([
      false,
      'Weekly',
      'string',
      'string',
    ]);
    expect((await call('POST', `/mailings/${made.body.id}/copy`, { name: 'Mine' })).body.name).toBe('Mine');
    expect((await call('POST', '/mailings/999999/copy')).status).toBe(404);
  });
});

describe('what is not in proportion to its bytes by itself', () => {
  /** Nobody else is answered meanwhile; as it was, each of these took minutes. */
  async function soon(ask: () => Promise<Answer>): Promise<Answer> {
    const begun = performance.now();
    const answer = await ask();
    expect(performance.now() - begun).toBeLessThan(5_000);
    return answer;
  }

  test('a subject is refused before a title is made of it', async () => {
    const document = { version: 1, preheader: '', doc: { type: 'doc', content: [{ type: 'paragraph' }] } };
    const answer = await soon(() => call('POST', '/messages', { subject: '{'.repeat(300_000), document }));
    expectRefused(answer, 400, /at most 1,?000/);
    expect(answer.body.errors).toMatchObject([{ field: 'subject', code: 'too_long' }]);
  });

  test('a line of tags is shown again, and repeated for no suggestion', async () => {
    for (let i = 0; i < 20; i++) await call('POST', '/tags', { name: `Tag ${i}` });
    const { cookie, csrf } = await api.signIn(user.email);
    const send = (tags: string) =>
      soon(() =>
        api.call('POST', '/clients/new', {
          cookie,
          headers: FORM_TYPE,
          body: new URLSearchParams({ _csrf: csrf, email: '', tags }).toString(),
        }),
      );
    const long = `a${','.repeat(40_000)}b`;
    const answer = await send(long);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(long);
    expect(answer.text.length).toBeLessThan(2 * long.length);
    expect((await send('Tag 1, x , ,')).text).toContain('<option value="Tag 1, x, Tag 2">');
  });
});
