import { WebModule } from '../../src/web/web.module';
import { type Person, startApi, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';
import { makeObjects } from '../support/objects';

/** What pages say, and in which words. */

let api: TestApi;
let admin: Person;

beforeAll(async () => {
  api = await startApi({}, [WebModule]);
  admin = await api.person('admin', 'admin@example.org');
});
afterAll(() => api.close());

/** The rows of the page, newest first: their text, and where their links lead. */
async function rows(): Promise<{ text: string; links: string[] }[]> {
  const { cookie } = await api.signIn(admin.email);
  const { text } = await api.call('GET', '/audit', { cookie });
  return [...text.matchAll(/<tr role="row">.*?<\/tr>/gs)].slice(2).map(([row]) => ({
    links: [...row.matchAll(/href="([^"]*)"/g)].map(([, to]) => to ?? ''),
    text: row.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' '),
  }));
}

const post = (path: string, body: unknown = {}, { token } = admin) =>
  api.call('POST', `/api/v1${path}`, { token, body });

test('the audit log is filtered by person, object and the days of the reader', async () => {
  const [ann, joann] = [await api.person('manager', 'ann@example.org'), await api.person('user', 'joann@example.org')];
  const { cookie } = await api.signIn(ann.email);
  await api.call('PATCH', '/api/v1/me', { ...ann, body: { timeZone: 'Asia/Kathmandu' } });
  await api.database.affected(
    `INSERT INTO audit_log (actor_id, via, action, object_type, object_id, created_at) VALUES
       ($1, 'session', 'segment.delete', 'segment', 4711, '2027-03-10T18:14:00Z'),
       ($2, 'session', 'message.delete', 'message', 4711, '2027-03-10T18:16:00Z')`,
    [ann.id, joann.id],
  );
  const found = async (query: string) => {
    const { text } = await api.call('GET', `/audit?${query}`, { cookie });
    const table = text.slice(text.indexOf('<tbody'));
    return ['Deleted a segment', 'Deleted a message'].filter((action) => table.includes(action));
  };
  const both = ['Deleted a segment', 'Deleted a message'];
  expect(await found('objectId=4711')).toEqual(both);
  // An address is one person, a part of one may be several.
  expect(await found('objectId=4711&who=ann%40example.org')).toEqual(['Deleted a segment']);
  expect(await found('objectId=4711&who=ANN%40')).toEqual(both);
  expect(await found('objectId=4711&who=nobody')).toEqual([]);
  expect(await found('objectId=4711&objectType=message')).toEqual(['Deleted a message']);
  // In Kathmandu a day begins at 18:15 UTC.
  expect(await found('objectId=4711&from=2027-03-11')).toEqual(['Deleted a message']);
  expect(await found('objectId=4711&to=2027-03-10')).toEqual(['Deleted a segment']);
  expect(await found('objectId=4711&from=2027-03-10&to=2027-03-11')).toEqual(both);
});

describe('the audit log', () => {
  test.each([
    [
      'en',
      [
        'Whose User 1',
        'May Only read',
        'Valid until 1 Jan 2100, 05:45',
        'Mailings paused 0',
        'Gone subject',
        'Check only yes',
      ],
    ],
    [
      'ru',
      [
        'Чей Пользователь 1',
        'Может Только читать',
        'Действует до 1 янв. 2100',
        'Приостановлено рассылок 0',
        'Только проверка да',
      ],
    ],
  ])('names what happened in the reader’s language and zone: %s', async (language, expected) => {
    await api.call('PATCH', '/api/v1/me', { token: admin.token, body: { language, timeZone: 'Asia/Kathmandu' } });
    const user = await api.person();
    await post('/tokens', { name: 'Ours', scopes: ['read'], expiresAt: '2100-01-01T00:00:00Z' });
    await api.call('PATCH', `/api/v1/users/${user.id}`, { token: admin.token, body: { status: 'blocked' } });
    const message = (await post('/messages', { subject: 'Gone subject', body: '<p>B</p>' })).body.id;
    await api.call('DELETE', `/api/v1/messages/${message}`, { token: admin.token });
    await api.call('POST', '/api/v1/clients/import?dryRun=true', {
      token: admin.token,
      headers: { 'content-type': 'text/csv' },
      body: 'email,full_name\na@example.org,A\n',
    });
    const seen = await rows();
    const text = seen.map((row) => row.text).join('\n');
    for (const part of expected) expect(text).toContain(part);
    expect(text).not.toMatch(/[{}]|&quot;/);
    const links = seen.flatMap((row) => row.links);
    expect(links).toContain(`/users/${user.id}`);
    expect(links.some((link) => link.startsWith('/clients/import/'))).toBe(true);
    expect(links).not.toContain(`/messages/${message}`);
    expect(text).toContain(user.email);
  });

  test('what another version wrote falls back to what it is', async () => {
    await api.database.affected(
      `INSERT INTO audit_log (via, action, object_type, object_id, detail) VALUES ('cli', 'sign_in', 'user', $1, $2)`,
      [
        admin.id,
        JSON.stringify({ role: 'auditor', newKey: '2100-01-01T00:00:00Z', list: [1], many: 1234567, none: null }),
      ],
    );
    await api.call('PATCH', '/api/v1/me', { token: admin.token, body: { language: 'en', timeZone: 'Asia/Kathmandu' } });
    const [row] = (await rows()).filter(({ text }) => text.includes('newKey'));
    expect(row?.text).toContain('Role auditor list [1] many 1,234,567 newKey 1 Jan 2100, 05:45:00');
    expect(row?.text).not.toContain('none');
  });
});

const page = async (person: Person, path: string) =>
  (
    await api.call('GET', path, {
      cookie: (await api.signIn(person.email)).cookie,
      headers: { 'accept-language': 'en' },
    })
  ).text;

