import { MailboxSource, sourceName } from '../../src/features/inbound/mailbox-source';
import { mailboxProblems } from '../../src/mailbox/mailbox-failure';
import { parseMailboxUrl } from '../../src/mailbox/mailbox-url';
import { WebModule } from '../../src/web/web.module';
import { en } from '../../src/web/texts/en';
import { type Person, startApi, type TestApi } from '../support/api';

/** What is to be seen of the mailbox for letters that come back, while it is read and while it is not. */

const URL = 'imaps://news%40news.example.org:s3cret@mail.example.org/Bounces';
let api: TestApi;
let admin: Person;
let cookie: string;

beforeAll(async () => {
  api = await startApi({ bounceMailboxUrl: URL }, [WebModule]);
  admin = await api.person('admin');
  ({ cookie } = await api.signIn(admin.email));
});
afterAll(() => api?.close());

const degraded = async () => (await api.call('GET', '/api/v1/health/ready')).body.degraded as string[];
const page = async () => (await api.call('GET', '/status', { cookie })).text;
/** As a worker leaves it. */
async function put(set: string): Promise<void> {
  await new MailboxSource(sourceName(parseMailboxUrl(URL)), 30_000).take(api.database, 1);
  await api.database.rows(`UPDATE inbound_sources SET ${set}`);
}
const AGO = `clock_timestamp() - interval '16 minutes'`;

it('no worker runs: the page does not say that letters go out', async () => {
  const text = await page();
  expect(text).toContain(en.home.noWorkers);
  expect(text).not.toContain('Letters go out');
});

it('nobody has looked at it: that is said at once, and degrades the service after a while', async () => {
  expect(await page()).toContain('no worker has looked at it.');
  expect(await degraded()).toEqual(['workers']);
  await put('created_at = clock_timestamp()');
  expect(await degraded()).toEqual(['workers']);
  await put(`created_at = ${AGO}`);
  expect(await degraded()).toEqual(['workers', 'mailbox', 'mailbox_not_read']);
});

it('it is read', async () => {
  await put('last_ok_at = clock_timestamp(), last_error = NULL');
  const text = await page();
  expect(text).toContain(en.mailbox.good);
  expect(text).toContain('mail.example.org, Bounces');
  expect(text).not.toMatch(/s3cret|news@news\.example\.org|news%40/);
  expect(await degraded()).toEqual(['workers']);
});

it.each(mailboxProblems)('it can not be read: %s', async (problem) => {
  await put(`last_ok_at = clock_timestamp(), last_error = '${problem}'`);
  // A moment without it is no trouble of the service yet.
  expect(await degraded()).toEqual(['workers']);
  await put(`last_ok_at = ${AGO}`);
  expect(await degraded()).toEqual(['workers', 'mailbox', `mailbox_${problem}`]);
  expect(await page()).toContain(en.mailbox.problem[problem]);
});

it('in the language of the reader', async () => {
  await put(`last_ok_at = ${AGO}, last_error = 'login_refused'`);
  await api.database.affected(`UPDATE users SET language = 'ru' WHERE id = $1`, [admin.id]);
  expect(await page()).toContain('почтовый сервер не принимает имя пользователя или пароль.');
});

it('a service without one says nothing of it', async () => {
  const other = await startApi({}, [WebModule]);
  try {
    const person = await other.person('admin');
    const { cookie: theirs } = await other.signIn(person.email);
    const { text, status } = await other.call('GET', '/status', { cookie: theirs });
    expect([status, text.includes(en.mailbox.title)]).toEqual([200, false]);
    expect((await other.call('GET', '/api/v1/health/ready')).body.degraded).toEqual(['workers']);
  } finally {
    await other.close();
  }
});
