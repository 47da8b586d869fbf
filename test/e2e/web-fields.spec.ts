import type { Page } from 'playwright-core';
import { Site } from '../support/site';

/** Fields and tags of clients on the pages: by forms alone, as without JavaScript. */

let site: Site;

beforeAll(async () => {
  site = await Site.start();
});

afterAll(() => site.stop());

const press = (page: Page, name: string | RegExp) =>
  page.locator('main').getByRole('button', { name, exact: true }).first().click();
const heading = (page: Page) => page.locator('h1').first().innerText();
const text = (page: Page, where = 'main') => page.locator(where).first().innerText();

async function addField(page: Page, values: { label: string; fieldKey: string; type?: string; options?: string }) {
  await page.goto('/clients/fields/new');
  const { type = 'text', options = '', ...texts } = values;
  for (const [name, value] of Object.entries({ ...texts, options })) await page.fill(`[name=${name}]`, value);
  await page.selectOption('[name=type]', type);
  await press(page, 'Save');
}

test('a field is made, filled in, shown, filtered, written in a letter, archived and deleted', async () => {
  const { page, token } = await site.visitor('vera@example.org', { javaScriptEnabled: false });
  await page.goto('/clients');
  await page.getByRole('link', { name: 'Fields' }).click();
  expect(await text(page)).toContain('You have no fields of your own yet.');
  await addField(page, { label: 'City', fieldKey: 'email' });
  expect(await text(page)).toContain('Every client has “email”');
  expect(await page.inputValue('[name=label]')).toBe('City');
  await page.fill('[name=fieldKey]', 'city');
  await press(page, 'Save');
  await addField(page, { label: 'Level', fieldKey: 'level', type: 'choice', options: 'Gold\nSilver' });
  await addField(page, { label: 'Born', fieldKey: 'born', type: 'date' });
  await addField(page, { label: 'Loyal', fieldKey: 'vip', type: 'boolean' });
  await addField(page, { label: 'Age', fieldKey: 'age', type: 'number' });
  await addField(page, { label: 'Age again', fieldKey: 'AGE' });
  expect(await page.locator('#f-fieldKey-problem').innerText()).toBe('There is a field with this key already.');
  await page.goto('/clients/fields');
  const keys = () => page.locator('main tbody code').allInnerTexts();
  expect(await keys()).toEqual(['city', 'level', 'born', 'vip', 'age']);
  await page.getByRole('button', { name: 'Move “Age” up' }).click();
  expect(await keys()).toEqual(['city', 'level', 'born', 'age', 'vip']);

  await page.goto('/clients/new');
  await page.fill('[name=email]', 'anna@example.org');
  await page.fill('[name="fields.city"]', 'Omsk <b>');
  await page.selectOption('[name="fields.level"]', 'Silver');
  await page.fill('[name="fields.born"]', '2001-12-31');
  await page.selectOption('[name="fields.vip"]', 'yes');
  await page.fill('[name="fields.age"]', 'old');
  await page.fill('[name=tags]', 'VIP, From the fair');
  await press(page, 'Save');
  expect(await page.locator('[id="f-fields.age-problem"]').innerText()).toBe('A number, please.');
  expect(await page.inputValue('[name=tags]')).toBe('VIP, From the fair');
  expect(await page.inputValue('[name="fields.level"]')).toBe('Silver');
  await page.fill('[name="fields.age"]', '25,5');
  await press(page, 'Save');
  expect(await heading(page)).toBe('anna@example.org');
  expect(await page.title()).toContain('anna@example.org');
  expect((await text(page, '.facts')).split(/\s*\n\s*/)).toEqual(
    expect.arrayContaining(['Omsk <b>', 'Silver', '31 Dec 2001', 'Yes', '25.5', 'VIP', 'From the fair']),
  );
  const client = page.url();
  await page.getByRole('link', { name: 'Edit' }).click();
  expect(await page.inputValue('[name="fields.born"]')).toBe('2001-12-31');
  await page.fill('[name="fields.age"]', '');
  await press(page, 'Save');
  expect(await text(page, '.facts')).not.toContain('25.5');

  await page.goto('/clients');
  expect(await text(page, '#results')).not.toContain('Omsk');
  await page.locator('.columns-pick > summary').click();
  await page.check('[name=columns][value="fields.city"]');
  await page.uncheck('[name=columns][value=createdAt]');
  await press(page, 'Show');
  expect(await page.locator('#results th').allInnerTexts()).toEqual([
    'Chosen',
    'E-mail',
    'Full name',
    'Comment',
    'City',
    'Tags',
  ]);
  await page.goto('/clients?tag=vip');
  expect(await text(page, '#results')).toContain('Omsk <b>');
  await page.goto('/clients?columns=fields.level,tags,nonsense,fields.nothing');
  expect(await page.locator('#results th').allInnerTexts()).toEqual(['Chosen', 'E-mail', 'Level', 'Tags']);
  await page.goto('/clients?tag=nobody');
  expect(await text(page, '#results')).toContain('Nothing was found');

  await page.goto('/messages/new?as=html');
  expect(await page.locator('[data-insert="{{ client.city }}"]').getAttribute('title')).toBe('City');
  await page.fill('[name=subject]', 'Hi');
  await page.fill('[name=body]', '<p>{{ client.cty }}</p>');
  await press(page, 'Save');
  expect(await text(page)).toContain('There is no variable “client.cty”. Did you mean “client.city”?');
  await page.fill('[name=body]', '<p>{{ client.city }}</p>');
  await press(page, 'Save');
  expect(await page.locator('.flash').innerText()).toBe('Saved.');

  await page.goto('/clients/fields/city');
  await page.getByRole('button', { name: 'Delete' }).first().click();
  await page.locator('dialog:target').getByRole('button', { name: 'Delete' }).click();
  expect(await text(page, '[role=alert]')).toBe(
    'It is still used by: message “Hi”. Remove it there first, or wait until that is done.',
  );
  await page.goto('/clients/fields/level');
  await page.fill('[name=options]', 'Gold');
  await press(page, 'Save');
  expect(await text(page, '[role=alert]')).toBe(
    '1 client has an option that you left out. Put it back, or change these clients first.',
  );
  await page.goto('/clients/fields/level');
  await page.getByRole('button', { name: 'Archive' }).first().click();
  await page.locator('dialog:target').getByRole('button', { name: 'Archive' }).click();
  await page.goto(`${client}/edit`);
  expect(await page.locator('[name="fields.level"]').count()).toBe(0);
  await press(page, 'Save');
  const { items } = (await site.api.call('GET', '/api/v1/clients', { token })).body;
  expect(items[0]?.fields).toMatchObject({ level: 'Silver', city: 'Omsk <b>' });
  await page.goto('/clients/fields/level');
  await press(page, 'Restore');
  await page.goto('/clients/fields/born');
  await page.getByRole('button', { name: 'Delete' }).first().click();
  await page.locator('dialog:target').getByRole('button', { name: 'Delete' }).click();
  expect(await keys()).toEqual(['city', 'level', 'age', 'vip']);
});

