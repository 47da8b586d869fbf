import type { Action } from '../../src/domain/permissions';
import { PERMISSIONS } from '../../src/domain/permissions';
import { hashRecoveryCode } from '../../src/features/users/second-factor-codes';
import { Limits } from '../../src/queue/limits';
import { type Answer, PASSWORD, type Person, startApi, type TestApi } from '../support/api';
import { messageBody } from '../support/factories';
import { makeObjects, newMailing, type Objects, routesOf } from '../support/objects';

/** Every route that the running application has, as everybody who may come. A route that is not named here fails. */

interface Route {
  /** What the permission table calls it; `public` asks for nobody. */
  is: Action | 'public';
  /** The object whose id stands in the path; of a list without one everybody gets their own. */
  of?: keyof Objects;
  body?: (objects: Objects, caller: Person) => unknown;
  type?: string;
  query?: string;
  /** Brings the object into the state that the route asks for. */
  first?: (objects: Objects) => Promise<unknown>;
  /** Nobody does it to themselves. */
  notOwn?: boolean;
  /** What the owner gets; 200 to 204 if absent. */
  answers?: number;
}

const FORM = 'multipart/form-data; boundary=b';
const formBody = (content: string) =>
  `--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n${content}\r\n--b--\r\n`;
/** A picture of one black pixel, all of whose bytes are ASCII, so that a text can hold it. */
const GIF = 'GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;';
const read: Route = { is: 'content.read' };
const create = (body: Route['body']): Route => ({ is: 'content.change', ...(body && { body }) });
const sql = (statement: string) => (objects: Objects) =>
  api.database.affected(statement.replace(/:(\w+)/g, (_, name: keyof Objects) => String(objects[name])));
const started = sql(`UPDATE mailings SET status = 'started' WHERE id = :mailing`);
const paused = sql(`UPDATE mailings SET status = 'paused' WHERE id = :mailing`);
const failed = sql(`UPDATE deliveries SET status = 'failed' WHERE run_id = :run`);
const unknown = sql(`UPDATE deliveries SET status = 'unknown' WHERE id = :delivery`);
const inForce = sql(`UPDATE suppressions SET lifted_at = NULL, lifted_by = NULL WHERE id = :suppression`);
const keptFile = async (objects: Objects) => {
  await sql(`UPDATE imports SET status = 'waiting', kept_at = now(), file_bytes = 6 WHERE id = :import`)(objects);
  await sql(`INSERT INTO import_files VALUES (:import, 0, 'email\na') ON CONFLICT DO NOTHING`)(objects);
};
const noRun = async (objects: Objects) => {
  await sql(`UPDATE deliveries SET status = 'failed' WHERE run_id = :run`)(objects);
  await sql(`UPDATE runs SET status = 'done' WHERE id = :run`)(objects);
};

/** A second factor of the user, with one recovery code; for its routes password and code may be asked for often. */
const secondFactor = (isOn: boolean) => async (objects: Objects) => {
  const { user } = objects;
  await api.app.get(Limits, { strict: false }).forgive('passwordUser', user);
  await sql('DELETE FROM second_factors WHERE user_id = :user')(objects);
  await sql(
    `INSERT INTO second_factors (user_id, secret, confirmed_at) VALUES (:user, 'x', ${isOn ? 'now()' : 'NULL'})`,
  )(objects);
  await api.database.affected('INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, $2)', [
    user,
    hashRecoveryCode(`code ${user}`),
  ]);
};
const proof = (_: Objects, { id }: Person) => ({ password: PASSWORD, code: `code ${id}` });

