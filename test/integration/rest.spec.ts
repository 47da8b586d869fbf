import type { INestApplication } from '@nestjs/common';
import { createApi } from '../../src/api/create-api';
import { loadConfig } from '../../src/config/config';
import { ApiClient, createTestService, type TestService } from '../support/service';
import { TokensService } from '../../src/features/users/tokens.service';
import { UsersService } from '../../src/features/users/users.service';

/** What callers see of good and bad input; see contract in docs/architecture.md. */

let service: TestService;
let app: INestApplication;
let url: string;
let api: ApiClient;
let stranger: ApiClient;

interface Problem {
  status: number;
  code: string;
  detail: string;
  requestId: string;
  errors?: { field: string; code: string; values: object; message: string }[];
}

beforeAll(async () => {
  service = await createTestService();
  app = await createApi(loadConfig({ ...service.env, LOG_LEVEL: 'silent' }));
  await app.listen(0, '127.0.0.1');
  url = (await app.getUrl()).replace('[::1]', 'localhost');
  [api, stranger] = (await Promise.all(['a@example.com', 'b@example.com'].map(signedIn))) as [ApiClient, ApiClient];
});

afterAll(async () => {
  await app.close();
  await service.drop();
});

async function signedIn(email: string): Promise<ApiClient> {
  const user = await app.get(UsersService, { strict: false }).create({ email, role: 'user' });
  const { token } = await app.get(TokensService, { strict: false }).create(user.id, { name: 'test' });
  return new ApiClient(url, token);
}

async function createMessage(): Promise<number> {
  const { body } = await api.post<{ id: number }>('/messages', {
    subject: 'Hello {{ client.fullName }}',
    body: '<p>Hi</p>',
  });
  return body.id;
}

describe('clients', () => {
  it('refuses an address that is taken, in whatever case, and one that is none, by field', async () => {
    expect((await api.post('/clients', { email: 'Bob@Example.com', fullName: 'Bob' })).status).toBe(201);
    const taken = await api.post<Problem>('/clients', { email: 'bOB@example.COM', fullName: 'Bob again' });
    expect(taken).toMatchObject({ status: 409, body: { code: 'EMAIL_TAKEN' } });
    const bad = await api.post<Problem>('/clients', { email: 'bob@', fullName: 'B\nb' });
    expect(bad.status).toBe(400);
    expect(bad.headers.get('content-type')).toContain('application/problem+json');
    expect(bad.body.errors?.map((e) => e.field)).toEqual(['email', 'fullName']);
    expect(bad.body.requestId).toBe(bad.headers.get('x-request-id'));
  });

  it.each([
    [{ email: 'x@example.com', fullName: 'X', role: 'admin' }, 'role'],
    [{ email: 'x@example.com', fullName: 5 }, 'fullName'],
    [{ email: 'x@example.com', fullName: 'X\r\nBcc: all@example.com' }, 'fullName'],
    [{ email: 'x@example.com\r\nBcc: y@example.com', fullName: 'X' }, 'email'],
    [{ fullName: 'X' }, 'email'],
  ])('names the field that is wrong in %j', async (body, field) => {
    const answer = await api.post<Problem>('/clients', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.map((e) => e.field)).toEqual([field]);
  });

  it("hides other people's", async () => {
    const { body } = await api.post<{ id: number }>('/clients', { email: 'mine@example.com', fullName: 'Mine' });
    for (const [method, path] of [
      ['GET', `/clients/${body.id}`],
      ['PATCH', `/clients/${body.id}`],
      ['DELETE', `/clients/${body.id}`],
      ['GET', '/clients/999999999'],
      ['GET', '/clients/abc'],
    ] as const) {
      const answer = await stranger.call<Problem>(method, path, method === 'PATCH' ? { fullName: 'Taken' } : undefined);
      expect({ method, path, status: answer.status }).toEqual({ method, path, status: 404 });
    }
    expect((await stranger.get<{ items: unknown[] }>('/clients')).body.items).toEqual([]);
  });

  it('pages through every client once, in every order, while others come and go', async () => {
    for (let i = 0; i < 25; i++)
      await api.post('/clients', { email: `page${i}@example.com`, fullName: `Same ${i % 3}` });
    for (const sort of ['id', '-id', 'email', '-email', 'fullName', '-fullName']) {
      const seen: number[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const path: string = `/clients?limit=7&search=page&sort=${sort}${cursor ? `&cursor=${cursor}` : ''}`;
        const { body }: { body: { items: { id: number }[]; nextCursor: string | null } } = await api.get(path);
        seen.push(...body.items.map((item) => item.id));
        cursor = body.nextCursor;
      }
      expect({ sort, seen: new Set(seen).size, all: seen.length }).toEqual({ sort, seen: 25, all: 25 });
    }
    const { body } = await api.get<{ total: number }>('/clients?withTotal=true&limit=1');
    const statistics = await api.get<{ uniqueRecipients: number }>('/statistics');
    expect(body.total).toBe(statistics.body.uniqueRecipients);
  });

  it.each([['limit=0'], ['limit=201'], ['limit=x'], ['cursor=nonsense'], ['sort=password'], ['unknown=1']])(
    'refuses the query %s',
    async (query) => {
      const answer = await api.get<Problem>(`/clients?${query}`);
      expect(answer.status).toBe(400);
      expect(answer.body.errors?.[0]?.field).toBe(query.split('=')[0]);
    },
  );
});

