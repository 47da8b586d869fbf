import { RestoreService } from '../../src/features/scheduling/restore.service';
import { WebModule } from '../../src/web/web.module';
import { type Person, startApi, type TestApi } from '../support/api';
import { makeObjects, type Objects } from '../support/objects';

/** What is shown of Message-IDs, and of a database that was restored. */

let api: TestApi;
let owner: Person;
let stranger: Person;
let manager: Person;
let objects: Objects;

beforeAll(async () => {
  api = await startApi({}, [WebModule]);
  [owner, stranger, manager] = [await api.person(), await api.person(), await api.person('manager')];
  objects = await makeObjects(api, owner);
});
afterAll(() => api.close());

const get = (person: Person, path: string) => api.call('GET', `/api/v1${path}`, { token: person.token });
const page = async (person: Person, path: string) =>
  (await api.call('GET', path, { cookie: (await api.signIn(person.email)).cookie })).text;
const decoded = (html: string) => html.replaceAll('&lt;', '<').replaceAll('&gt;', '>');

test('a delivery shows its Message-ID in lists, alone, in CSV and on pages', async () => {
  const [ofRun] = (await get(owner, `/runs/${objects.run}/deliveries`)).body.items;
  const id = String(ofRun?.messageIdHeader);
  expect(id).toMatch(/^<[0-9a-f]{32}@example\.com>$/);
  const [ofClient] = (await get(owner, `/clients/${objects.client}/deliveries`)).body.items;
  expect(ofClient?.messageIdHeader).toBe(id);
  await api.database.affected(
    `UPDATE deliveries SET status = 'unknown', attempts = 1, lost_replies = 1 WHERE id = $1`,
    [objects.delivery],
  );
  const marked = await api.call('POST', `/api/v1/deliveries/${objects.delivery}/mark-sent`, { token: owner.token });
  expect(marked.body.messageIdHeader).toBe(id);
  const { text } = await get(owner, `/runs/${objects.run}/deliveries.csv`);
  const [head = '', row = ''] = text.replace('\uFEFF', '').split('\r\n');
  expect(row.split(',')[head.split(',').indexOf('message_id_header')]).toBe(id);
  for (const path of [`/runs/${objects.run}`, `/clients/${objects.client}`])
    expect(decoded(await page(owner, path))).toContain(id);
});

test('that the database was restored is said to those whom it concerns, until nothing is paused for it', async () => {
  expect((await get(owner, '/statistics')).body.restored).toBeNull();
  await api.database.affected('UPDATE database_identity SET database_oid = database_oid + 1');
  await api.app.get(RestoreService, { strict: false }).check();
  const since = expect.any(String) as string;
  for (const person of [owner, manager])
    expect((await get(person, '/statistics')).body.restored).toEqual({ mailings: 1, since });
  expect((await get(stranger, '/statistics')).body.restored).toBeNull();
  expect((await api.call('GET', '/api/v1/health/ready')).body.degraded).toContain('restored');

  expect(await page(owner, '/')).toContain('The database was restored from a backup');
  expect(await page(stranger, '/')).not.toContain('The database was restored');
  await api.call('PATCH', '/api/v1/me', { token: owner.token, body: { language: 'ru' } });
  expect(await page(owner, '/')).toContain('База данных восстановлена из резервной копии');
  const ofMailing = await page(owner, `/mailings/${objects.mailing}`);
  expect(ofMailing).toContain('База данных восстановлена из резервной копии');
  expect(ofMailing).toContain(`/mailings/${objects.mailing}/resume`);
  expect(await page(manager, `/mailings/${objects.mailing}`)).toContain(`/mailings/${objects.mailing}/resume`);

  const resume = (person: Person) =>
    api.call('POST', `/api/v1/mailings/${objects.mailing}/resume`, { token: person.token });
  expect((await resume(stranger)).status).toBe(404);
  expect((await resume(manager)).status).toBe(200);
  expect((await get(owner, '/statistics')).body.restored).toBeNull();
  expect((await api.call('GET', '/api/v1/health/ready')).body.degraded).not.toContain('restored');
  expect(await page(owner, '/')).not.toContain('База данных восстановлена');
});