const ROUTES: Record<string, Route> = {
  // Their ids are secrets, here one of no form.
  'POST /forms/:id': { is: 'public', of: 'form', answers: 400 },
  'OPTIONS /forms/:id': { is: 'public', of: 'form', answers: 204 },
  'GET /forms/:token/challenge': { is: 'public', of: 'form', answers: 404 },
  'POST /auth/register': { is: 'public', answers: 400 },
  'POST /auth/confirm': { is: 'public', answers: 400 },
  'POST /auth/login': { is: 'public', answers: 400 },
  'POST /auth/second-factor': { is: 'public', answers: 400 },
  'POST /auth/forgot': { is: 'public', answers: 400 },
  'POST /auth/reset': { is: 'public', answers: 400 },
  'POST /auth/confirm-email': { is: 'public', answers: 400 },
  'POST /auth/accept': { is: 'public', answers: 400 },
  'GET /health/live': { is: 'public' },
  'GET /health/ready': { is: 'public' },
  'GET /metrics': { is: 'public' },
  'POST /auth/logout': { is: 'profile.use' },
  'GET /me': { is: 'profile.use' },
  'PATCH /me': { is: 'profile.use', body: () => ({ language: 'ru' }) },
  'POST /me/password': { is: 'profile.use', body: () => ({ currentPassword: PASSWORD, newPassword: PASSWORD }) },
  'POST /me/email': { is: 'profile.use', body: (_, { id }) => ({ email: `new${id}@example.org`, password: PASSWORD }) },
  'GET /me/sessions': { is: 'profile.use' },
  'DELETE /me/sessions': { is: 'profile.use' },
  'DELETE /me/sessions/:id': { is: 'profile.use', of: 'session' },
  // Before one's own, which leaves nobody with a second factor.
  'DELETE /users/:id/second-factor': { is: 'users.manage', of: 'user', first: secondFactor(true), notOwn: true },
  'GET /me/second-factor': { is: 'profile.use' },
  'POST /me/second-factor': { is: 'profile.use', first: secondFactor(false) },
  'POST /me/second-factor/confirm': { is: 'profile.use', first: secondFactor(false), body: proof },
  'POST /me/second-factor/recovery-codes': { is: 'profile.use', first: secondFactor(true), body: proof },
  'DELETE /me/second-factor': { is: 'profile.use', first: secondFactor(true), body: proof },
  'GET /tokens': { is: 'profile.use' },
  'POST /tokens': { is: 'profile.use', body: () => ({ name: 'another' }) },
  'DELETE /tokens/:id': { is: 'profile.use', of: 'token' },
  'GET /users': { is: 'users.manage' },
  'POST /users': { is: 'users.manage', body: () => ({ email: `guest${Math.random()}@example.org` }) },
  'DELETE /users/:id/invitation': { is: 'users.manage', of: 'invited' },
  'GET /users/:id': { is: 'users.manage', of: 'user' },
  'PATCH /users/:id': { is: 'users.manage', of: 'user', body: () => ({ status: 'active' }) },
  'GET /audit': { is: 'audit.read' },
  'GET /clients': read,
  'POST /clients': create((_, { id }) => ({ email: `c${Date.now()}-${id}@example.net`, fullName: 'C' })),
  'GET /clients/export.csv': read,
  'GET /clients/:id': { ...read, of: 'client' },
  'PATCH /clients/:id': { is: 'content.change', of: 'client', body: () => ({ comment: 'x' }) },
  'DELETE /clients/:id': { is: 'content.change', of: 'client' },
  'GET /clients/:id/deliveries': { ...read, of: 'client' },
  'GET /clients/:id/export': { ...read, of: 'client' },
  'POST /clients/:id/erase': { is: 'content.change', of: 'client' },
  // Everybody has their own: nobody changes another's.
  'GET /fields': { is: 'profile.use' },
  'POST /fields': { is: 'profile.use', body: () => ({ key: `f${Date.now()}`, label: 'F', type: 'text' }) },
  'PATCH /fields/:key': { is: 'profile.use', body: () => ({ label: 'Town' }) },
  'DELETE /fields/:key': { is: 'profile.use' },
  'GET /forms': read,
  'POST /forms': create(() => ({ name: 'Site', title: 'News' })),
  'GET /forms/:id': { ...read, of: 'form' },
  'PATCH /forms/:id': { is: 'content.change', of: 'form', body: () => ({ title: 'Newer' }) },
  'DELETE /forms/:id': { is: 'content.change', of: 'form' },
  'GET /forms/:id/signups': { ...read, of: 'form' },
  'GET /tags': read,
  'POST /tags': create(() => ({ name: `t${Date.now()}` })),
  'PATCH /tags/:id': { is: 'content.change', of: 'tag', body: () => ({ public: true }) },
  'DELETE /tags/:id': { is: 'content.change', of: 'tag' },
  'POST /tags/:id/merge': {
    is: 'content.change',
    of: 'tag',
    first: sql(`INSERT INTO tags (owner_id, name) SELECT owner_id, 'other ' || id FROM tags WHERE id = :tag`),
    body: async ({ tag }) => ({
      into:
        (await api.database.first<{ id: number }>(`SELECT id FROM tags WHERE name = 'other ' || $1`, [tag]))?.id ?? 1,
    }),
  },
  'POST /clients/import': { is: 'content.change', body: () => 'email,full_name,comment\n', type: 'text/csv' },
  'POST /clients/bulk': { is: 'content.change', body: () => ({ action: 'tag', tags: ['x'], search: 'nobody' }) },
  'GET /jobs': read,
  'GET /jobs/:id': { ...read, of: 'job' },
  'POST /jobs/:id/stop': { is: 'mailing.stop', of: 'job' },
  'GET /imports': read,
  'GET /imports/:id': { ...read, of: 'import' },
  'GET /imports/:id/errors.csv': { ...read, of: 'import' },
  'GET /segments': read,
  'POST /segments': create(() => ({ name: `S ${Math.random()}`, filter: { field: 'comment', op: 'isSet' } })),
  'POST /segments/count': { ...read, body: () => ({ filter: { field: 'comment', op: 'isSet' } }) },
  'GET /segments/:id': { ...read, of: 'segment' },
  'PATCH /segments/:id': { is: 'content.change', of: 'segment', body: ({ segment }) => ({ name: `Of ${segment}` }) },
  'DELETE /segments/:id': { is: 'content.change', of: 'segment' },
  'GET /imports/:id/rejected.csv': { ...read, of: 'import' },
  'GET /imports/:id/columns': { is: 'content.change', of: 'import', first: keptFile },
  'POST /imports/:id/apply': { is: 'content.change', of: 'import', first: keptFile, body: () => ({}) },
  'POST /imports/:id/undo': {
    is: 'content.change',
    of: 'import',
    first: sql(
      `UPDATE imports SET status = 'done', dry_run = false, first_client_id = 1, last_client_id = 1 WHERE id = :import`,
    ),
  },
  'GET /messages': read,
  'POST /messages': create(() => messageBody()),
  'GET /messages/:id': { ...read, of: 'message' },
  'PATCH /messages/:id': { is: 'content.change', of: 'message', body: () => ({ subject: 'Ho' }) },
  'DELETE /messages/:id': {
    is: 'content.change',
    of: 'message',
    first: sql(`UPDATE mailings SET deleted_at = now() WHERE message_id = :message`),
  },
  'POST /messages/:id/preview': { ...read, of: 'message', body: () => ({}) },
  'POST /messages/:id/test': { ...read, of: 'message', body: () => ({}) },
  'GET /messages/test-letters/:id': { is: 'profile.use', of: 'letter' },
  'GET /media': read,
  'POST /media': { is: 'content.change', body: () => formBody(GIF), type: FORM },
  'GET /media/:id': { ...read, of: 'picture' },
  'PATCH /media/:id': { is: 'content.change', of: 'picture', body: () => ({ alt: 'The sea' }) },
  'DELETE /media/:id': { is: 'content.change', of: 'picture' },
  'GET /messages/:id/attachments': { ...read, of: 'message' },
  'POST /messages/:id/attachments': { is: 'content.change', of: 'message', body: () => formBody('text'), type: FORM },
  'DELETE /attachments/:id': { is: 'content.change', of: 'attachment' },
  'GET /mailings': read,
  'POST /mailings': create(newMailing),
  'GET /mailings/:id': { ...read, of: 'mailing' },
  'PATCH /mailings/:id': { is: 'content.change', of: 'mailing', body: () => ({ name: 'New' }) },
  'DELETE /mailings/:id': { is: 'content.change', of: 'mailing', first: noRun },
  'GET /mailings/:id/clients': { ...read, of: 'mailing' },
  'POST /mailings/:id/clients': {
    is: 'content.change',
    of: 'mailing',
    body: ({ client }) => ({ clientIds: [client] }),
  },
  'DELETE /mailings/:id/clients': { is: 'content.change', of: 'mailing', body: () => ({ clientIds: [] }) },
  'GET /mailings/:id/schedule': { ...read, of: 'mailing' },
  'POST /mailings/:id/start': {
    is: 'content.change',
    of: 'mailing',
    first: sql(`UPDATE mailings SET status = 'created' WHERE id = :mailing`),
  },
  'POST /mailings/:id/pause': { is: 'mailing.stop', of: 'mailing', first: started },
  'POST /mailings/:id/resume': {
    is: 'mailing.stop',
    of: 'mailing',
    first: async (objects) => {
      await paused(objects);
      await sql(
        `UPDATE mailings SET status_code = 'paused_by_manager' WHERE id = :mailing AND owner_id <> ${owner.id}`,
      )(objects);
    },
  },
  'POST /mailings/:id/copy': { is: 'content.change', of: 'mailing', body: () => ({ name: 'Again' }) },
  'POST /mailings/:id/finish': { is: 'content.change', of: 'mailing', first: started },
  'POST /mailings/:id/send': { is: 'content.change', of: 'mailing', first: noRun },
  'GET /mailings/:id/runs': { ...read, of: 'mailing' },
  'GET /runs/:id': { ...read, of: 'run' },
  'POST /runs/:id/resend-failed': { is: 'content.change', of: 'run', first: failed },
  'GET /runs/:id/deliveries': { ...read, of: 'run' },
  'GET /runs/:id/deliveries.csv': { ...read, of: 'run' },
  'GET /deliveries/:id/events': { ...read, of: 'delivery' },
  'POST /deliveries/:id/resend': { is: 'content.change', of: 'delivery', first: unknown },
  'POST /deliveries/:id/mark-sent': { is: 'content.change', of: 'delivery', first: unknown },
  'GET /mailings/:id/preflight': { ...read, of: 'mailing' },
  'POST /inbound': {
    is: 'inbound.take',
    query: '?to=b@example.org',
    body: () => 'Subject: x\r\n\r\nx',
    type: 'message/rfc822',
  },
  'GET /inbound/webhooks': { is: 'inbound.webhooks' },
  'POST /inbound/webhooks': {
    is: 'inbound.webhooks',
    first: sql('DELETE FROM webhook_secrets'),
    body: () => ({ provider: 'postmark' }),
  },
  'PATCH /inbound/webhooks/:id': { is: 'inbound.webhooks', of: 'webhook', body: () => ({ signingKey: '' }) },
  'DELETE /inbound/webhooks/:id': { is: 'inbound.webhooks', of: 'webhook' },
  // The secret in its path is all.
  'POST /inbound/:provider/:secret': { is: 'public', answers: 404 },
  'GET /inbound': read,
  'GET /inbound/:id': { ...read, of: 'inbound' },
  'GET /inbound/:id/eml': { ...read, of: 'inbound' },
  'POST /inbound/:id/judge': { is: 'inbound.judge', of: 'inbound' },
  'GET /suppressions': read,
  'GET /suppressions.csv': read,
  'POST /suppressions': create((_, { id }) => ({ email: `s${id}@example.net` })),
  'POST /suppressions/:id/lift': {
    is: 'content.read',
    of: 'suppression',
    body: () => ({ reason: 'a mistake' }),
    first: inForce,
  },
  'POST /suppressions/import': { is: 'content.change', body: () => 'email\nx@example.net\n', type: 'text/csv' },
  'GET /suppressions/batches': read,
  'GET /suppressions/batches/:id': { ...read, of: 'batch' },
  'POST /suppressions/batches/:id/suppress': {
    is: 'outages.decide',
    of: 'batch',
    first: sql(`UPDATE suppression_batches SET kind = 'outage', owner_id = NULL, until = now(), domain = 'd' || id
      WHERE id = :batch`),
  },
  'POST /suppressions/undo': { is: 'content.read', body: ({ batch }) => ({ batchId: batch }) },
  'GET /sender': { is: 'profile.use' },
  'PATCH /sender': { is: 'profile.use', body: () => ({ name: 'News' }) },
  'GET /attempts': read,
  'GET /events': read,
  'GET /statistics': read,
  'GET /reports': read,
  'GET /reports/periods.csv': read,
  'GET /reports/mailings.csv': read,
  'GET /reports/reasons.csv': read,
  'GET /reports/domains.csv': read,
  'GET /deliverability': read,
  'GET /deliverability/providers.csv': read,
  'GET /transport': { is: 'account.read' },
  'GET /transport/probe': { is: 'account.prove' },
  'POST /transport/probe': { is: 'account.prove' },
  'POST /transport/resume': { is: 'account.resume' },
};

