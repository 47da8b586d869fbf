import type { Page } from 'playwright-core';
import { mailingBody, messageBody } from '../support/factories';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';

/** A mailing's message: chosen by its letter, found by a search, tried before anything is sent. */

let site: Site;

beforeAll(async () => {
  site = await Site.start();
});

afterAll(async () => {
  await site.stop();
  // There is no letter to be shown of a message that can not be sent.
  expect(site.complaints.filter((complaint) => !complaint.includes('Framing'))).toEqual([]);
});

const post = async (path: string, token: string, body: object): Promise<number> =>
  (await site.api.call('POST', `/api/v1${path}`, { token, body })).body.id;
const saved = async (path: string, token: string) => (await site.api.call('GET', `/api/v1${path}`, { token })).body;
const press = (page: Page, name: string | RegExp) => page.locator('main').getByRole('button', { name }).first().click();
const choice = (page: Page, name: string) => page.getByRole('radio', { name });

test('a dozen messages with long subjects fit into every window', async () => {
  const { page, context, token } = await site.visitor('dozen@example.org', { bypassCSP: true });
  let message = 0;
  for (let i = 0; i < 12; i++) {
    const subject = i % 2 === 0 ? 'What there was to tell this month. '.repeat(5) : `${'Long'.repeat(48)}${i}`;
    message = await post('/messages', token, messageBody({ subject }));
  }
  const mailing = await post('/mailings', token, mailingBody(message));
  for (const at of ['/mailings/new', `/mailings/${mailing}/edit`]) {
    await page.goto(at);
    for (const width of [1200, 1000, 360]) {
      await page.setViewportSize({ width, height: 800 });
      expect([at, width, await faultsOf(page)]).toEqual([at, width, []]);
    }
  }
  await context.close();
});

test('what is chosen while a search is under way stays chosen', async () => {
  const { page, context, token } = await site.visitor('search@example.org');
  const ids = new Map<string, number>();
  for (const subject of ['Alpha', 'Beta', 'Gamma', 'Delta'])
    ids.set(subject, await post('/messages', token, messageBody({ subject })));
  await page.goto('/mailings/new');
  await choice(page, 'Alpha').check();
  let go: () => void = () => undefined;
  const held = new Promise<void>((done) => (go = done));
  await page.route('**/mailings/messages?*', async (route) => {
    await held;
    await route.continue();
  });
  await Promise.all([page.waitForRequest('**/mailings/messages?*'), page.fill('[name=findMessage]', 'gam')]);
  await choice(page, 'Beta').check();
  await page.getByText('See the letter “Beta”').waitFor();
  go();
  await choice(page, 'Delta').waitFor({ state: 'detached' });
  expect(await choice(page, 'Beta').isChecked()).toBe(true);
  expect(await page.locator('#message-pick').innerText()).toMatch(/Beta[^]*Gamma/);
  expect(await page.locator('#letter-look').innerText()).toContain('Beta');
  // So does the place of whoever chooses by keyboard.
  expect(await choice(page, 'Beta').evaluate((radio) => radio === document.activeElement)).toBe(true);
  await page.fill('[name=name]', 'Of Beta');
  await press(page, 'Save');
  await page.waitForURL(/\/mailings\/\d+$/);
  expect(await saved(`/mailings/${page.url().split('/').at(-1)}`, token)).toMatchObject({ messageId: ids.get('Beta') });
  await context.close();
});

test('a search that is refused is not asked again and again', async () => {
  const { page, context, token } = await site.visitor('refused@example.org');
  for (const subject of ['Alpha', 'Beta']) await post('/messages', token, messageBody({ subject }));
  await page.goto('/mailings/new');
  let asked = 0;
  let go: () => void = () => undefined;
  const held = new Promise<void>((done) => (go = done));
  await page.route('**/mailings/messages?*', async (route) => {
    asked++;
    await held;
    await route.fulfill({ status: 503, body: '' });
  });
  await Promise.all([page.waitForRequest('**/mailings/messages?*'), page.fill('[name=findMessage]', 'alp')]);
  await choice(page, 'Alpha').check();
  go();
  await page.waitForTimeout(1_000);
  expect(asked).toBe(1);
  expect(await choice(page, 'Alpha').isChecked()).toBe(true);
  await context.close();
});

describe.each([true, false])('with JavaScript: %s', (javaScriptEnabled) => {
  const who = (name: string) => `${name}-${javaScriptEnabled ? 'script' : 'plain'}@example.org`;

  test('a test letter that can not be written says why at the message, and the form stays', async () => {
    const { page, context, token } = await site.visitor(who('broken'), { javaScriptEnabled });
    await post('/messages', token, messageBody({ subject: 'Good' }));
    const hidden = await post('/messages', token, messageBody({ subject: 'Hides', body: '<p>Hello</p><!--' }));
    const gone = await post('/messages', token, messageBody({ subject: 'Gone' }));
    const mailing = await post('/mailings', token, mailingBody(hidden, { name: 'Stays' }));
    for (const at of ['/mailings/new', `/mailings/${mailing}/edit`]) {
      await page.goto(at);
      await page.fill('[name=name]', 'Typed');
      await choice(page, 'Hides').check();
      await press(page, /test letter/i);
      await page.locator('#f-messageId-problem').waitFor();
      expect(await page.locator('#f-messageId-problem').innerText()).toContain('nobody would see the link');
      expect(await page.inputValue('[name=name]')).toBe('Typed');
      expect(await choice(page, 'Hides').isChecked()).toBe(true);
    }
    await page.goto('/mailings/new');
    await page.fill('[name=name]', 'Typed');
    await choice(page, 'Gone').check();
    if (javaScriptEnabled) await page.getByText('See the letter “Gone”').waitFor();
    expect((await site.api.call('DELETE', `/api/v1/messages/${gone}`, { token })).status).toBe(204);
    await press(page, /test letter/i);
    await page.locator('#f-messageId-problem').waitFor();
    expect(await page.inputValue('[name=name]')).toBe('Typed');
    expect(await choice(page, 'Gone').count()).toBe(0);
    // Another one can be chosen and tried at once.
    await choice(page, 'Good').check();
    if (!javaScriptEnabled) await press(page, 'Find');
    await press(page, /test letter/i);
    await page.locator('.flash').waitFor();
    expect((await site.inbox.letterTo(who('broken'))).mail.subject).toContain('Good');
    expect(await page.inputValue('[name=name]')).toBe('Typed');
    await context.close();
  });
});