describe('messages', () => {
  it.each([
    [{ subject: 'Hi {{ client.nickname }}', body: 'x' }, 'subject', 'client.nickname'],
    [{ subject: 'Hi', body: '{% if client.fullName %}never closed' }, 'body', 'if'],
    [{ subject: 'Hi', body: '{{ client.fullName | no_such_filter }}' }, 'body', 'no_such_filter'],
    [{ subject: 'Hi', body: '{% render "/etc/passwd" %}' }, 'body', 'render'],
    [{ subject: 'Hi', body: 'x', bodyText: '{{ secret }}' }, 'bodyText', 'secret'],
  ])('refuses the template %j and names what is wrong', async (body, field, word) => {
    const answer = await api.post<Problem>('/messages', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.[0]?.field).toBe(field);
    expect(answer.body.errors?.[0]?.message).toContain(word);
  });

  it("shows a message with a client's data, escaped", async () => {
    const client = await api.post<{ id: number }>('/clients', {
      email: 'esc@example.com',
      fullName: 'O\'Neil <b> & "Co"',
    });
    const id = await createMessage();
    await api.patch(`/messages/${id}`, { body: '<p>{{ client.fullName }}</p>' });
    const { body } = await api.post<{ subject: string; html: string; text: string }>(`/messages/${id}/preview`, {
      clientId: client.body.id,
    });
    expect(body.subject).toBe('Hello O\'Neil <b> & "Co"');
    expect(body.html).not.toContain('<b>');
    expect(body.text).toContain('O\'Neil <b> & "Co"');
  });

  it('keeps a message that a mailing uses', async () => {
    const messageId = await createMessage();
    const { body } = await api.post<{ id: number }>('/mailings', {
      messageId,
      audience: 'all',
      startAt: '2030-01-01T00:00:00Z',
      period: 'once',
    });
    expect((await api.delete<Problem>(`/messages/${messageId}`)).body.code).toBe('MESSAGE_IN_USE');
    expect((await api.delete(`/mailings/${body.id}`)).status).toBe(204);
    expect((await api.delete(`/messages/${messageId}`)).status).toBe(204);
    expect((await api.get(`/mailings/${body.id}`)).status).toBe(404);
  });
});

