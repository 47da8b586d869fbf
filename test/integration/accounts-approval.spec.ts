import type { INestApplicationContext } from '@nestjs/common';
import { PASSWORD, type Person, startApi, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';
import { Inbox } from '../support/inbox';
import { startWorker } from '../support/worker';

/** REGISTRATION=approval, as in production; and what managers do to users. */

let inbox: Inbox;
let api: TestApi;
let worker: INestApplicationContext;
let user: Person;
let manager: Person;
let admin: Person;

beforeAll(async () => {
  inbox = await Inbox.start();
  api = await startApi({ smtpUrl: inbox.url, registration: 'approval', authAnswerMs: 1 });
  worker = await startWorker(api.config);
  user = await api.person('user');
  manager = await api.person('manager');
  admin = await api.person('admin');
});

afterAll(async () => {
  await worker.close();
  await api.close();
  await inbox.close();
});

const patch = (by: Person, id: number, body: object) => api.call('PATCH', `/api/v1/users/${id}`, { ...by, body });
const audited = async (action: string, objectId: number) =>
  (await api.call('GET', `/api/v1/audit?action=${action}&objectId=${objectId}`, manager)).body.items;

test('a confirmed address waits until a manager lets it in, and is told then', async () => {
  const email = 'new@example.org';
  await api.call('POST', '/api/v1/auth/register', { body: { email, password: PASSWORD } });
  const { token } = await inbox.letterTo(email);
  const confirmed = await api.call('POST', '/api/v1/auth/confirm', { body: { token } });
  expect(confirmed.body.status).toBe('waiting');
  expect((await api.signIn(email)).answer.status).toBe(401);
  const [waiting] = (await api.call('GET', '/api/v1/users?status=waiting', manager)).body.items;
  expect(waiting).toMatchObject({ email, status: 'waiting' });
  const id = Number(waiting?.id);
  expect((await patch(user, id, { status: 'active' })).status).toBe(403);
  expect((await patch(manager, id, { status: 'active' })).body.status).toBe('active');
  expect((await inbox.letterTo(email, 2)).mail.subject).toBe('You may sign in now');
  expect((await api.signIn(email)).answer.status).toBe(200);
  expect(await audited('user.let_in', id)).toMatchObject([{ actorId: manager.id, via: 'token', ip: '127.0.0.1' }]);
});

test('a manager blocks users only, an admin everybody but themselves', async () => {
  const other = await api.person('manager');
  expect((await patch(manager, other.id, { status: 'blocked' })).status).toBe(403);
  expect((await patch(manager, admin.id, { status: 'blocked' })).status).toBe(403);
  expect((await patch(manager, manager.id, { status: 'blocked' })).status).toBe(403);
  expect((await patch(admin, admin.id, { status: 'blocked' })).status).toBe(403);
  expect((await patch(admin, other.id, { status: 'blocked' })).body.status).toBe('blocked');
  expect((await patch(manager, other.id, { status: 'active' })).status).toBe(403);
  expect((await patch(admin, other.id, { status: 'active' })).body.status).toBe('active');
  expect((await patch(manager, 999_999, { status: 'blocked' })).status).toBe(404);
});

test('roles are an admin’s, and nobody’s own', async () => {
  const other = await api.person('user');
  expect((await patch(manager, other.id, { role: 'manager' })).status).toBe(403);
  expect((await patch(manager, manager.id, { role: 'admin' })).status).toBe(403);
  expect((await patch(admin, admin.id, { role: 'user' })).body.code).toBe('OWN_ROLE');
  expect((await patch(admin, other.id, { role: 'manager' })).body.role).toBe('manager');
  expect((await api.call('GET', '/api/v1/users', other)).status).toBe(200);
  expect(await audited('user.role', other.id)).toMatchObject([{ detail: { from: 'user', to: 'manager' } }]);
});

describe('blocking', () => {
  async function owner(): Promise<{ person: Person; mailingId: number }> {
    const person = await api.person();
    const post = async (path: string, body: object) =>
      (await api.call('POST', `/api/v1${path}`, { token: person.token, body })).body;
    await post('/clients', { email: 'c@example.net', fullName: 'C' });
    const message = await post('/messages', messageBody());
    const mailing = await post('/mailings', mailingBody(message.id, { period: 'daily' }));
    await post(`/mailings/${mailing.id}/start`, {});
    return { person, mailingId: mailing.id };
  }

  test('ends sessions and tokens at once and pauses mailings; unblocking resumes nothing', async () => {
    const { person, mailingId } = await owner();
    const { cookie } = await api.signIn(person.email);
    expect((await patch(manager, person.id, { status: 'blocked' })).body.status).toBe('blocked');
    expect((await api.call('GET', '/api/v1/me', { cookie })).status).toBe(401);
    expect((await api.call('GET', '/api/v1/me', person)).status).toBe(401);
    expect((await api.signIn(person.email)).answer.status).toBe(401);
    const mailing = () => api.call('GET', `/api/v1/mailings/${mailingId}`, manager);
    expect((await mailing()).body).toMatchObject({
      status: 'paused',
      statusReason: { code: 'owner_blocked', by: manager.id },
    });
    for (const by of [manager, admin])
      expect((await api.call('POST', `/api/v1/mailings/${mailingId}/resume`, by)).body.code).toBe('OWNER_BLOCKED');

    expect((await patch(manager, person.id, { status: 'active' })).body.status).toBe('active');
    expect((await mailing()).body.status).toBe('paused');
    expect((await api.call('GET', '/api/v1/me', { cookie })).status).toBe(401);
    expect((await api.call('GET', '/api/v1/me', person)).status).toBe(401);
    const again = await api.signIn(person.email);
    expect(again.answer.status).toBe(200);
    expect((await api.call('POST', `/api/v1/mailings/${mailingId}/resume`, again)).status).toBe(403);
    expect((await api.call('POST', `/api/v1/mailings/${mailingId}/resume`, manager)).status).toBe(200);
  });

  test('a link to a new password, sent before, sets none', async () => {
    const person = await api.person();
    await api.call('POST', '/api/v1/auth/forgot', { body: { email: person.email } });
    const { token } = await inbox.letterTo(person.email);
    await patch(manager, person.id, { status: 'blocked' });
    const reset = await api.call('POST', '/api/v1/auth/reset', { body: { token, password: 'another horse battery' } });
    expect(reset.body.code).toBe('LINK_INVALID');
  });

  test('comes through while starts go on, and nothing is left started', async () => {
    const { person, mailingId } = await owner();
    await api.call('POST', `/api/v1/mailings/${mailingId}/pause`, person);
    const toggles = Array.from({ length: 10 }, (_, i) =>
      api.call('POST', `/api/v1/mailings/${mailingId}/${i % 2 ? 'pause' : 'resume'}`, person),
    );
    await patch(manager, person.id, { status: 'blocked' });
    await Promise.all(toggles);
    expect((await api.call('GET', `/api/v1/mailings/${mailingId}`, manager)).body.status).toBe('paused');
  });
});

test('a closed service registers nobody, and says the same', async () => {
  const closed = await startApi({ registration: 'closed', authAnswerMs: 1 });
  const answer = await closed.call('POST', '/api/v1/auth/register', {
    body: { email: 'x@example.org', password: PASSWORD },
  });
  expect([answer.status, answer.body]).toEqual([202, {}]);
  expect(await closed.database.rows('SELECT id FROM users')).toEqual([]);
  await closed.close();
});

test('letters a day: what is too much does not start', async () => {
  const limited = await startApi({ lettersPerDay: 3 });
  const person = await limited.person();
  const call = (method: string, path: string, body?: object) =>
    limited.call(method, `/api/v1${path}`, { token: person.token, ...(body && { body }) });
  for (const n of [1, 2]) await call('POST', '/clients', { email: `c${n}@example.net`, fullName: 'C' });
  const message = (await call('POST', '/messages', messageBody())).body.id;
  const mailing = async (by = call) =>
    (await by('POST', '/mailings', mailingBody(message, { startAt: new Date().toISOString() }))).body.id;
  expect((await call('POST', `/mailings/${await mailing()}/send`)).status).toBe(202);
  const refused = await call('POST', `/mailings/${await mailing()}/send`);
  expect([refused.status, refused.body.code]).toEqual([429, 'LETTERS_PER_DAY']);
  expect(refused.headers.get('retry-after')).toBe('3600');
  const both = await Promise.all([mailing(), mailing()]);
  await limited.database.affected(`UPDATE runs SET created_at = created_at - interval '25 hours'`);
  const starts = await Promise.all(both.map((id) => call('POST', `/mailings/${id}/start`)));
  expect(starts.map(({ status }) => status).sort()).toEqual([200, 429]);
  await limited.database.affected(`UPDATE users SET role = 'manager'`);
  expect((await call('POST', `/mailings/${await mailing()}/send`)).status).toBe(202);
  await limited.close();
});
