import { WebModule } from '../../src/web/web.module';
import { startApi, type TestApi } from '../support/api';
import { eventually } from '../support/service';

/** A search of clients through all that their owner wrote about them: name, address, comment, fields of one's own. */

let api: TestApi;
let token: string;
let session: { cookie: string; csrf: string };

beforeAll(async () => {
  api = await startApi({ apiCallsPerMinute: 0 }, [WebModule]);
  const person = await api.person();
  token = person.token;
  session = await api.signIn(person.email);
  for (const [key, type] of Object.entries({ city: 'text', note: 'text', orders: 'number', born: 'date' }))
    await call('POST', '/fields', { key, label: key, type });
  const clients = [
    { email: 'anna@example.org', fullName: 'Anna', comment: 'met at the fair', fields: { city: 'Мирный', orders: 41 } },
    { email: 'boris@example.org', fullName: 'Boris', fields: { city: 'Санкт-Петербург', born: '1987-05-02' } },
    {
      email: 'clara@example.org',
      fullName: 'Clara',
      fields: { note: String.raw`a "100 %" C:\news_letter`, city: 'İzmir' },
    },
    { email: 'dora@example.org', fullName: 'Dora', fields: { city: 'Rome', note: 'Paris', orders: 7 } },
  ];
  for (const client of clients) expect((await call('POST', '/clients', client)).status).toBe(201);
  const other = await api.person();
  await api.make.clients(other.id, ['moscow@example.org']);
});
afterAll(() => api.close());

const call = (method: string, path: string, body?: object) =>
  api.call(method, `/api/v1${path}`, { token, ...(body && { body }) });
const emails = (answer: { body: unknown }) =>
  (answer.body as { items: { email: string }[] }).items.map(({ email }) => email);

async function found(term: string, more = '&searchIn=all'): Promise<string[]> {
  const answer = await call('GET', `/clients?sort=email&search=${encodeURIComponent(term)}${more}`);
  return emails(answer).map((email) => email.split('@')[0] ?? '');
}

test.each([
  ['anna', ['anna']],
  ['the FAIR', ['anna']],
  ['мирный', ['anna']],
  ['петербург', ['boris']],
  ['1987-05', ['boris']],
  ['41', ['anna']],
  ['izmir', ['clara']],
  ['ızmır', ['clara']],
  ['"100 %"', ['clara']],
  [String.raw`:\news_`, ['clara']],
  ['100_%', []],
  // Inside of words of names and addresses a single letter is not looked for; there is an index for what is.
  ['a', ['anna', 'clara', 'dora']],
  // Signs that stand between values when they are written one after the other are not in any of them.
  ['", "', []],
  ['Paris", 7', []],
  [', 7', []],
  ['[', []],
  ['note', []],
  ['moscow', []],
])('%j finds %j', async (term, expected) => {
  expect(await found(term)).toEqual(expected);
});

test('names and addresses alone are searched unless more is asked for', async () => {
  expect(await found('fair', '')).toEqual([]);
  expect(await found('rome', '')).toEqual([]);
  expect(await found('dora', '')).toEqual(['dora']);
  const refused = await call('GET', '/clients?search=a&searchIn=fields');
  expect(refused.status).toBe(400);
});

test('the export and actions on all that was found are about the same clients', async () => {
  const { text } = await api.call('GET', '/api/v1/clients/export.csv?search=paris&searchIn=all', { token });
  expect(text.match(/\w+@example\.org/g)).toEqual(['dora@example.org']);
  const begun = await call('POST', '/clients/bulk', {
    action: 'tag',
    tags: ['found'],
    search: 'paris',
    searchIn: 'all',
  });
  expect(begun.status).toBe(202);
  await eventually(
    async () => (await call('GET', `/jobs/${String(begun.body.jobId)}`)).body.status !== 'running',
    'it is done',
  );
  expect(emails(await call('GET', '/clients?tag=found'))).toEqual(['dora@example.org']);
});

test('where to search means nobody without what to search for', async () => {
  for (const body of [{ searchIn: 'all' }, { searchIn: 'all', tag: 'found' }, { searchIn: 'all', all: true }])
    expect((await call('POST', '/clients/bulk', { action: 'delete', ...body })).status).toBe(400);
});

test('the page searches everything if its clients are few, and its actions are about those it shows', async () => {
  const page = async (query: string) => (await api.call('GET', `/clients${query}`, { cookie: session.cookie })).text;
  const chosen = (html: string) =>
    /<select[^>]*name="searchIn".*?<\/select>/s.exec(html)?.[0].match(/value="(\w*)" selected/)?.[1];
  expect(chosen(await page(''))).toBe('all');
  const asked = await page('?search=paris&searchIn=all');
  expect(asked).toContain('dora@example.org');
  expect(asked).not.toContain('anna@example.org');
  expect(asked).toContain('name="by.searchIn" value="all"');
  expect(chosen(await page('?search=paris&searchIn='))).not.toBe('all');
  const unfiltered = await page('?search=&searchIn=all');
  expect(unfiltered).toContain('name="by.all"');
  expect(unfiltered).not.toContain('name="by.searchIn"');
});