describe('mailings', () => {
  const good = { audience: 'all', startAt: '2030-01-01T09:00:00+03:00', period: 'daily', timeZone: 'Europe/Moscow' };

  it.each([
    [{ endAt: '2029-12-31T00:00:00Z' }, 'endAt'],
    [{ endAt: '2030-01-01T06:00:00Z' }, 'endAt'],
    [{ startAt: '01.02.2030' }, 'startAt'],
    [{ startAt: '2030-02-30T00:00:00Z' }, 'startAt'],
    [{ startAt: '2030-01-01T09:00:00' }, 'startAt'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ period: 'hourly' }, 'period'],
    [{ audience: 'everybody' }, 'audience'],
    [{ messageId: 999_999 }, 'messageId'],
    [{ onUnknown: 'guess' }, 'onUnknown'],
    [{ audience: 'selected', clientIds: [999_999] }, 'clientIds.0'],
    [{ status: 'done' }, 'status'],
  ])('names the field that is wrong in %j', async (change, field) => {
    const answer = await api.post<Problem>('/mailings', { messageId: await createMessage(), ...good, ...change });
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.map((e) => e.field)).toEqual([field]);
  });

  it("does not take somebody else's message or clients", async () => {
    const messageId = await createMessage();
    const theirs = await stranger.post<Problem>('/mailings', { messageId, ...good });
    const message = `message ${messageId} does not exist`;
    const unknown = { field: 'messageId', code: 'unknown_message', values: { id: messageId }, message };
    expect(theirs.body.errors).toEqual([unknown]);
  });

  it('warns of a period that does not fit, and shows the next occurrences in its own zone', async () => {
    const messageId = await createMessage();
    const mailing = await api.post<{ id: number; warnings: { field: string }[] }>('/mailings', {
      messageId,
      ...good,
      period: 'monthly',
      endAt: '2030-01-10T00:00:00Z',
    });
    expect(mailing.body.warnings[0]?.field).toBe('period');
    await api.patch(`/mailings/${mailing.body.id}`, { endAt: null, period: 'weekly' });
    const { body } = await api.get<{ items: { occurrenceAt: string; local: string }[] }>(
      `/mailings/${mailing.body.id}/schedule?count=2`,
    );
    expect(body.items).toEqual([
      { occurrenceAt: '2030-01-01T06:00:00.000Z', local: '2030-01-01T09:00:00+03:00' },
      { occurrenceAt: '2030-01-08T06:00:00.000Z', local: '2030-01-08T09:00:00+03:00' },
    ]);
  });

  it('says in which state a mailing is that forbids something', async () => {
    const messageId = await createMessage();
    const { body } = await api.post<{ id: number }>('/mailings', { messageId, ...good });
    expect((await api.post<Problem>(`/mailings/${body.id}/pause`)).body.code).toBe('MAILING_CREATED');
    expect((await api.post<{ status: string; nextRunAt: string }>(`/mailings/${body.id}/start`)).body).toMatchObject({
      status: 'started',
      nextRunAt: '2030-01-01T06:00:00.000Z',
    });
    expect((await api.post<Problem>(`/mailings/${body.id}/start`)).body.code).toBe('MAILING_STARTED');
    expect((await api.post<{ status: string }>(`/mailings/${body.id}/pause`)).body.status).toBe('paused');
    expect((await api.post<Problem>(`/mailings/${body.id}/send`)).body.code).toBe('MAILING_PAUSED');
    expect((await api.post<{ status: string }>(`/mailings/${body.id}/resume`)).body.status).toBe('started');
    expect((await api.post<{ status: string }>(`/mailings/${body.id}/finish`)).body.status).toBe('done');
    expect(await api.post<Problem>(`/mailings/${body.id}/send`)).toMatchObject({
      status: 409,
      body: { code: 'MAILING_DONE' },
    });
  });
});

