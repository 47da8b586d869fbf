import type { Page } from 'playwright-core';
import { mailingBody, messageBody } from '../support/factories';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';

/** Two people, or two windows: the second save is told what changed, by whom and when, and chooses. */

let site: Site;
let admin: string;
beforeAll(async () => {
  site = await Site.start();
  ({ token: admin } = await site.api.person('admin', 'boss@example.org'));
});

afterAll(async () => {
  await site.stop();
  expect(site.complaints).toEqual([]);
});

const press = (page: Page, name: string | RegExp) => page.locator('main').getByRole('button', { name }).first().click();
const call = async (method: string, path: string, token: string, body?: object) =>
  (await site.api.call(method, `/api/v1${path}`, { token, ...(body && { body }) })).body;
const conflict = (page: Page) => page.locator('.kept-conflict');

async function typeText(page: Page, text: string): Promise<void> {
  if (!(await page.locator('[name=bodyText]').isVisible())) await page.locator('details.field summary').click();
  await page.fill('[name=bodyText]', text);
}

describe.each([true, false])('with JavaScript: %s', (javaScriptEnabled) => {
  const who = (name: string) => `${name}-${javaScriptEnabled ? 'script' : 'plain'}@example.org`;

  test('somebody keeps their text, and what only the other changed', async () => {
    const { page, context, token } = await site.visitor(who('mine'), { javaScriptEnabled });
    const { id } = await call('POST', '/messages', token, messageBody({ subject: 'Subject', bodyText: 'Text' }));
    const at = `/messages/${id}`;
    await page.goto(at);
    await typeText(page, 'My text');
    await call('PATCH', at, admin, { subject: 'Their subject', bodyText: 'Their text' });
    await press(page, 'Save');
    await conflict(page).waitFor();
    const told = await conflict(page).innerText();
    expect(told).toContain('boss@example.org changed this on');
    expect(told).toMatch(/Text part\s+Saved\s+Their text\s+Yours\s+My text/);
    expect(told).toContain('the form shows the new values: Subject.');
    expect(await page.inputValue('[name=subject]')).toBe('Their subject');
    expect(await page.inputValue('[name=bodyText]')).toBe('My text');
    expect(await call('GET', at, token)).toMatchObject({ subject: 'Their subject', bodyText: 'Their text' });
    await page.setViewportSize({ width: 360, height: 800 });
    if (javaScriptEnabled) expect(await faultsOf(page)).toEqual([]);
    await press(page, 'Keep mine');
    await page.locator('.flash').waitFor();
    expect(await call('GET', at, token)).toMatchObject({ subject: 'Their subject', bodyText: 'My text', version: 3 });
    expect(await conflict(page).count()).toBe(0);
    await context.close();
  });

  test('somebody takes the text of the other', async () => {
    const { page, context, token } = await site.visitor(who('theirs'), { javaScriptEnabled });
    const { id } = await call('POST', '/messages', token, messageBody({ subject: 'Subject' }));
    const at = `/messages/${id}`;
    await page.goto(at);
    await page.fill('[name=subject]', 'Mine');
    await call('PATCH', at, admin, { subject: 'Theirs' });
    await press(page, 'Save');
    await conflict(page).waitFor();
    await press(page, 'Take theirs');
    await conflict(page).waitFor({ state: 'detached' });
    expect(await page.inputValue('[name=subject]')).toBe('Theirs');
    expect(await page.locator('.kept-bar').count()).toBe(0);
    expect(await call('GET', at, token)).toMatchObject({ subject: 'Theirs', version: 2 });
    await context.close();
  });

  test('every form of a thing tells, and keeps what was typed', async () => {
    const { page, context, token } = await site.visitor(who('each'), { javaScriptEnabled });
    const message = (await call('POST', '/messages', token, messageBody())).id;
    const mailing = (await call('POST', '/mailings', token, mailingBody(message))).id;
    const is = (value: string) => ({ all: [{ field: 'email', op: 'contains', value }] });
    const segment = (await call('POST', '/segments', token, { name: 'S', filter: is('was') })).id;
    const client = (await call('POST', '/clients', token, { email: who('c'), comment: 'was' })).id;
    const form = (await call('POST', '/forms', token, { name: 'F', title: 'was' })).id;
    const cases: [page: string, rest: string, field: string, by: string, change: object, mine: object][] = [
      [`/mailings/${mailing}/edit`, `/mailings/${mailing}`, 'name', admin, { name: 'theirs' }, { name: 'mine' }],
      [
        `/segments/${segment}/edit`,
        `/segments/${segment}`,
        'g0.0.value',
        admin,
        { filter: is('theirs') },
        { filter: is('mine') },
      ],
      [`/clients/${client}/edit`, `/clients/${client}`, 'comment', admin, { comment: 'theirs' }, { comment: 'mine' }],
      [`/forms/${form}/edit`, `/forms/${form}`, 'title', admin, { title: 'theirs' }, { title: 'mine' }],
      ['/sender', '/sender', 'unsubscribeText', token, { unsubscribeText: 'theirs' }, { unsubscribeText: 'mine' }],
    ];
    for (const [path, rest, field, by, change, mine] of cases) {
      await page.goto(path);
      await page.fill(`[name="${field}"]`, 'mine');
      await call('PATCH', rest, by, change);
      await press(page, 'Save');
      await conflict(page).waitFor();
      expect(await conflict(page).innerText()).toMatch(/Saved[^]*theirs[^]*Yours[^]*mine/);
      expect(await conflict(page).innerText()).toContain(
        by === admin ? 'boss@example.org' : 'You changed this yourself',
      );
      expect(await page.inputValue(`[name="${field}"]`)).toBe('mine');
      await press(page, 'Keep mine');
      await page.locator('.flash').waitFor();
      expect(await call('GET', rest, token)).toMatchObject({ ...mine, version: rest === '/sender' ? 2 : 3 });
    }
    await context.close();
  });
});