test('who may not see a page is told so in their own language, with the menu', async () => {
  const user = await api.person();
  await api.call('PATCH', '/api/v1/me', { token: user.token, body: { language: 'ru' } });
  const text = await page(user, '/users');
  expect(text).toContain('<html lang="ru">');
  expect(text).toContain('Рассылки');
});

test('the field of a zone keeps an older name that was chosen', async () => {
  const user = await api.person();
  await api.call('PATCH', '/api/v1/me', { token: user.token, body: { timeZone: 'Asia/Calcutta' } });
  const { timeZone } = (await api.call('GET', '/api/v1/me', user)).body;
  for (const path of ['/account', '/mailings/new'])
    expect(await page(user, path)).toMatch(new RegExp(`<input [^>]*value="${String(timeZone)}"`));
});

test('a copy of a long name ends in a whole character', async () => {
  const user = await api.person();
  const messageId = (await post('/messages', messageBody(), user)).body.id;
  const name = `x${'🎉'.repeat(99)}`;
  const { body } = await post('/mailings', mailingBody(messageId, { name }), user);
  const { cookie, csrf } = await api.signIn(user.email);
  const copied = await api.call('POST', `/mailings/${body.id}/copy`, {
    cookie,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ _csrf: csrf }).toString(),
  });
  expect(copied.headers.get('location')).toMatch(/^\/mailings\/\d+\/edit$/);
});

test.each([
  '/clients/export.csv',
  '/reports/periods.csv',
  '/clients/import/:id/errors.csv',
  '/runs/:run/deliveries.csv',
])('spreadsheets read %s as UTF-8', async (path) => {
  const user = await api.person();
  const objects = await makeObjects(api, user);
  const address = path.replace(':id', String(objects.import)).replace(':run', String(objects.run));
  const { cookie } = await api.signIn(user.email);
  const answer = await fetch(api.url + address, { headers: { cookie } });
  expect([...new Uint8Array(await answer.arrayBuffer()).slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  expect(answer.headers.get('content-disposition')).toContain('attachment');
});

test('a link that lost its token, or an address with a wrong part, is answered in words', async () => {
  const user = await api.person();
  await api.call('PATCH', '/api/v1/me', { token: user.token, body: { language: 'ru' } });
  expect(await page(user, '/clients?cursor=nonsense')).toContain('Такой страницы списка больше нет');
  for (const path of ['/confirm', '/confirm-email', '/reset']) {
    const { text } = await api.call('GET', path);
    expect(text).toContain('This link is not complete');
    expect(text).not.toContain('name="token"');
  }
});

describe('lists of what several people own', () => {
  const shown = async (path: string, email: string) =>
    (await api.call('GET', path, { cookie: (await api.signIn(email)).cookie })).text;

  test('say whose each thing is, and are filtered by it, for managers alone', async () => {
    const [one, another, boss] = [await api.person(), await api.person(), await api.person('manager')];
    for (const { email, token } of [one, another]) {
      const client = await post('/clients', { email: `client-of-${email}`, fullName: 'C' }, { ...admin, token });
      const message = await post(
        '/messages',
        { subject: `Subject of ${email}`, body: '<p>B</p>' },
        { ...admin, token },
      );
      const mailing = mailingBody(message.body.id, { name: `Mailing of ${email}` });
      const made = await post('/mailings', mailing, { ...admin, token });
      expect([client.status, message.status, made.status]).toEqual([201, 201, 201]);
    }
    for (const list of ['/clients', '/messages', '/mailings']) {
      const all = await shown(list, boss.email);
      expect(all).toContain(`Owner: ${one.email}`);
      expect(all).toContain(`Owner: ${another.email}`);
      const ofOne = await shown(`${list}?ownerId=${one.id}`, boss.email);
      expect(ofOne).toContain(`Owner: ${one.email}`);
      expect(ofOne).not.toContain(`Owner: ${another.email}`);
      expect(ofOne).toMatch(
        new RegExp(`<option[^>]*value="${one.id}"[^>]*selected|<option[^>]*selected[^>]*value="${one.id}"`),
      );
      const own = await shown(list, one.email);
      expect(own).not.toContain('Owner');
      expect(own).not.toContain(another.email);
      expect(await shown(`${list}?ownerId=${another.id}`, one.email)).not.toContain(` of ${another.email}`);
    }
    expect(await shown(`/attempts?ownerId=${one.id}`, boss.email)).toContain('name="ownerId"');
    const csv = await shown(`/clients/export.csv?ownerId=${one.id}`, boss.email);
    expect(csv).toContain(`client-of-${one.email}`);
    expect(csv).not.toContain(`client-of-${another.email}`);
  });
});

test.each([
  ['en', 'The address has no @.', 'It repeats the address of line 3.'],
  ['ru', 'В адресе нет знака @.', 'Повторяет адрес из строки 3.'],
])('what is wrong with a file is told in the reader’s language, also in its CSV: %s', async (language, ...expected) => {
  const reader = await api.person();
  await api.call('PATCH', '/api/v1/me', { token: reader.token, body: { language } });
  const begun = await api.call('POST', '/api/v1/clients/import', {
    token: reader.token,
    body: 'email,full_name\nnobody,Bob\na@example.org,Ann\nA@example.org,Ann\n',
    headers: { 'content-type': 'text/csv' },
  });
  const { cookie } = await api.signIn(reader.email);
  for (const path of ['', '/errors.csv']) {
    const { text } = await api.call('GET', `/clients/import/${String(begun.body.importId)}${path}`, { cookie });
    expect(expected.filter((words) => !text.includes(words))).toEqual([]);
  }
});
