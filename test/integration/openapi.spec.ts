import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Person, startApi, type TestApi } from '../support/api';
import { Conformance } from '../support/conformance';

/** The OpenAPI document, and what was found by asking for all that it says. The other tests hold every answer against it. */

interface Operation {
  operationId: string;
  summary?: string;
  security?: object[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { description: string; content?: object }>;
}

type Document = ConstructorParameters<typeof Conformance>[0];

let api: TestApi;
let user: Person;
let admin: Person;
let document: Document;
let operations: [string, Operation][];

beforeAll(async () => {
  api = await startApi();
  [user, admin] = [await api.person(), await api.person('admin')];
  document = (await (await fetch(`${api.url}/api/docs-json`)).json()) as Document;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as [string, Operation]),
  );
});

afterAll(() => api.close());

describe('the document', () => {
  it('names, explains and guards every operation', () => {
    const ids = operations.map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [route, { operationId, summary, security, responses }] of operations) {
      expect({ route, operationId, summary }).toMatchObject({
        operationId: expect.stringMatching(/^[a-z]+[A-Z]\w+$/) as string,
        summary: expect.stringMatching(/^[A-Z]/) as string,
      });
      const isPublic =
        /\/auth\/(?!logout)|\/health\/|\/metrics|^(post|options) .*\/forms\/\{id\}$|\/challenge$|\{secret\}$/.test(
          route,
        );
      expect({ route, asks: (security ?? []).length > 0 }).toEqual({ route, asks: !isPublic });
      if (!isPublic) expect(Object.keys(responses)).toEqual(expect.arrayContaining(['401', '403', '429', '503']));
      if (!route.startsWith('get'))
        expect(Object.keys(responses)).toEqual(expect.arrayContaining(['400', '413', '415']));
    }
  });

  it('holds no schema that says nothing', () => {
    const empty: string[] = [];
    const look = (schema: unknown, path: string) => {
      if (typeof schema !== 'object' || schema === null) return;
      if (Object.keys(schema).length === 0) empty.push(path);
      for (const [name, part] of Object.entries(schema)) look(part, `${path}.${name}`);
    };
    look(document.components.schemas, 'schemas');
    for (const [route, operation] of operations) {
      look(operation.requestBody, route);
      look(operation.responses, route);
    }
    expect(empty).toEqual([]);
  });

  it('says of every answer what its body is, but of those that have none', () => {
    const mute = operations.flatMap(([route, { responses }]) =>
      Object.entries(responses)
        .filter(([status, { content }]) => (content === undefined) !== (status === '204'))
        .map(([status]) => `${route} ${status}`),
    );
    expect(mute).toEqual([]);
  });

  it('says of fields what their validators and services enforce', () => {
    expect(document.components.schemas).toMatchObject({
      ClientDto: {
        required: ['email'],
        additionalProperties: false,
        properties: {
          email: { type: 'string', maxLength: 1_000, format: 'email' },
          comment: { type: ['string', 'null'] },
        },
      },
      MailingPatchDto: {
        properties: {
          messageId: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
          period: { type: 'string', enum: ['once', 'daily', 'weekly', 'monthly'] },
          clientIds: { type: ['array', 'null'], maxItems: 100_000, items: { type: 'integer', minimum: 1 } },
        },
      },
    });
    expect(document.components.schemas.MailingPatchDto).not.toHaveProperty('required');
    const list = document.paths['/api/v1/clients']?.get as unknown as { parameters: object[] };
    expect(list.parameters).toContainEqual({
      name: 'limit',
      in: 'query',
      required: false,
      description: 'How many items at most.',
      schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
    });
  });
});