let api: TestApi;
let owner: Person;
let other: Person;
let manager: Person;
let admin: Person;
let blocked: Person;
let expired: Person;
const objectsOf = (person: Person) => makeObjects(api, person);
const kept = new Map<Person, Promise<Objects>>();
/** Reading leaves everything as it is. */
const objectsFor = (name: string, person: Person): Promise<Objects> => {
  if (!name.startsWith('GET')) return objectsOf(person);
  if (!kept.has(person)) kept.set(person, objectsOf(person));
  return kept.get(person)!;
};

beforeAll(async () => {
  api = await startApi({ authAnswerMs: 1, apiCallsPerMinute: 0, bounceAddress: 'b@news.example.org' });
  [owner, other, manager, admin] = [
    await api.person(),
    await api.person(),
    await api.person('manager'),
    await api.person('admin'),
  ];
  [blocked, expired] = [await api.person(), await api.person()];
  await api.database.affected(`UPDATE users SET status = 'blocked' WHERE id = $1`, [blocked.id]);
  await api.database.affected(`UPDATE api_tokens SET expires_at = now() WHERE user_id = $1`, [expired.id]);
});
afterAll(() => api.close());

async function ask(name: string, route: Route, objects: Objects, caller: Person | null): Promise<Answer> {
  const [method = '', path = ''] = name.split(' ');
  const body = await route.body?.(objects, caller ?? other);
  return api.call(
    method,
    `/api/v1${path.replace(':id', String(route.of ? objects[route.of] : '')).replace(':key', 'city')}${route.query ?? ''}`,
    {
      ...(caller && { token: caller.token }),
      ...(body !== undefined && { body }),
      ...(route.type && { headers: { 'content-type': route.type } }),
    },
  );
}

