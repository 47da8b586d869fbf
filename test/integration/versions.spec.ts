import { type Person, startApi, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';

/** Two people or two windows change the same thing: the second is told, and loses nothing. */

let api: TestApi;
let owner: Person;
let admin: Person;

beforeAll(async () => {
  api = await startApi();
  [owner, admin] = [await api.person('user', 'owner@example.org'), await api.person('admin', 'admin@example.org')];
});

afterAll(() => api.close());

const call = (method: string, path: string, body?: object, headers?: Record<string, string>, token = owner.token) =>
  api.call(method, `/api/v1${path}`, { token, ...(body && { body }), ...(headers && { headers }) });

async function made(path: string, body: object): Promise<string> {
  const answer = await call('POST', path, body);
  expect([path, answer.status, answer.body.version]).toEqual([path, 201, 1]);
  return `${path}/${answer.body.id}`;
}

const message = () => made('/messages', messageBody());
const city = (value: string) => ({ filter: { field: 'email', op: 'contains', value } });
let n = 0;

/** Each kind of thing: how one is made, and two changes of it. */
const KINDS: [kind: string, make: () => Promise<string>, first: object, second: object, keeps: object][] = [
  ['a message', message, { subject: 'One' }, { subject: 'Two' }, { subject: 'One' }],
  [
    'a mailing',
    async () => made('/mailings', mailingBody((await call('POST', '/messages', messageBody())).body.id)),
    { name: 'One' },
    { name: 'Two', period: 'weekly' },
    { name: 'One', period: 'once' },
  ],
  ['a segment', () => made('/segments', { name: `S${++n}`, ...city('a') }), city('b'), city('c'), city('b')],
  [
    'a client',
    () => made('/clients', { email: `c${++n}@example.org` }),
    { fullName: 'One' },
    { fullName: 'Two' },
    { fullName: 'One' },
  ],
  [
    "a client's tags",
    () => made('/clients', { email: `c${++n}@example.org`, tags: ['a'] }),
    { tags: ['b'] },
    { tags: ['c'] },
    { tags: ['b'] },
  ],
  ['a form', () => made('/forms', { name: 'F', title: 'T' }), { title: 'One' }, { title: 'Two' }, { title: 'One' }],
  [
    "a form's tags",
    async () => {
      for (const name of ['a', 'b', 'c']) await call('POST', '/tags', { name });
      return made('/forms', { name: 'F', title: 'T', tags: ['a'] });
    },
    { tags: ['b'] },
    { tags: ['c'] },
    { tags: ['b'] },
  ],
];

describe.each(KINDS)('%s', (_kind, make, first, second, keeps) => {
  it('is not changed by somebody who began with another version', async () => {
    const at = await make();
    const before = await call('GET', at);
    expect(before.body.version).toBe(1);
    const changed = await call('PATCH', at, { ...first, version: 1 }, {}, admin.token);
    expect([changed.status, changed.body.version]).toEqual([200, 2]);

    const late = await call('PATCH', at, { ...second, version: 1 });
    expect([late.status, late.body.code]).toEqual([409, 'CHANGED_MEANWHILE']);
    expect(late.body.changed).toEqual({
      version: 2,
      by: { id: admin.id, name: 'admin@example.org' },
      at: expect.stringMatching(/^20\d\d-/) as string,
    });
    expect((await call('PATCH', at, second, { 'if-match': '"1"' })).body.code).toBe('CHANGED_MEANWHILE');
    expect((await call('GET', at)).body).toMatchObject({ ...keeps, version: 2 });

    // The same form may arrive twice: what would change nothing is no conflict.
    const again = await call('PATCH', at, { ...first, version: 1 });
    expect([again.status, again.body.version]).toEqual([200, 2]);
    expect((await call('PATCH', at, second, { 'if-match': '"2"' })).body.version).toBe(3);
    // Who names no version overwrites, as ever.
    expect((await call('PATCH', at, first)).body.version).toBe(4);
    expect((await call('PATCH', at, second, { 'if-match': '*' })).body.version).toBe(5);
  });
});

it('refuses an If-Match that is no version', async () => {
  const answer = await call('PATCH', await message(), { subject: 'x' }, { 'if-match': 'W/"abc"' });
  expect([answer.status, answer.body.errors[0]?.field]).toEqual([400, 'If-Match']);
});

it("counts changes of the sender's from the first one on", async () => {
  expect((await call('GET', '/sender')).body.version).toBe(0);
  const both = await Promise.all([
    call('PATCH', '/sender', { name: 'One', version: 0 }),
    call('PATCH', '/sender', { name: 'Two', version: 0 }),
  ]);
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  expect((await call('GET', '/sender')).body.version).toBe(1);
  expect((await call('PATCH', '/sender', { name: 'Three' }, { 'if-match': '"1"' })).body.version).toBe(2);
});

it('lets one of two win who save at once', async () => {
  for (const [, make, first, second] of KINDS) {
    const at = await make();
    const both = await Promise.all([first, second].map((body) => call('PATCH', at, { ...body, version: 1 })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  }
});

it('counts new lists of selected clients', async () => {
  const [one, two] = await api.make.clients(owner.id, ['list1@example.org', 'list2@example.org']);
  const messageId = (await call('POST', '/messages', messageBody())).body.id;
  const at = await made('/mailings', mailingBody(messageId, { audience: 'selected', clientIds: [one] }));
  expect((await call('PATCH', at, { clientIds: [two], version: 1 })).body.version).toBe(2);
  expect((await call('PATCH', at, { clientIds: [one], version: 1 })).body.code).toBe('CHANGED_MEANWHILE');
});

it('does not count what the service does with a mailing', async () => {
  const messageId = (await call('POST', '/messages', messageBody())).body.id;
  const at = await made('/mailings', mailingBody(messageId, { period: 'daily' }));
  await api.make.clients(owner.id, ['moves@example.org']);
  for (const move of ['start', 'pause', 'resume'])
    expect([move, (await call('POST', `${at}/${move}`, {})).status]).toEqual([move, 200]);
  const id = Number(at.split('/').at(-1));
  await api.database.rows(
    `UPDATE mailings SET next_run_at = next_run_at + interval '1 day', joined_from = 1, selected_count = 5,
      waited_until = app_now(), updated_at = app_now() WHERE id = $1`,
    [id],
  );
  expect((await call('GET', at)).body.version).toBe(1);
});

it('counts changes by processes of the previous release, which know no versions', async () => {
  const at = await message();
  await call('PATCH', at, { subject: 'By the owner' });
  await api.database.rows(`UPDATE messages SET body = 'old release', updated_at = app_now() WHERE id = $1`, [
    Number(at.split('/').at(-1)),
  ]);
  const late = await call('PATCH', at, { subject: 'Late', version: 2 });
  expect(late.body.changed).toMatchObject({ version: 3, by: null });
});

it('counts imports that change a client, and not those that bring what is there', async () => {
  const at = await made('/clients', { email: 'imported@example.org', fullName: 'Before' });
  const id = Number(at.split('/').at(-1));
  const put = (name: string) =>
    api.database.rows('UPDATE clients SET full_name = $2, updated_at = app_now() WHERE id = $1', [id, name]);
  await put('Before');
  expect((await call('GET', at)).body.version).toBe(1);
  await put('After');
  expect((await call('PATCH', at, { fullName: 'Mine', version: 1 })).status).toBe(409);
});