test('two windows of one browser do not undo each other', async () => {
  const { page, context, token } = await site.visitor('windows@example.org');
  const { id } = await call('POST', '/clients', token, { email: 'w@example.org', fullName: 'Was', comment: 'Was' });
  const other = await context.newPage();
  for (const each of [page, other]) await each.goto(`/clients/${id}/edit`);
  await page.fill('[name=fullName]', 'First');
  await other.fill('[name=comment]', 'Second');
  await press(page, 'Save');
  await page.locator('.flash').waitFor();
  await press(other, 'Save');
  await conflict(other).waitFor();
  expect(await conflict(other).innerText()).toContain('You changed this yourself in another window');
  expect(await conflict(other).innerText()).toContain('to keep both changes');
  await press(other, 'Keep mine');
  await other.locator('.flash').waitFor();
  expect(await call('GET', `/clients/${id}`, token)).toMatchObject({ fullName: 'First', comment: 'Second' });
  await context.close();
});

test('a form that is saved without a change, and one that arrives twice, are no conflict', async () => {
  const { page, context, token } = await site.visitor('same@example.org', { javaScriptEnabled: false });
  const { id } = await call('POST', '/messages', token, messageBody({ body: '<p>Line</p>\n<p>Line</p>\n' }));
  await page.goto(`/messages/${id}`);
  await press(page, 'Save');
  await page.locator('.flash').waitFor();
  const values = await page
    .locator('#message-form')
    .evaluate((form) => [...new FormData(form as HTMLFormElement)].map(([name, value]) => [name, value as string]));
  // Another key stands for a service without Redis, which does not recognise the second one.
  const send = (key: string) => {
    const form = Object.fromEntries(values) as Record<string, string>;
    return page.request.post(`/messages/${id}`, { form: { ...form, subject: 'Sent twice', key }, maxRedirects: 0 });
  };
  const headers = await Promise.all([
    send('web-11111111-1111-4111-8111-111111111111'),
    send('web-22222222-2222-4222-8222-222222222222'),
  ]);
  expect(headers.map((answer) => answer.status())).toEqual([303, 303]);
  await context.close();
});

test('in Russian, too', async () => {
  const { page, context, token } = await site.visitor('po-russki@example.org');
  await call('PATCH', '/me', token, { language: 'ru' });
  const { id } = await call('POST', '/messages', token, messageBody({ subject: 'Тема' }));
  await page.goto(`/messages/${id}`);
  await page.fill('[name=subject]', 'Моя тема');
  await page.locator('[data-kept-note]').getByText('Черновик сохранён только что').waitFor();
  await call('PATCH', `/messages/${id}`, admin, { subject: 'Их тема' });
  await press(page, 'Сохранить');
  await conflict(page).waitFor();
  expect(await conflict(page).innerText()).toContain('boss@example.org внёс изменения');
  await page.setViewportSize({ width: 360, height: 800 });
  expect(await faultsOf(page)).toEqual([]);
  await press(page, 'Оставить моё');
  await page.locator('.flash').waitFor();
  await context.close();
});
