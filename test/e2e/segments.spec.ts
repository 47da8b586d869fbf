import type { Locator, Page, Route } from 'playwright-core';
import { cp1251 } from '../support/cp1251';
import { Site } from '../support/site';

/** Segments in a browser: made row by row, checked, used by a mailing. */

let site: Site;

beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

const press = (page: Page, name: string | RegExp) => page.locator('main').getByRole('button', { name }).first().click();
const sql = <T>(text: string, params: unknown[]) => site.api.database.rows<T>(text, params);

/** Somebody with the fields city and level, a tag, and three clients. */
async function owner(email: string, options: Parameters<Site['visitor']>[1] = {}) {
  const visitor = await site.visitor(email, options);
  await sql(
    `INSERT INTO client_fields (owner_id, key, label, type, options) VALUES
       ($1, 'city', 'Город', 'text', '{}'), ($1, 'level', 'Level', 'choice', '{Gold,Silver}')`,
    [visitor.id],
  );
  await sql(`INSERT INTO tags (owner_id, name) VALUES ($1, 'VIP')`, [visitor.id]);
  const names = ['anna', 'boris', 'clara'].map((name) => `${name}${visitor.id}@example.org`);
  const ids = await site.api.make.clients(visitor.id, names);
  for (const [i, fields] of [{ city: 'Москва', level: 'Gold' }, { city: 'Москва' }, {}].entries())
    await sql('UPDATE clients SET fields = $2 WHERE id = $1', [ids[i], fields]);
  await sql(`INSERT INTO messages (owner_id, subject, body) VALUES ($1, 'Hello', '<p>Hello</p>')`, [visitor.id]);
  return { ...visitor, names };
}

const counted = (page: Page) => page.locator('#segment-count').innerText();
const filterOf = async (name: string, id: number) =>
  (await sql<{ filter: unknown }>('SELECT filter FROM segments WHERE owner_id = $1 AND name = $2', [id, name]))[0]
    ?.filter;

test('without JavaScript a segment is made, corrected, used by a mailing and left out', async () => {
  const { page, id, names } = await owner('plain-segments@example.org', { javaScriptEnabled: false });
  await page.goto('/segments');
  await page.locator('main').getByRole('link', { name: 'New segment' }).first().click();
  await page.fill('[name=name]', 'Moscow');
  await page.selectOption('[name="g0.0.field"]', 'fields.city');
  await press(page, 'Add a condition');
  await page.fill('[name="g0.0.value"]', 'москва');
  // Another field has other comparisons and inputs, from the next look at the form on.
  await page.selectOption('[name="g0.1.field"]', 'fields.level');
  await press(page, 'Add a group');
  await page.selectOption('[name="g0.1.op"]', 'isNot');
  await page.selectOption('[name="g0.1.value"]', 'Gold');
  await page.selectOption('[name="g1.0.field"]', 'tag');
  await page.fill('[name="g1.0.value"]', 'VIPs');
  await press(page, 'Save');
  expect(await page.locator('.field-problem').innerText()).toBe('There is no tag “VIPs”. Did you mean “VIP”?');
  expect(await page.inputValue('[name="g0.0.value"]')).toBe('москва');
  await press(page, 'Remove the group');
  await press(page, 'Check who belongs to it');
  expect(await counted(page)).toContain('1 client belongs to it now.');
  expect(await counted(page)).toContain(names[1]);
  await press(page, 'Save');
  expect(await page.locator('h1').innerText()).toBe('Moscow');
  expect(await page.locator('.facts').innerText()).toContain('Город is москва and Level is not Gold');
  expect(await filterOf('Moscow', id)).toEqual({
    all: [
      { field: 'fields.city', op: 'is', value: 'москва' },
      { field: 'fields.level', op: 'isNot', value: 'Gold' },
    ],
  });
  await page.getByRole('link', { name: 'Show these clients' }).click();
  expect(await page.locator('#results').innerText()).toContain(names[1]);
  expect(await page.locator('#results').innerText()).not.toContain(names[0]);
  expect(await page.locator('[name=segmentId] option:checked').innerText()).toBe('Moscow');
  await page.getByText('See this segment').click();
  await page.getByRole('link', { name: 'New mailing to it' }).click();
  expect(await page.locator('#recipients').innerText()).toContain('1 person at present.');
  await page.fill('[name=name]', 'To Moscow');
  await page.getByRole('radio', { name: 'Hello' }).check();
  await page.selectOption('[name=excludeSegmentId]', { label: 'Moscow' });
  await press(page, 'Save');
  expect(await page.locator('.field-problem').innerText()).toContain('choose another one to leave out');
  expect(await page.locator('[name=segmentId] option:checked').innerText()).toBe('Moscow');
  await page.check('[name=audience][value=all]');
  await press(page, 'Save');
  expect(await page.locator('.facts').innerText()).toContain('All clients (2 people)');
  await page.locator('.facts').getByRole('link', { name: 'Moscow' }).click();
  expect(await page.locator('.facts').innerText()).toContain('To Moscow');
});