describe('what holds answers against the document', () => {
  const seen = { method: 'GET', path: '/api/v1/clients/7', status: 200, headers: json('application/json') };
  const client = {
    ...{ id: 7, version: 1, ownerId: 1, email: 'a@example.org', fullName: 'A', comment: '', suppression: null },
    ...{ fields: { city: 'Omsk' }, tags: ['vip'], subscription: { status: 'subscribed', since: null, reason: null } },
    ...{ createdAt: '2027-01-01T00:00:00.000Z', updatedAt: '2027-01-01T00:00:00.000Z' },
  };
  const problem = { type: 'about:blank', title: 'No', status: 409, detail: 'No.', requestId: 'x' };

  it.each([
    ['a field that is not declared', { body: { ...client, password: 'x' } }, 'must NOT have additional properties'],
    ['a field that is missing', { body: { id: 7 } }, "must have required property 'email'"],
    ['a value of another type', { body: { ...client, id: '7' } }, 'must be integer'],
    ['a value of another format', { body: { ...client, createdAt: 'yesterday' } }, 'must match format "date-time"'],
    ['a status', { status: 418, body: {} }, 'does not document the status 418'],
    ['a content type', { headers: json('application/xml'), body: {} }, 'does not document the type application/xml'],
    ['a header', { status: 503, body: {} }, 'lacks the header Retry-After'],
    ['a body', { method: 'DELETE', status: 204, body: {} }, 'documents no body'],
    [
      'a code of 409',
      {
        method: 'PATCH',
        status: 409,
        headers: json('application/problem+json'),
        body: { ...problem, code: 'OWN_ROLE' },
      },
      'does not document 409 OWN_ROLE',
    ],
    ['a status where no route is', { path: '/api/v1/nothing', body: {} }, 'the status 200 where there is no route'],
  ])('sees %s', (_, change: Record<string, unknown>, expected) => {
    const { body, ...rest } = change;
    const found = new Conformance(document).problemOf({ ...seen, ...rest, body: JSON.stringify(body) });
    expect(found).toContain(expected);
  });

  it('sees nothing in what is as it should be, and stands in the way of fetch', async () => {
    expect(new Conformance(document).problemOf({ ...seen, body: JSON.stringify(client) })).toBeUndefined();
    expect((await api.call('GET', '/api/v1/me', { token: user.token })).status).toBe(200);
    const astray = createServer((_, response) => response.writeHead(418).end()).listen(0, '127.0.0.1');
    await once(astray, 'listening');
    const { port } = astray.address() as AddressInfo;
    await expect(fetch(`http://127.0.0.1:${port}/api/v1/clients`)).rejects.toThrow('does not document the status 418');
    astray.close();
  });

  function json(type: string): Headers {
    return new Headers({ 'content-type': type });
  }
});

describe('null', () => {
  const patch = (path: string, body: unknown, by = user) =>
    api.call('PATCH', `/api/v1${path}`, { token: by.token, body });

  it('is the same as an absent field', async () => {
    await patch('/me', { fullName: 'Anna', language: 'ru', timeZone: 'Europe/Athens' });
    const kept = { fullName: 'Anna', language: 'ru', timeZone: 'Europe/Athens' };
    const me = await patch('/me', { fullName: null, language: null, timeZone: null });
    expect(me).toMatchObject({ status: 200, body: kept });
    const client = { email: 'null@example.org', fullName: 'N', comment: null };
    const made = await api.call('POST', '/api/v1/clients', { token: user.token, body: client });
    expect(made).toMatchObject({ status: 201, body: { comment: '' } });
    const forever = { name: 'forever', expiresAt: null, scopes: null };
    const token = await api.call('POST', '/api/v1/tokens', { token: user.token, body: forever });
    expect(token).toMatchObject({ status: 201, body: { expiresAt: null, scopes: ['read', 'write'] } });
  });

  it('neither blocks nor lets in anybody', async () => {
    const blocked = await api.person();
    await patch(`/users/${blocked.id}`, { status: 'blocked' }, admin);
    const left = await patch(`/users/${blocked.id}`, { status: null, role: null }, admin);
    expect(left).toMatchObject({ status: 200, body: { status: 'blocked', role: 'user' } });
  });

  it('is refused for a field that the whole can not be without', async () => {
    const message = { subject: 'S', body: 'B', bodyText: 'T' };
    const { body } = await api.call('POST', '/api/v1/messages', { token: user.token, body: message });
    const refused = await patch(`/messages/${body.id}`, { subject: null });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ field: 'subject' }] } });
    const cleared = await patch(`/messages/${body.id}`, { bodyText: null });
    expect(cleared).toMatchObject({ status: 200, body: { subject: 'S', bodyText: null } });
  });
});

it.each([
  ['PATCH', '/clients/export.csv', 'GET, HEAD'],
  ['DELETE', '/clients/Export.csv/', 'GET, HEAD'],
  ['GET', '/clients/import', 'POST'],
  ['OPTIONS', '/clients/import', 'POST'],
  ['PUT', '/clients/7', 'DELETE, GET, HEAD, PATCH'],
  // Nor is this what a provider reports.
  ['POST', '/inbound/7/eml', 'GET, HEAD'],
  ['OPTIONS', '/inbound/7/eml', 'GET, HEAD'],
  ['POST', '/inbound/webhooks/7', 'DELETE, PATCH'],
])('answers %s %s with 405: it is no id', async (method, path, allow) => {
  const body = method === 'PATCH' ? '{' : undefined;
  const answer = await api.call(method, `/api/v1${path}`, { token: user.token, ...(body && { body }) });
  expect(answer.status).toBe(405);
  expect(answer.headers.get('allow')).toBe(allow);
});
