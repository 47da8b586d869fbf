import { WebModule } from '../../src/web/web.module';
import { startApi, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';

/** Days and times that callers write: those that do not exist, and the first and last that do, are never our error. */

const DAYS = ['2027-02-31', '2027-02-30', '2027-13-01', '0000-01-01', '0001-01-01', '9999-12-31', '2027-3-1', 'today'];

let api: TestApi;
let token: string;
let cookie: string;

beforeAll(async () => {
  api = await startApi({ apiCallsPerMinute: 0 }, [WebModule]);
  const boss = await api.person('admin');
  token = boss.token;
  cookie = (await api.signIn(boss.email)).cookie;
  await api.call('PATCH', '/api/v1/me', { token, body: { timeZone: 'Pacific/Kiritimati' } });
});
afterAll(() => api.close());

async function failing(urls: string[], asker: { token: string } | { cookie: string }) {
  const found: string[] = [];
  for (const url of urls) {
    const { status, text } = await api.call('GET', url, asker);
    if (status >= 500) found.push(`${url} ${status} ${text.slice(0, 200)}`);
  }
  return found;
}

test('pages and their files', async () => {
  const urls = ['/attempts?', '/attempts?status=final&', '/audit?', '/reports?', '/reports?by=month&']
    .concat(['periods.csv', 'mailings.csv', 'reasons.csv', 'domains.csv'].map((file) => `/reports/${file}?`))
    .concat(['/reports/chart.svg?', '/reports/chart.svg?chart=after&by=month&'])
    .flatMap((path) =>
      DAYS.flatMap((day) => [`${path}from=${day}`, `${path}to=${day}`, `${path}from=${day}&to=${day}`]),
    );
  expect(await failing(urls, { cookie })).toEqual([]);
});

test('every route of the API that takes some', async () => {
  type Parameter = { name: string; in: string; schema?: { format?: string } };
  type Document = { paths: Record<string, { get?: { parameters?: Parameter[] } }> };
  const { body } = await api.call('GET', '/api/docs-json', { token });
  const routes = Object.entries((body as unknown as Document).paths).flatMap(([path, { get }]) => {
    const names = get?.parameters?.filter((p) => p.in === 'query' && /^date/.test(p.schema?.format ?? '')) ?? [];
    return names.map(({ name }) => `${path.replace(/\{\w+\}/g, '1')}?${name}=`);
  });
  expect(routes).toEqual(expect.arrayContaining(['/api/v1/reports?from=', '/api/v1/attempts?to=']));
  const times = DAYS.flatMap((day) => [day, `${day}T00:00:00Z`, `${day}T23:59:59.999-14:00`]);
  const urls = routes.flatMap((route) => times.map((time) => route + encodeURIComponent(time)));
  expect(await failing(urls, { token })).toEqual([]);
});

test('bodies', async () => {
  const message = (await api.call('POST', '/api/v1/messages', { token, body: messageBody() })).body.id;
  await api.call('POST', '/api/v1/fields', { token, body: { key: 'born', label: 'Born', type: 'date' } });
  const bodies = (day: string): [string, unknown][] => [
    ['/clients', { email: `a${DAYS.indexOf(day)}@example.org`, fields: { born: day } }],
    ['/segments', { name: day, filter: { field: 'createdAt', op: 'is', value: day } }],
    ['/segments', { name: `${day}!`, filter: { field: 'createdAt', op: 'after', value: `${day}T00:00:00-14:00` } }],
    ['/tokens', { name: day, expiresAt: `${day}T00:00:00-14:00` }],
    ['/suppressions/undo', { from: `${day}T00:00:00Z`, to: `${day}T23:59:59-14:00` }],
    ['/mailings', mailingBody(message, { startAt: `${day}T09:00:00Z`, timeZone: 'Europe/Athens' })],
  ];
  const found: string[] = [];
  for (const day of DAYS)
    for (const [path, body] of bodies(day)) {
      const { status, text } = await api.call('POST', `/api/v1${path}`, { token, body });
      if (status >= 500) found.push(`${path} ${day} ${status} ${text.slice(0, 200)}`);
    }
  expect(found).toEqual([]);
  const mailings = (await api.call('GET', '/api/v1/mailings?limit=200', { token })).body.items;
  expect(mailings.length).toBeGreaterThan(2);
  expect(
    await failing(
      mailings.map(({ id }) => `/api/v1/mailings/${String(id)}/schedule`),
      { token },
    ),
  ).toEqual([]);
  expect(
    await failing(
      mailings.map(({ id }) => `/mailings/${String(id)}`),
      { cookie },
    ),
  ).toEqual([]);
  const segments = (await api.call('GET', '/api/v1/segments?limit=200', { token })).body.items;
  expect(segments.length).toBeGreaterThan(2);
  expect(
    await failing(
      segments.map(({ id }) => `/api/v1/clients?segmentId=${String(id)}`),
      { token },
    ),
  ).toEqual([]);
});
