import type { Locator, Page } from 'playwright-core';
import { PASSWORD } from '../support/api';
import { documentOf, paragraph } from '../support/documents';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';

/** A person without HTML writes a letter, looks at it as on a phone, and gets it: by mouse, by keys, and without a script. */

let site: Site;

beforeAll(async () => {
  site = await Site.start();
});

afterAll(async () => {
  await site.stop();
  expect(site.complaints).toEqual([]);
});

/** Counts what is done beside writing the text. */
class Hands {
  count = 0;

  constructor(private readonly page: Page) {}

  async click(what: Locator): Promise<void> {
    this.count++;
    await what.click();
  }

  /** Keys that are held count as well. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) {
      this.count += key.split('+').length;
      await this.page.keyboard.press(key);
    }
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }
}

const open = async (email: string) => {
  const { page, context } = await site.visitor(email, { viewport: { width: 1200, height: 900 } });
  return { page, context, hands: new Hands(page) };
};

/** The letter as it arrived has all that was put into it, in this order. */
async function expectLetter(email: string): Promise<void> {
  const { mail } = await site.inbox.letterTo(email);
  expect(mail.subject).toContain('Spring news');
  const html = String(mail.html);
  const parts = ['Come to the garden', 'https://example.org/garden.png', 'Mornings', 'Evenings', 'See the hours'];
  const places = parts.map((part) => html.indexOf(part));
  expect(places.filter((place) => place < 0)).toEqual([]);
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(html).toContain('href="https://example.org/hours"');
  expect(html).toContain('alt="Tulips"');
  expect(mail.text).toContain('Mornings');
}

async function expectPhone(page: Page): Promise<void> {
  const frame = page.locator('iframe.letter').first();
  await page.frameLocator('iframe.letter').first().getByText('Evenings').waitFor();
  expect((await frame.boundingBox())!.width).toBeLessThanOrEqual(392);
  // Columns stand one below the other on a phone.
  const [left, right] = await Promise.all(
    ['Mornings', 'Evenings'].map(
      async (text) => (await page.frameLocator('iframe.letter').first().getByText(text).boundingBox())!,
    ),
  );
  expect(right!.y).toBeGreaterThan(left!.y + left!.height - 1);
}

test('by mouse', async () => {
  const { page, hands, context } = await open('mouse@example.org');
  const add = async (kind: string) => {
    await hands.click(page.getByRole('button', { name: 'Add a block' }));
    await hands.click(page.getByRole('menuitem', { name: kind, exact: true }));
  };
  await page.goto('/messages');
  await hands.click(page.getByRole('link', { name: 'New message' }).first());
  await hands.click(page.getByRole('link', { name: 'Empty letter' }));
  await page.locator('[data-ready]').waitFor();
  await hands.type('Spring news');
  await add('Heading');
  await hands.type('Come to the garden');
  await add('Picture');
  await hands.click(page.getByLabel('Address of the picture'));
  await hands.type('https://example.org/garden.png');
  await hands.click(page.getByLabel('What it shows'));
  await hands.type('Tulips');
  await add('Two columns');
  await hands.type('Mornings');
  await hands.click(page.locator('[data-column]').nth(1));
  await hands.type('Evenings');
  await add('Button');
  await hands.type('See the hours');
  await hands.click(page.getByLabel('Where it leads'));
  await hands.type('example.org/hours');
  await hands.click(page.getByLabel('Phone'));
  await expectPhone(page);
  await hands.click(page.getByRole('button', { name: 'Send a test letter' }));
  await page.locator('.flash', { hasText: 'test letter' }).waitFor();
  await expectLetter('mouse@example.org');
  expect(hands.count).toBeLessThan(25);

  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.waitForURL(/\/messages\/\d+$/);
  await page.locator('[data-ready]').waitFor();
  expect(await page.locator('.le-letter [data-column]').count()).toBe(2);
  await context.close();
});

test('by keys alone', async () => {
  const { page, hands, context } = await open('keys@example.org');
  await page.goto('/messages/new?as=blocks');
  await page.locator('[data-ready]').waitFor();
  await hands.type('Spring news');
  await hands.press('Enter', 'Enter', '/', 'Enter');
  await hands.type('Come to the garden');
  await hands.press('Enter', '/', 'p', 'Enter', 'Tab');
  await hands.type('https://example.org/garden.png');
  await hands.press('Tab');
  await hands.type('Tulips');
  await hands.press('Enter', '/', 'c', 'Enter');
  await hands.type('Mornings');
  await hands.press('ArrowRight');
  await hands.type('Evenings');
  await hands.press('ArrowRight', '/', 'b', 'Enter');
  await hands.type('See the hours');
  await hands.press('Enter');
  await hands.type('example.org/hours');
  await hands.press('Alt+p');
  await expectPhone(page);
  await hands.press('Tab', 'Enter');
  await page.locator('.flash', { hasText: 'test letter' }).waitFor();
  expect(hands.count).toBeLessThan(25);
  await expectLetter('keys@example.org');
  await context.close();
});

test('without a script', async () => {
  const { page, context } = await site.visitor('plain@example.org', { javaScriptEnabled: false });
  await page.goto('/messages/new?as=blocks');
  await page.fill('[name=subject]', 'Spring news for {{ client.fullName | default: "you" }}');
  await page.fill(
    '[name="b.0.text"]',
    'Hi {{ client.fullName | default: "friend" }},\n\n**come** to [us](https://example.org)',
  );
  const press = (value: string) => page.locator(`button[value="${value}"]`).click();
  const addAfter = async (at: string, kind: string) => {
    const details = page.locator('details', { has: page.locator(`button[value="add ${at} ${kind}"]`) }).last();
    await details.locator('summary').first().click();
    await press(`add ${at} ${kind}`);
  };
  await addAfter('0', 'heading');
  expect(await page.inputValue('[name="b.0.text"]')).toContain('**come** to [us](<https://example.org>)');
  await page.fill('[name="b.1.text"]', 'Come to the garden');
  await press('up 1');
  await addAfter('1', 'picture');
  await page.fill('[name="b.2.alt"]', 'Tulips');
  await addAfter('2', 'two');
  await page.fill('[name="b.3.c0.0.text"]', 'Mornings');
  await page.fill('[name="b.3.c1.0.text"]', 'Evenings');
  await addAfter('3', 'button');
  await page.fill('[name="b.4.text"]', 'See the hours');
  await page.fill('[name="b.4.href"]', 'https://example.org/hours');
  // The picture has no address yet: it is said at its field, and nothing is lost.
  await page.locator('#message-form > .actions button.btn-primary').click();
  expect(await page.locator('[name="b.2.src"][aria-invalid=true]').count()).toBe(1);
  expect(await page.inputValue('[name="b.3.c1.0.text"]')).toBe('Evenings');
  await page.fill('[name="b.2.src"]', 'https://example.org/garden.png');
  await page.getByRole('button', { name: 'Send a test letter' }).click();
  await expectLetter('plain@example.org');
  await page.locator('#message-form > .actions button.btn-primary').click();
  await page.waitForURL(/\/messages\/\d+$/);
  const saved = await site.open();
  await site.signIn(saved.page, 'plain@example.org');
  await saved.page.goto(page.url());
  await saved.page.locator('[data-ready]').waitFor();
  expect(await saved.page.locator('.le-letter .le-chip').innerText()).toContain('friend');
  expect(await saved.page.locator('.le-letter strong').innerText()).toBe('come');
  await saved.context.close();
  await context.close();
});

test('the form without a script keeps nobody out', async () => {
  const visitor = await site.visitor('plain-axe@example.org', { bypassCSP: true });
  await visitor.page.goto('/messages/new?as=blocks&plain=1');
  expect(await faultsOf(visitor.page)).toEqual([]);
  await visitor.context.close();
});

test('a session that ends, and somebody else who saves, take no block with them', async () => {
  const { page, context, token, id } = await site.visitor('over@example.org');
  const post = async (path: string, body: object) =>
    (await site.api.call('POST', `/api/v1${path}`, { token, body })).body;
  const message = await post('/messages', { subject: 'Before', document: documentOf(paragraph('first')) });
  const at = `/messages/${message.id}`;
  await page.goto(at);
  await page.locator('[data-ready]').waitFor();
  await page.getByRole('textbox', { name: 'Letter' }).click();
  await page.keyboard.press('ControlOrMeta+End');
  for (const [kind, text] of [
    ['Heading', 'Mine'],
    ['Two columns', 'left'],
    ['Social links', ''],
  ]) {
    await page.getByRole('button', { name: 'Add a block' }).click();
    await page.getByRole('menuitem', { name: kind, exact: true }).click();
    await page.keyboard.type(text!);
  }
  const typed = await page.inputValue('[name=document]');
  expect(JSON.parse(typed)).toMatchObject({
    doc: { content: ['paragraph', 'heading', 'columns', 'social'].map(type) },
  });
  await site.api.database.rows(`UPDATE sessions SET expires_at = now() - interval '1 minute' WHERE user_id = $1`, [id]);
  const theirs = { document: documentOf(paragraph('first, and theirs')), version: message.version };
  expect((await site.api.call('PATCH', `/api/v1${at}`, { token, body: theirs })).status).toBe(200);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.waitForURL(/\/sign-in\?/);
  await page.fill('[name=email]', 'over@example.org');
  await page.fill('[name=password]', PASSWORD);
  await page.click('main button');
  await page.waitForURL(site.api.url + at);
  // What this browser alone had is brought to the service first.
  await page.locator('.kept-bar').waitFor();
  await page.locator('.le-letter h2', { hasText: 'Mine' }).waitFor();
  expect(await page.inputValue('[name=document]')).toBe(typed);

  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.locator('.kept-conflict').waitFor();
  expect(await page.locator('.kept-text').allInnerTexts()).toEqual([
    'first, and theirs',
    expect.stringContaining('Mine'),
  ]);
  expect(await page.inputValue('[name=document]')).toBe(typed);
  await page.getByRole('button', { name: 'Keep mine' }).click();
  await page.locator('.flash', { hasText: 'Saved' }).waitFor();
  const saved = (await site.api.call('GET', `/api/v1${at}`, { token })).body.document as { doc: object };
  expect(saved.doc).toEqual((JSON.parse(typed) as { doc: object }).doc);
  await context.close();
});
const type = (name: string) => ({ type: name });

test('a letter of blocks becomes HTML once, after a question', async () => {
  const { page, context } = await open('html@example.org');
  await page.goto('/messages/new?as=blocks');
  await page.locator('[data-ready]').waitFor();
  await page.keyboard.type('To HTML');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.keyboard.type('words');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.waitForURL(/\/messages\/\d+$/);
  await page.locator('summary', { hasText: 'More' }).click();
  await page.getByRole('button', { name: 'Turn into HTML' }).first().click();
  expect(await page.locator('dialog[open] h2').innerText()).toBe('Turn this letter into HTML?');
  await page.locator('dialog[open] button').click();
  await page.locator('.flash', { hasText: 'HTML now' }).waitFor();
  expect(await page.locator('[name=body]').inputValue()).toContain('words');
  expect(await page.locator('[name=document]').count()).toBe(0);
  await page.locator('summary', { hasText: 'More' }).click();
  expect(await page.getByText('Turn into HTML').count()).toBe(0);
  await context.close();
});