test('with a script inputs and count follow what is chosen', async () => {
  const { page, names } = await owner('live-segments@example.org');
  await page.goto('/segments/new');
  await page.fill('[name=name]', 'Gold');
  await page.selectOption('[name="g0.0.field"]', 'fields.level');
  await page.locator('select[name="g0.0.value"]').selectOption('Gold');
  await page.locator('#segment-count', { hasText: '1 client belongs to it now.' }).waitFor();
  expect(await counted(page)).toContain(names[0]);
  await press(page, 'Add a condition');
  await page.locator('[name="g0.1.field"]').selectOption('received');
  await page.locator('[name="g0.1.days"]').fill('7');
  await page.locator('#segment-count', { hasText: 'Nobody belongs to it now.' }).waitFor();
  await page.getByRole('button', { name: 'Remove: Condition 2' }).click();
  await page.locator('[name="g0.1.field"]').waitFor({ state: 'detached' });
  expect(await page.inputValue('[name=name]')).toBe('Gold');
  await press(page, 'Save');
  await page.locator('h1', { hasText: 'Gold' }).waitFor();
  await page.goto('/mailings/new');
  await page.check('[name=audience][value=segment]');
  await page.locator('[name=segmentId]').selectOption({ label: 'Gold' });
  await page.locator('#recipients', { hasText: '1 person at present.' }).waitFor();
  expect(site.complaints).toEqual([]);
});

test('what is typed while the form is fetched anew stays, and so does the cursor', async () => {
  const { page, names } = await owner('fast-segments@example.org');
  await page.goto('/segments/new');
  const slowly = async (route: Route) => {
    await new Promise((wake) => setTimeout(wake, 700));
    await route.continue();
  };
  await page.route('**/segments/form?do=choose', slowly);
  const fetched = () => page.waitForResponse('**/segments/form?do=choose');
  let answer = fetched();
  await page.selectOption('[name="g0.0.field"]', 'fields.city');
  await page.locator('[name="g0.0.value"]').pressSequentially('Мос');
  await answer;
  await page.locator('[name="g0.0.field"] option[value="fields.city"][selected]').waitFor({ state: 'attached' });
  await page.keyboard.type('ква');
  expect(await page.inputValue('[name="g0.0.value"]')).toBe('Москва');
  // Two choices, one after the other, before the first answer.
  answer = fetched();
  await page.selectOption('[name="g0.0.field"]', 'fullName');
  await page.selectOption('[name="g0.0.op"]', 'isNotSet');
  await answer;
  await page.locator('[name="g0.0.value"]').waitFor({ state: 'detached' });
  expect(await page.inputValue('[name="g0.0.field"]')).toBe('fullName');
  expect(await page.inputValue('[name="g0.0.op"]')).toBe('isNotSet');
  await page.selectOption('[name="g0.0.field"]', 'email');
  await page.selectOption('[name="g0.0.op"]', 'is');
  await page.locator('[name="g0.0.value"]').fill(names[1]!);
  await page.locator('#segment-count', { hasText: '1 client belongs to it now.' }).waitFor();
  expect(site.complaints).toEqual([]);
});

test('a condition that is taken away while one types takes its own value with it, and no other', async () => {
  const { page } = await owner('remove-segments@example.org');
  await page.goto('/segments/new');
  for (const row of [1, 2]) {
    await page.getByRole('button', { name: 'Add a condition' }).first().click();
    await page.locator(`[name="g0.${row}.field"]`).waitFor();
  }
  for (const [row, value] of ['zero', 'one', 'two'].entries()) await page.fill(`[name="g0.${row}.value"]`, value);
  await page.route('**/segments/form?do=remove*', async (route) => {
    await new Promise((wake) => setTimeout(wake, 500));
    await route.continue();
  });
  await page.getByRole('button', { name: 'Remove: Condition 2' }).click();
  await page.fill('[name="g0.1.value"]', 'typed too late');
  await page.locator('[name="g0.2.value"]').waitFor({ state: 'detached' });
  const values = await page.locator('[name^="g0."][name$=".value"]').evaluateAll((inputs) => {
    return inputs.map((input) => (input as HTMLInputElement).value);
  });
  expect(values).toEqual(['zero', 'two']);
});