test('every route of the application is named here, and nothing else', () => {
  const routes = routesOf(api).map((route) => route.replace('/api/v1', ''));
  expect(routes.sort()).toEqual(Object.keys(ROUTES).sort());
});

const guarded = Object.entries(ROUTES).filter(([, { is }]) => is !== 'public') as [string, Route & { is: Action }][];

test.each(Object.entries(ROUTES).filter(([, { is }]) => is === 'public'))('%s is open', async (name, route) => {
  const { status } = await ask(name, route, {} as Objects, null);
  expect(status).toBe(route.answers ?? 200);
});

test.each(guarded)('%s is nothing for nobody, the blocked and those whose token is over', async (name, route) => {
  const objects = await objectsFor('GET', owner);
  for (const caller of [null, blocked, expired, { ...owner, token: 'gnt_made_up' }])
    expect((await ask(name, route, objects, caller)).status).toBe(401);
});

describe.each(guarded)('%s', (name, route) => {
  const reachOf = (role: 'user' | 'manager' | 'admin') => PERMISSIONS[route.is][role];

  test("one's own", async () => {
    const people = { user: owner, manager, admin };
    for (const role of ['user', 'manager', 'admin'] as const) {
      // Nobody manages themselves; whom a user is to managers is the next test.
      const objects = await objectsFor(name, people[role]);
      await route.first?.(objects);
      const { status, text } = await ask(name, route, objects, people[role]);
      if (reachOf(role) === 'none' || route.notOwn) expect(status).toBe(403);
      else expect([status, status < 300 ? '' : text]).toEqual([status, '']);
    }
  });

  test("another's", async () => {
    for (const [role, caller] of [
      ['user', other],
      ['manager', manager],
      ['admin', admin],
    ] as const) {
      const objects = await objectsFor(name, route.of ? owner : caller);
      await route.first?.(objects);
      if (route.is === 'mailing.stop' && name.endsWith('resume'))
        await sql(`UPDATE mailings SET status_code = 'paused_by_manager' WHERE id = :mailing`)(objects);
      const { status, text } = await ask(name, route, objects, caller);
      const reach = reachOf(role);
      if (reach === 'none') expect([role, status]).toEqual([role, 403]);
      else if (reach === 'own' && route.of) {
        // What a manager may read is there, and so is not theirs to change.
        const isThere = role === 'manager' && route.is === 'content.change';
        expect([role, status]).toEqual([role, isThere ? 403 : 404]);
      } else expect([role, status, status < 300 ? '' : text]).toEqual([role, status, '']);
    }
  });
});

