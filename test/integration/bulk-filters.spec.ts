import { WebModule } from '../../src/web/web.module';
import { startApi, type TestApi } from '../support/api';

/** "All that match" is never more than was meant: a filter that is misspelt, unknown or misplaced means nobody. */

let api: TestApi;
let ownerId: number;
let token: string;
let session: { cookie: string; csrf: string };

beforeAll(async () => {
  api = await startApi({ apiCallsPerMinute: 0 }, [WebModule]);
  const person = await api.person();
  ownerId = person.id;
  token = person.token;
  session = await api.signIn(person.email);
});
beforeEach(async () => {
  await api.database.affected('DELETE FROM clients');
  await api.make.clients(ownerId, ['anna@example.org', 'boris@example.org']);
});
afterAll(() => api.close());

const left = async () =>
  (await api.database.rows<{ email: string }>('SELECT email FROM clients ORDER BY email')).map(({ email }) => email);
const BOTH = ['anna@example.org', 'boris@example.org'];

const send = (fields: Record<string, string>, query = '') =>
  api.call('POST', `/clients/bulk${query}`, {
    ...session,
    headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ action: 'delete', whom: 'all', sure: '1', ...fields }).toString(),
  });

test.each([
  [{}, ''],
  [{ 'by.all': '1', 'by.serach': 'anna' }, ''],
  [{ 'by.all': '1', 'by.search': ' ' }, ''],
  [{ 'by.all': '1', 'by.search[0]': 'anna' }, ''],
  [{ 'by.search': 'anna', 'by.subscription': 'gone' }, ''],
  [{ 'by.search': 'anna', 'by.segmentId': 'x' }, ''],
  [{ 'by.all': '1' }, '?search=anna'],
])('the form %j with the query %j is about nobody', async (fields, query) => {
  const { status, text } = await send(fields, query);
  expect([status, text.includes('role="alert"')]).toEqual([200, true]);
  expect(await left()).toEqual(BOTH);
});

test.each([
  [{ 'by.search': 'anna' }, ['boris@example.org']],
  [{ 'by.all': '1' }, []],
])('the form %j is about whom it says', async (fields, expected) => {
  expect((await send(fields)).status).toBe(303);
  expect(await left()).toEqual(expected);
});

test('a list that did not understand its address does not offer everybody', async () => {
  /** The fields of the form that the list has for that address. */
  const offered = async (query: string) => {
    const { text } = await api.call('GET', `/clients?${query}`, { cookie: session.cookie });
    const fields = [...text.matchAll(/name="(by\.[^"]*)" value="([^"]*)"/g)];
    return Object.fromEntries(fields.map(([, name = '', value = '']): [string, string] => [name, value]));
  };
  expect(await offered('sort=email&columns=email')).toEqual({ 'by.all': '1' });
  expect(await offered('search=anna&tag=&subscription=subscribed')).toEqual({
    'by.search': 'anna',
    'by.subscription': 'subscribed',
  });
  for (const query of ['serach=anna', 'search=%20', 'subscription=gone', 'segmentId=x', 'tags=VIP']) {
    const { text } = await send(await offered(query));
    expect([query, text.includes('role="alert"')]).toEqual([query, true]);
  }
  expect(await left()).toEqual(BOTH);
});

test.each([
  ['', { all: true, serach: 'anna' }],
  ['', { all: true, search: ' ' }],
  ['', { all: true, search: 'anna' }],
  ['', { search: 'anna', tag: '' }],
  ['', { all: true, fields: { city: 'Moscow' } }],
  ['?search=anna', { all: true }],
])('REST%s refuses %j', async (query, body) => {
  const answer = await api.call('POST', `/api/v1/clients/bulk${query}`, { token, body: { action: 'delete', ...body } });
  expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
  expect(await left()).toEqual(BOTH);
});

test('the list of everybody’s clients offers a manager only their own, and does not count those of others', async () => {
  const manager = await api.person('manager');
  const { cookie } = await api.signIn(manager.email);
  const list = async (query = '') => (await api.call('GET', `/clients${query}`, { cookie })).text;
  const column = /<th[^>]*>Chosen/;
  expect(await list()).not.toMatch(column);
  await api.make.clients(manager.id, ['mine@example.org']);
  const all = await list();
  expect(all).toMatch(column);
  expect(all).toContain('All of yours that this list finds');
  expect(all).not.toContain('All that this list finds');
  expect(await list(`?ownerId=${manager.id}`)).toContain('All that this list finds (1)');
});