describe('the edges', () => {
  it.each([
    ['no token', undefined, 401],
    ['an unknown token', 'gnt_unknown', 401],
  ])('refuses %s', async (_, token, status) => {
    const answer = await new ApiClient(url, token).get<Problem>('/clients');
    expect(answer.status).toBe(status);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('answers malformed JSON, too large a body and an unknown path as problems', async () => {
    const json = { 'content-type': 'application/json' };
    expect((await api.post<Problem>('/clients', '{"email":', json)).status).toBe(400);
    expect(
      (await api.post<Problem>('/messages', JSON.stringify({ subject: 's', body: 'x'.repeat(3_000_000) }), json))
        .status,
    ).toBe(413);
    expect((await api.post<Problem>('/clients/import', '<x/>', { 'content-type': 'text/xml' })).status).toBe(415);
    const unknown = await api.get<Problem>('/nothing-here');
    expect(unknown).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it('documents every path in OpenAPI', async () => {
    const document = (await (await fetch(`${url}/api/docs-json`)).json()) as { paths: Record<string, unknown> };
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/api/v1/clients/{id}',
        '/api/v1/mailings/{id}/send',
        '/api/v1/runs/{id}/deliveries',
        '/api/v1/attempts',
      ]),
    );
  });

  it('is alive and ready, and says what is missing', async () => {
    expect((await api.get('/health/live')).body).toEqual({ status: 'ok' });
    expect((await api.get('/health/ready')).body).toEqual({ status: 'degraded', degraded: ['workers'] });
    expect((await api.get<string>('/metrics')).body).toContain('gonets_deliveries_open');
  });

  it('shows the queues to managers only, and to nobody without a token', async () => {
    expect((await fetch(`${url}/queues`)).status).toBe(401);
    const basic = (token: string) => ({
      headers: { authorization: `Basic ${Buffer.from(`x:${token}`).toString('base64')}` },
    });
    const admin = await app.get(UsersService, { strict: false }).create({ email: 'boss@example.com', role: 'manager' });
    const made = await app.get(TokensService, { strict: false }).create(admin.id, { name: 'queues' });
    expect((await fetch(`${url}/queues`, basic(made.token))).status).toBe(200);
    expect(
      (await fetch(`${url}/queues/api/queues/delivery/clean/completed`, { ...basic(made.token), method: 'PUT' }))
        .status,
    ).toBe(403);
  });
});

it.each([
  [
    'a BOM and semicolons',
    Buffer.from('\uFEFFemail;full_name;comment\nbom1@example.com;Анна;\n'),
    { added: 1, delimiter: ';' },
  ],
  ['tabs', Buffer.from('email\tfull_name\ntab1@example.com\tTab\n'), { added: 1, delimiter: '\t' }],
  [
    'Windows-1251',
    Buffer.concat([
      Buffer.from('email;full_name;comment\r\nwin1@example.com;'),
      Buffer.from([0xc0, 0xed, 0xed, 0xe0]),
      Buffer.from(';\r\n'),
    ]),
    { added: 1, encoding: 'windows-1251' },
  ],
  [
    'a bad line among good ones',
    Buffer.from(
      'email,full_name\nline2@example.com,Two\nnot an address,Three\nline4@example.com,Four\nLINE2@example.com,Five\n',
    ),
    { added: 2, rejected: 2 },
  ],
  ['a wrong header', Buffer.from('mail address,who\nx@example.com,X\n'), { status: 'failed' }],
  ['no rows', Buffer.from('email,full_name\n'), { status: 'failed' }],
])('imports a file with %s', async (_, file, expected) => {
  const begun = await api.post<{ importId: number }>('/clients/import', file, { 'content-type': 'text/csv' });
  expect(begun.status).toBe(202);
  const { body } = await api.get<{
    status: string;
    errors: { line: number; field: string; message: string }[];
    reason: string | null;
  }>(`/imports/${begun.body.importId}`);
  expect(body).toMatchObject({ status: 'done', ...expected });
  if (body.status === 'failed') expect(body.reason).toEqual(expect.stringMatching(/email|no clients/));
  if ('rejected' in expected)
    expect(body.errors.map((e) => [e.line, e.field])).toEqual([
      [3, 'email'],
      [5, 'email'],
    ]);
});