test('tags are made, counted, renamed, merged and deleted', async () => {
  const { page, token } = await site.visitor('zoe@example.org', { javaScriptEnabled: false });
  for (const [email, tags] of [
    ['a@example.org', ['one', 'two']],
    ['b@example.org', ['two']],
  ] as const)
    await site.api.call('POST', '/api/v1/clients', { token, body: { email, tags } });
  await page.goto('/clients');
  await page.getByRole('link', { name: 'Tags' }).click();
  const rows = async () => (await page.locator('main tbody tr').allInnerTexts()).map((row) => row.replace(/\s+/g, ' '));
  expect(await rows()).toEqual(['one 1', 'two 2']);
  await page.locator('summary').first().click();
  await page.fill('[name=name]', 'ONE');
  await press(page, 'Save');
  expect(await page.locator('#f-name-problem').innerText()).toBe('There is a tag with this name already.');
  await page.fill('[name=name]', 'News');
  await page.check('[name=public]');
  await press(page, 'Save');
  expect(await rows()).toEqual(['News Topic 0', 'one 1', 'two 2']);
  await page.getByRole('link', { name: 'one', exact: true }).click();
  await page.fill('[name=name]', 'a,b');
  await press(page, 'Save');
  expect(await page.locator('#f-name-problem').innerText()).toContain('Without commas');
  await page.selectOption('[name=into]', { label: 'two' });
  await press(page, 'Merge');
  expect(await heading(page)).toBe('two');
  expect(await text(page)).toContain('2 clients');
  await page.getByRole('link', { name: 'Show these clients' }).click();
  expect(await page.locator('#results tbody tr').count()).toBe(2);
  expect(await page.locator('select[name=tag]').inputValue()).toBe('two');
  await page.getByRole('link', { name: 'Tags', exact: true }).first().click();
  await page.getByRole('link', { name: 'two', exact: true }).click();
  await page.getByRole('button', { name: 'Delete' }).first().click();
  await page.locator('dialog:target').getByRole('button', { name: 'Delete' }).click();
  expect(await rows()).toEqual(['News Topic 0']);
});

test("another's fields and tags are on the pages of their clients, and not for strangers", async () => {
  const owner = await site.api.person('user', 'owner@example.org');
  const by = { token: owner.token };
  await site.api.call('POST', '/api/v1/fields', { ...by, body: { key: 'city', label: 'Town', type: 'text' } });
  const { id } = (
    await site.api.call('POST', '/api/v1/clients', {
      ...by,
      body: { email: 'c@example.org', fields: { city: 'Omsk' }, tags: ['theirs'] },
    })
  ).body;
  await site.api.person('manager', 'boss@example.org');
  const office = await site.open();
  await site.signIn(office.page, 'boss@example.org');
  await office.page.goto(`/clients/${id}`);
  expect(await text(office.page, '.facts')).toMatch(/Town\s+Omsk/);
  await office.page.goto(`/clients?ownerId=${owner.id}&columns=fields.city`);
  expect(await text(office.page, '#results')).toContain('Omsk');
  await office.page.goto('/clients/tags');
  await office.page.getByRole('link', { name: 'theirs' }).click();
  expect(await office.page.locator('[name=name]').count()).toBe(0);
  const tag = office.page.url();
  const stranger = await site.visitor('stranger@example.org');
  expect((await stranger.page.goto(tag))?.status()).toBe(404);
  expect((await stranger.page.goto('/clients/fields/city'))?.status()).toBe(404);
  expect(site.complaints).toEqual([]);
});