test('lists, counts and exports hold nothing of others', async () => {
  const [mine, theirs] = [await api.person(), await api.person()];
  const [ours, objects] = [await objectsOf(mine), await objectsOf(theirs)];
  await api.make.attempts([ours.run, objects.run]);
  await api.make.events([ours.delivery, objects.delivery], 'unsubscribed');
  const get = async (path: string, caller: Person) => (await api.call('GET', `/api/v1${path}`, caller)).body;
  for (const list of ['/clients', '/tags', '/messages', '/mailings', '/imports', '/attempts', '/events']) {
    const own = await get(`${list}?withTotal=true`, mine);
    expect([list, own.items.map(({ ownerId }) => ownerId), own.total]).toEqual([list, [mine.id], 1]);
    expect([list, (await get(`${list}?ownerId=${theirs.id}`, mine)).items]).toEqual([list, []]);
    const filtered = await get(`${list}?ownerId=${theirs.id}&withTotal=true`, manager);
    expect([list, filtered.items.map(({ ownerId }) => ownerId), filtered.total]).toEqual([list, [theirs.id], 1]);
  }
  for (const filter of ['mailingId=:mailing', 'runId=:run', 'deliveryId=:delivery', 'clientId=:client']) {
    const query = filter.replace(/:(\w+)/, (_, key: keyof Objects) => String(objects[key]));
    expect((await get(`/attempts?${query}`, mine)).items).toEqual([]);
    if (filter !== 'deliveryId=:delivery') expect((await get(`/events?${query}`, mine)).items).toEqual([]);
  }
  expect(await get('/statistics', mine)).toMatchObject({ mailings: 1, uniqueRecipients: 1, attempts: { ok: 1 } });
  const csv = await api.call('GET', '/api/v1/clients/export.csv', mine);
  expect(csv.text.trim().split('\n')).toHaveLength(2);
});

