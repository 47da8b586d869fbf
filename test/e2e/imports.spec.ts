import type { Page } from 'playwright-core';
import { cp1251 } from '../support/cp1251';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';

/** From a file of an office to clients, in a browser without scripts. */

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

const OFFICE = cp1251(
  'Телефон;Город;Имя;E-mail;Статус\r\n+7 900 1;Москва;Анна;anna@example.org;\r\n+7 900 2;Тверь;Иван;ivan@example.org;отписан\r\n' +
    '+7 900 3;Тверь;Олег;no-address;\r\n',
);

async function upload(page: Page, name: string, buffer: Buffer): Promise<void> {
  await page.goto('/clients/import');
  await page.setInputFiles('[name=file]', { name, mimeType: 'text/csv', buffer });
  await page.click('main form button');
  await page.waitForURL(/\/clients\/import\/\d+$/);
}

const fits = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
const text = (page: Page, selector = 'main') => page.locator(selector).innerText();

const SHOTS = process.env.SHOTS;
const shot = async (page: Page, name: string) => {
  if (!SHOTS) return;
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 800 });
    await page.screenshot({ path: `${SHOTS}/${name}-${width}.png`, fullPage: true });
  }
};

test('a file is looked at, its columns are chosen, it is imported, and undone', async () => {
  const { page, id } = await site.visitor('office@example.org', { javaScriptEnabled: false });
  await upload(page, 'clients.csv', OFFICE);
  await shot(page, 'map-en');
  expect(await text(page)).toContain('Recognised: Windows-1251');
  const chosen = () =>
    page.locator('.mapping table select').evaluateAll((all) => all.map((s) => (s as HTMLSelectElement).value));
  expect(await chosen()).toEqual(['ignore', 'ignore', 'fullName', 'email', 'status']);
  await page.selectOption('[name=encoding]', 'koi8-r');
  await page.getByRole('button', { name: 'Read again' }).click();
  expect(await text(page)).not.toContain('Москва');
  await page.selectOption('[name=encoding]', '');
  await page.getByRole('button', { name: 'Read again' }).click();
  expect(await text(page)).toContain('Москва');

  // What was chosen stays when something is wrong.
  await page.selectOption('[name="column.1"]', 'new:text');
  await page.selectOption('[name="column.3"]', 'ignore');
  await page.fill('[name=tags]', 'From the office');
  await page.getByRole('button', { name: 'Import 3 clients now' }).click();
  expect(await text(page)).toContain('Choose the column of the e-mail addresses.');
  expect(await chosen()).toEqual(['ignore', 'new:text', 'fullName', 'ignore', 'status']);
  expect(await page.inputValue('[name=tags]')).toBe('From the office');

  await page.selectOption('[name="column.3"]', 'email');
  await page.check('[name=check]');
  await page.getByRole('button', { name: 'Import 3 clients now' }).click();
  expect(await text(page)).toContain('Would be added');
  await shot(page, 'checked-en');
  await page.getByRole('button', { name: 'Import it now' }).click();
  const outcome = await text(page);
  for (const said of ['Added\n2', 'Rejected\n1', 'Get no mail\n1', 'no-address', 'Ignored columns: Телефон'])
    expect(outcome).toContain(said);
  await shot(page, 'done-en');
  expect(
    await site.api.database.rows(
      `SELECT email, full_name, fields, ARRAY(SELECT name FROM tags t JOIN client_tags ON tag_id = t.id WHERE client_id = c.id) AS tags
         FROM clients c WHERE owner_id = $1 ORDER BY id`,
      [id],
    ),
  ).toEqual([
    { email: 'anna@example.org', fullName: 'Анна', fields: { gorod: 'Москва' }, tags: ['From the office'] },
    { email: 'ivan@example.org', fullName: 'Иван', fields: { gorod: 'Тверь' }, tags: ['From the office'] },
  ]);

  await page.getByRole('button', { name: 'Undo this import' }).click();
  expect(await text(page, 'dialog:target h2')).toBe('Delete the 2 clients that this import added?');
  await page.locator('dialog:target form button').click();
  const left = () =>
    site.api.database.first<{ n: number }>('SELECT count(*) AS n FROM clients WHERE owner_id = $1', [id]);
  while ((await left())?.n !== 0) await new Promise((wake) => setTimeout(wake, 100));
  await page.reload();
  expect(await text(page)).toContain('2 clients deleted.');
  await page.context().close();
}, 60_000);

test('its page fits a phone, in both languages, and has no barriers', async () => {
  const { page, token } = await site.visitor('phone@example.org', { viewport: { width: 390, height: 800 } });
  await site.api.call('PATCH', '/api/v1/me', { token, body: { language: 'ru' } });
  await upload(page, 'clients.csv', OFFICE);
  await shot(page, 'map-ru');
  expect(await text(page, 'h2')).toBe('Что в столбцах');
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await faultsOf(page)).toEqual([]);
  await page.locator('.mapping .btn-primary').click();
  await page.waitForLoadState();
  await page.locator('.figure').first().waitFor();
  expect(await fits(page)).toBe(true);
  await shot(page, 'done-ru');
  await page.context().close();
}, 60_000);