test('from a file of an office to a weekly mailing to those from Moscow, in at most 15 clicks', async () => {
  const { page, id } = await site.visitor('office-moscow@example.org', { locale: 'ru' });
  await sql(`UPDATE users SET language = 'ru' WHERE id = $1`, [id]);
  await sql(`INSERT INTO messages (owner_id, subject, body) VALUES ($1, 'Привет', '<p>Привет</p>')`, [id]);
  let clicks = 0;
  // Choosing in a list or a file counts as a click; typing does not.
  const click = (on: Locator) => (clicks++, on.click());
  const choose = (name: string, label: string) => (clicks++, page.locator(`[name="${name}"]`).selectOption({ label }));
  const link = (name: string) => page.getByRole('link', { name, exact: true }).first();
  const button = (name: string) => page.locator('main').getByRole('button', { name, exact: true }).first();

  await page.goto('/');
  await click(link('Клиенты'));
  await click(link('Импорт из файла'));
  clicks++;
  await page.setInputFiles('[name=file]', {
    name: 'clients.csv',
    mimeType: 'text/csv',
    buffer: cp1251(
      'Телефон;Город;Имя;E-mail\r\n+7 900 1;Москва;Анна;anna@office.example\r\n+7 900 2;Тверь;Иван;ivan@office.example\r\n',
    ),
  });
  await click(page.locator('main form button').first());
  await page.waitForURL(/import\/\d+$/);
  await choose('column.0', 'Новое поле «Телефон» (текст)');
  await choose('column.1', 'Новое поле «Город» (текст)');
  await click(page.locator('.mapping .btn-primary'));
  await page.locator('.figure').first().waitFor();
  await click(link('Сегменты'));
  await click(link('Новый сегмент'));
  await page.fill('[name=name]', 'Москва');
  await choose('g0.0.field', 'Город');
  await page.locator('[name="g0.0.value"]').fill('Москва');
  await click(button('Сохранить'));
  await page.locator('h1', { hasText: 'Москва' }).waitFor();
  expect(await page.locator('.facts').innerText()).toContain('Город — Москва');
  await click(link('Новая рассылка этому сегменту'));
  await page.fill('[name=name]', 'Каждую неделю');
  await choose('period', 'Каждую неделю');
  await click(button('Сохранить'));
  await page.waitForURL(/mailings\/\d+$/);
  expect(await page.locator('.facts').innerText()).toMatch(/Москва[^]*Каждую неделю|Каждую неделю[^]*Москва/);
  expect(clicks).toBeLessThanOrEqual(15);
  process.stderr.write(`clicks from the file to the weekly mailing: ${clicks}\n`);
  expect(
    await sql(
      `SELECT m.period, s.filter, ARRAY(SELECT email FROM clients WHERE owner_id = $1 AND fields ->> 'gorod' = 'Москва') AS people
         FROM mailings m JOIN segments s ON s.id = m.segment_id WHERE m.owner_id = $1`,
      [id],
    ),
  ).toEqual([
    {
      period: 'weekly',
      filter: { all: [{ field: 'fields.gorod', op: 'is', value: 'Москва' }] },
      people: ['anna@office.example'],
    },
  ]);
});

test('what the form can not show is shown in words and stays', async () => {
  const { page, token, id } = await owner('kept-segments@example.org', { javaScriptEnabled: false });
  await sql(`UPDATE users SET language = 'ru' WHERE id = $1`, [id]);
  const city = { field: 'fields.city', op: 'is', value: 'Москва' };
  const deep = { any: [{ all: [{ field: 'tag', op: 'is', value: 'VIP' }, city] }, city] };
  const filter = { all: [city, { not: deep }, { any: [{ field: 'comment', op: 'isSet' }, { all: [deep] }] }] };
  const body = { name: 'Deep', filter };
  const made = await site.api.call('POST', '/api/v1/segments', { token, body });
  await page.goto(`/segments/${made.body.id}/edit`);
  expect(await page.locator('.kept').first().innerText()).toContain(
    'не ((Тег — VIP и Город — Москва) или Город — Москва)',
  );
  await page.fill('[name=name]', 'Deeper');
  await press(page, 'Сохранить');
  const read = await site.api.call('GET', `/api/v1/segments/${made.body.id}`, { token });
  expect(read.body).toMatchObject({ name: 'Deeper', filter });
  expect(await filterOf('Deeper', id)).toMatchObject({
    all: [city, { not: { any: [{ all: [{ field: 'tag' }, city] }, city] } }, {}],
  });
});