test("others' objects can not be brought in by ids inside of a body", async () => {
  const [theirs, ours] = [await objectsOf(other), await objectsOf(owner)];
  const call = (method: string, path: string, body: unknown) =>
    api.call(method, `/api/v1${path}`, { token: owner.token, body });
  const answers = [
    await call('POST', '/mailings', { ...newMailing(ours), messageId: theirs.message }),
    await call('POST', '/mailings', { ...newMailing(ours), clientIds: [theirs.client] }),
    await call('PATCH', `/mailings/${ours.mailing}`, { messageId: theirs.message }),
    await call('PATCH', `/mailings/${ours.mailing}`, { clientIds: [theirs.client] }),
    await call('POST', `/mailings/${ours.mailing}/clients`, { clientIds: [theirs.client] }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400]);
  expect((await call('POST', `/messages/${ours.message}/preview`, { clientId: theirs.client })).status).toBe(404);
});

describe('bodies with fields that are not theirs', () => {
  const extra = {
    id: 1,
    ownerId: 1,
    userId: 1,
    role: 'admin',
    status: 'active',
    passwordHash: 'x',
    createdAt: '2020-01-01',
  };
  const writes = Object.entries(ROUTES).filter(([name, { body, type }]) => !name.startsWith('GET') && body && !type);

  test.each(writes)('%s takes none', async (name, route) => {
    const objects = await objectsFor('GET', admin);
    for (const [field, value] of Object.entries(extra)) {
      if (name === 'PATCH /users/:id' && (field === 'role' || field === 'status')) continue;
      if (name === 'POST /users' && field === 'role') continue;
      const good = (await route.body?.(objects, admin)) as object;
      const { status, body } = await ask(name, { ...route, body: () => ({ ...good, [field]: value }) }, objects, admin);
      expect([field, status, body.errors?.[0]?.field]).toEqual([field, 400, field]);
    }
  });
});

describe('Bull Board', () => {
  const get = (headers: Record<string, string>, path = '/queues/api/queues') => api.call('GET', path, { headers });
  const basic = ({ token }: Person) => ({ authorization: `Basic ${Buffer.from(`x:${token}`).toString('base64')}` });

  test('is for managers and admins, by token or session, and changes nothing', async () => {
    expect((await get({})).status).toBe(401);
    expect((await get({}, '/queues')).status).toBe(401);
    for (const person of [blocked, expired]) expect((await get(basic(person))).status).toBe(401);
    expect((await get(basic(owner))).status).toBe(403);
    for (const person of [manager, admin]) expect((await get(basic(person))).status).toBe(200);
    const { cookie } = await api.signIn(manager.email);
    expect((await get({ cookie })).status).toBe(200);
    expect((await get({ cookie: (await api.signIn(owner.email)).cookie })).status).toBe(403);
    const write = await api.call('PUT', '/queues/api/queues/delivery/clean/completed', { headers: basic(admin) });
    expect(write.status).toBe(403);
  });
});
