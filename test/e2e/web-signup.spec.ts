import type { Page } from 'playwright-core';
import type { Person } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';
import { eventually } from '../support/service';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';

/** Somebody makes a form; somebody else signs up by it, confirms by the letter, and gets the next mailing. */

let site: Site;
let owner: Awaited<ReturnType<Site['visitor']>>;

beforeAll(async () => {
  site = await Site.start();
  owner = await site.visitor('shop@example.org', { bypassCSP: true });
});
afterAll(() => site.stop());

/** What keeps people out of a page, on a phone and on a desk. */
async function faultsAt(page: Page, name: string): Promise<string[]> {
  const faults: string[] = [];
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    faults.push(...(await faultsOf(page)));
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}-${width}.png`, fullPage: true });
  }
  return faults;
}

const call = async (path: string, body: unknown, of: Pick<Person, 'token'> = owner) => {
  const answer = await site.api.call('POST', `/api/v1${path}`, { token: of.token, body });
  expect([answer.status, answer.status < 300 ? '' : answer.text]).toEqual([answer.status, '']);
  return answer.body;
};

/** Sends a mailing to all, and says what became of the letter to this address. */
async function mailingTo(email: string) {
  const messageId = (await call('/messages', messageBody({ subject: 'The news' }))).id;
  const mailingId = (await call('/mailings', mailingBody(messageId, { period: 'daily' }))).id;
  const runId = Number((await call(`/mailings/${mailingId}/send`, {})).runId);
  return eventually(async () => {
    const { body } = await site.api.call('GET', `/api/v1/runs/${runId}/deliveries`, { token: owner.token });
    const delivery = body.items.find((each) => (each.client as { email: string }).email === email);
    return delivery && ['sent', 'skipped'].includes(String(delivery.status)) && delivery;
  }, 'the letter');
}

async function makeForm(language: string): Promise<string> {
  const { page } = owner;
  await page.goto('/clients');
  await page.getByRole('link', { name: 'Sign-up forms' }).click();
  expect(await faultsAt(page, 'list-empty')).toEqual([]);
  await page.goto('/forms/new');
  await page.fill('[name=name]', `Site ${language}`);
  await page.click('main button.btn-primary');
  expect(await page.locator('[name=name]').inputValue()).toBe(`Site ${language}`);
  expect(await page.locator('#f-title-problem').innerText()).toBe('Fill this in.');
  expect(await faultsAt(page, `editor-${language}`)).toEqual([]);
  const russian = language === 'ru';
  await page.fill('[name=title]', russian ? 'Новости магазина' : 'News of our shop');
  await page.fill('[name=intro]', russian ? 'Раз в неделю, коротко.' : 'Once a week, and short.');
  await page.fill('[name=consentText]', russian ? 'получать письма магазина.' : 'that we write to you once a week.');
  await page.selectOption('[name=language]', language);
  await page.selectOption('[name="ask.city"]', 'required');
  await page.selectOption('[name="ask.born"]', 'optional');
  for (const box of await page.locator('[name^="topic."]').all()) await box.check();
  await page.click('main button.btn-primary');
  await page.waitForURL(/\/forms\/\d+$/);
  return new URL((await page.locator('dd a[href*="/f/"]').getAttribute('href')) ?? '').pathname;
}

test('from the form to the letter', async () => {
  await call('/fields', { key: 'city', label: 'City', type: 'text' });
  await call('/fields', { key: 'born', label: 'Birthday', type: 'date' });
  await call('/tags', { name: 'Offers', public: true });
  await call('/tags', { name: 'New things', public: true });
  await call('/clients', { email: 'known@people.example', fullName: 'Known' });
  const path = await makeForm('en');
  const { page: mine } = owner;
  const email = 'ann@people.example';

  const { page, context } = await site.open({ bypassCSP: true });
  await page.goto(path);
  expect(await faultsAt(page, 'form-en')).toEqual([]);
  await page.fill('[name=email]', email);
  await page.click('button');
  expect(await page.locator('#f-fields\\.city-problem').innerText()).toBe('Fill this in.');
  await page.fill('[name="fields.city"]', 'Perm');
  await page.fill('[name="fields.born"]', '1990-05-17');
  await page.getByLabel('Offers').check();
  await page.waitForFunction(() => document.querySelector<HTMLInputElement>('[name=altcha]')?.value !== '');
  await page.click('button');
  expect(await page.locator('h1').innerText()).toBe('Almost done');
  expect(await faultsAt(page, 'sent-en')).toEqual([]);

  expect(await mailingTo(email)).toMatchObject({ status: 'skipped', reason: 'unconfirmed' });
  const { token, mail } = await site.inbox.letterTo(email);
  expect([mail.subject, mail.from?.value[0]?.address]).toEqual([
    'Please confirm: News of our shop',
    expect.stringContaining('@') as string,
  ]);
  expect(mail.text).not.toContain('Perm');
  await page.goto(`/f/confirm?token=${token}`);
  expect(await faultsAt(page, 'confirm-en')).toEqual([]);
  expect(await page.locator('main').innerText()).toContain('a•••@people.example');
  await page.click('button');
  expect(await page.locator('h1').innerText()).toBe('Thank you');
  expect(await faultsAt(page, 'thanks-en')).toEqual([]);
  await context.close();

  expect(await mailingTo(email)).toMatchObject({ status: 'sent' });
  const letter = await site.inbox.letterTo(email, 2);
  expect(letter.mail.subject).toBe('The news');

  await mine.goto('/clients');
  await mine.getByRole('link', { name: email }).click();
  expect(await mine.locator('main').innerText()).toMatch(/Perm[\s\S]*Confirmed[\s\S]*once a week/);
  expect(await faultsAt(mine, 'client-en')).toEqual([]);
  await mine.goto('/forms/1');
  expect(await faultsAt(mine, 'one-en')).toEqual([]);
  expect(await mine.locator('main').innerText()).toMatch(/Sign-ups\s+1\s+Confirmed\s+1\s+Waiting\s+0/);

  const link = /\/u\/[\w-]+/.exec(letter.mail.text ?? '')?.[0] ?? '';
  const { page: leaving } = await site.open({ bypassCSP: true });
  await leaving.goto(link);
  expect(await faultsAt(leaving, 'topics-en')).toEqual([]);
  expect(await leaving.getByLabel('Offers').isChecked()).toBe(true);
  await leaving.getByLabel('Offers').uncheck();
  await leaving.getByLabel('New things').check();
  await leaving.getByRole('button', { name: 'Get only these' }).click();
  expect(await leaving.locator('[role=status]').innerText()).toBe('Your choice is saved.');
  const { body } = await site.api.call('GET', `/api/v1/clients?search=${email}`, { token: owner.token });
  expect(body.items).toMatchObject([{ tags: ['New things'] }]);
});

test('in Russian, without JavaScript, and from the snippet on another site', async () => {
  const path = await makeForm('ru');
  const { page } = await site.open({ javaScriptEnabled: false });
  await page.goto(path);
  await page.fill('[name=email]', 'boris@people.example');
  await page.fill('[name="fields.city"]', 'Пермь');
  await page.click('button');
  expect(await page.locator('h1').innerText()).toBe('Почти готово');
  const { mail, token } = await site.inbox.letterTo('boris@people.example');
  expect(mail.subject).toBe('Подтвердите подписку: Новости магазина');
  await page.goto(`/f/confirm?token=${token}`);
  await page.click('button');
  expect(await page.locator('h1').innerText()).toBe('Спасибо');

  await site.api.call('PATCH', '/api/v1/me', { token: owner.token, body: { language: 'ru' } });
  await owner.page.goto('/forms');
  expect(await owner.page.locator('h1').innerText()).toBe('Формы подписки');
  expect(await faultsAt(owner.page, 'list-ru')).toEqual([]);
  await owner.page.goto('/forms/2');
  const snippet = await owner.page.locator('#snippet').innerText();
  expect(await faultsAt(owner.page, 'one-ru')).toEqual([]);
  await owner.page.goto('/forms/2/edit');
  expect(await faultsAt(owner.page, 'edit-ru')).toEqual([]);
  const { page: elsewhere } = await site.open({ bypassCSP: true });
  await elsewhere.goto(path);
  expect(await faultsAt(elsewhere, 'form-ru')).toEqual([]);
  const here = snippet.replace(/action="[^"]*"/, `action="${site.api.url}${path}"`);
  await elsewhere.route('https://shop.example/', (route) =>
    route.fulfill({ contentType: 'text/html; charset=utf-8', body: here }),
  );
  await elsewhere.goto('https://shop.example/');
  await elsewhere.fill('[name=email]', 'vera@people.example');
  await elsewhere.fill('[name="fields.city"]', 'Омск');
  await elsewhere.click('button');
  expect(await elsewhere.locator('h1').innerText()).toBe('Почти готово');
  expect((await site.inbox.letterTo('vera@people.example')).token).not.toBe('');
});

test('no script of a page failed, and nothing was forbidden by its policy', () => {
  expect(site.complaints).toEqual([]);
});
