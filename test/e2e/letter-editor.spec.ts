import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { faultsOf } from '../support/faults';
import { png } from '../support/pictures';
import { Site } from '../support/site';

/** Letters in blocks, written as people write them: what the editor does to its document. */

let site: Site;
let page: Page;

let people = 0;

beforeAll(async () => {
  site = await Site.start();
});

beforeEach(async () => {
  ({ page } = await site.visitor(`anna${++people}@example.org`, { viewport: { width: 1200, height: 900 } }));
});

afterEach(() => page.context().close());

afterAll(async () => {
  await site.stop();
  expect(site.complaints).toEqual([]);
});

interface Block {
  type: string;
  attrs?: Record<string, unknown>;
  content?: Block[];
  text?: string;
  marks?: { type: string; attrs?: Record<string, unknown> }[];
}

const documentOf = async (on = page): Promise<Block[]> =>
  (JSON.parse(await on.locator('[name=document]').inputValue()) as { doc: { content: Block[] } }).doc.content;

/** Text with its marks as HTML would have it, blocks by the names of their kinds. */
const said = ({ type, text = '', marks = [], attrs, content = [] }: Block): string => {
  if (type === 'text') return marks.reduce((inner, mark) => `<${mark.type}>${inner}</${mark.type}>`, text);
  if (type === 'variable') return `{${String(attrs?.name)}|${String(attrs?.fallback)}}`;
  return `${type}(${content.map(said).join('')})`;
};
const saidAll = async (on = page): Promise<string[]> => (await documentOf(on)).map(said);

const open = async (on = page): Promise<void> => {
  await on.goto('/messages/new?as=blocks');
  await on.locator('[data-ready]').waitFor();
};
const letter = (on = page) => on.getByRole('textbox', { name: 'Letter' });
const write = async (text: string): Promise<void> => {
  await letter().click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.press('Backspace');
  await page.keyboard.type(text);
};
const status = () => page.locator('.letter-editor [role=status]').innerText();
const add = async (kind: string): Promise<void> => {
  await page.getByRole('button', { name: 'Add a block' }).click();
  await page.getByRole('menuitem', { name: kind, exact: true }).click();
};

/** What a browser gives to a page that something is pasted into. */
const paste = (data: Record<string, string>) =>
  page.evaluate((given) => {
    const clipboardData = new DataTransfer();
    for (const [type, text] of Object.entries(given)) clipboardData.setData(type, text);
    const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
    document.activeElement?.dispatchEvent(event);
  }, data);

test.each(['word', 'google-docs', 'web-page'])('what is pasted from %s comes in clean', async (source) => {
  await open();
  await write('');
  const html = readFileSync(join(__dirname, '../fixtures/clipboard', `${source}.html`), 'utf8');
  await paste({ 'text/html': html, 'text/plain': 'plain' });
  expect((await saidAll()).map((block) => block.replace(/\s+/g, ' '))).toEqual([
    'heading(Spring in the garden)',
    'paragraph(We open on <strong>1 May</strong>, and you are <em>warmly</em> invited. See <link>the garden</link> first.)',
    'bullet_list(list_item(paragraph(Tulips)bullet_list(list_item(paragraph(red ones))))list_item(paragraph(Roses)))',
    'paragraph(How to come:)',
    'ordered_list(list_item(paragraph(By train))list_item(paragraph(On foot)))',
  ]);
  const [, paragraph] = await documentOf();
  const links = (paragraph?.content ?? []).flatMap(({ marks = [] }) => marks).filter(({ type }) => type === 'link');
  expect(links.map(({ attrs }) => attrs)).toEqual([{ href: 'https://example.org/garden' }]);
});

test('text that is pasted into a heading stays in it, and lines of a plain text become paragraphs', async () => {
  await open();
  await write('');
  await paste({ 'text/plain': 'one\n\ntwo' });
  expect(await saidAll()).toEqual(['paragraph(one)', 'paragraph(two)']);
});

test('undo and redo, by keys and by buttons', async () => {
  await open();
  await write('first');
  await add('Divider');
  expect(await saidAll()).toEqual(['paragraph(first)', 'divider()']);
  await page.keyboard.press('ControlOrMeta+Z');
  expect(await saidAll()).toEqual(['paragraph(first)']);
  await page.getByRole('button', { name: 'Redo' }).click();
  expect(await saidAll()).toEqual(['paragraph(first)', 'divider()']);
  await page.getByRole('button', { name: 'Undo' }).click();
  expect(await saidAll()).toEqual(['paragraph(first)']);
});

test('blocks are moved, copied and deleted by keys, and it is said what happened', async () => {
  await open();
  await write('one');
  await page.keyboard.press('Enter');
  await page.keyboard.type('two');
  await page.keyboard.press('Alt+ArrowUp');
  expect(await saidAll()).toEqual(['paragraph(two)', 'paragraph(one)']);
  await page.waitForFunction(
    () => document.querySelector('.letter-editor [role=status]')?.textContent === 'Moved up: Text',
  );
  await page.keyboard.press('Alt+ArrowUp');
  await page.waitForFunction(() =>
    /first already/.test(document.querySelector('.letter-editor [role=status]')?.textContent ?? ''),
  );
  await page.keyboard.press('ControlOrMeta+D');
  expect(await saidAll()).toEqual(['paragraph(two)', 'paragraph(two)', 'paragraph(one)']);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Delete');
  expect(await saidAll()).toEqual(['paragraph(two)', 'paragraph(one)']);
  await page.waitForFunction(
    () => document.querySelector('.letter-editor [role=status]')?.textContent === 'Deleted: Text',
  );
  expect(await status()).toBe('Deleted: Text');
});

test('Escape chooses the block, then the columns around it; Ctrl+Enter leaves them', async () => {
  await open();
  await write('');
  await page.keyboard.type('/two');
  await page.keyboard.press('Enter');
  await page.keyboard.type('left');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  expect(await page.locator('.le-panel-title').innerText()).toBe('Two columns');
  await page.keyboard.press('ControlOrMeta+Enter');
  await page.keyboard.type('below');
  expect(await saidAll()).toEqual(['columns(column(paragraph(left))column(paragraph()))', 'paragraph(below)']);
});

test('"/" looks for a kind of block, and Escape leaves what was typed', async () => {
  await open();
  await write('/nu');
  expect(await page.locator('#le-slash').getByRole('option').allInnerTexts()).toEqual(['Numbered list']);
  await page.keyboard.press('Enter');
  await page.keyboard.type('one');
  expect(await saidAll()).toEqual(['ordered_list(list_item(paragraph(one)))']);
  await write('/x');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  await page.keyboard.type('next');
  expect(await saidAll()).toEqual(['paragraph(/x)', 'paragraph(next)']);
});

test('tools are one stop, arrows go through them, and Escape leads back to the text', async () => {
  await open();
  await write('bold');
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.press('Alt+F10');
  const name = () =>
    page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent);
  expect(await name()).toBe('Add');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  expect(await name()).toBe('Bold');
  await page.keyboard.press('Enter');
  expect(await page.getByRole('button', { name: 'Bold' }).getAttribute('aria-pressed')).toBe('true');
  await page.keyboard.press('Escape');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.type('er');
  expect(await saidAll()).toEqual(['paragraph(<strong>bolder</strong>)']);
});

test('a link is set and taken away', async () => {
  await open();
  await write('site');
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.press('ControlOrMeta+K');
  await page.keyboard.type('example.org');
  await page.keyboard.press('Enter');
  const linked = await documentOf();
  expect(linked[0]?.content?.[0]?.marks).toEqual([{ type: 'link', attrs: { href: 'https://example.org' } }]);
  await page.getByRole('button', { name: 'Remove the link' }).click();
  expect(await saidAll()).toEqual(['paragraph(site)']);
});

test('a chip in the letter and in the subject has a fallback, and goes by one key', async () => {
  await open();
  await write('Hi ');
  await page.getByRole('button', { name: 'Variable' }).click();
  await page.getByRole('menuitem', { name: "The client's full name" }).click();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  await page.keyboard.type('friend');
  await page.keyboard.press('Enter');
  expect(await saidAll()).toEqual(['paragraph(Hi {client.fullName|friend})']);
  await page.keyboard.press('Backspace');
  expect(await saidAll()).toEqual(['paragraph(Hi )']);

  await page.getByRole('textbox', { name: 'Subject' }).click();
  await page.keyboard.type('Dear ');
  await page.getByRole('button', { name: 'Variable' }).click();
  await page.getByRole('menuitem', { name: "The client's full name" }).click();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  await page.keyboard.type('friend');
  await page.keyboard.press('Enter');
  const subject = page.locator('[name=subject]');
  expect(await subject.inputValue()).toBe('Dear {{ client.fullName | default: "friend" }}');
  await page.keyboard.press('Backspace');
  expect(await subject.inputValue()).toBe('Dear ');
  await page.keyboard.type('{{ client.email }}!');
  expect(await subject.inputValue()).toBe('Dear {{ client.email }}!');
  expect(await page.locator('.le-line .le-chip').count()).toBe(1);
});

test('a block is dragged by its handle', async () => {
  await open();
  await write('one');
  for (const text of ['two', 'three']) {
    await page.keyboard.press('Enter');
    await page.keyboard.type(text);
  }
  const block = (text: string) => page.locator('.le-letter > p', { hasText: text });
  await block('three').hover();
  const target = (await block('one').boundingBox())!;
  await page.locator('.le-handle').hover();
  await page.mouse.down();
  await page.mouse.move(target.x + 2, target.y + 10, { steps: 5 });
  await page.mouse.move(target.x + 2, target.y + 5, { steps: 5 });
  await page.mouse.up();
  expect(await saidAll()).toEqual(['paragraph(three)', 'paragraph(one)', 'paragraph(two)']);
});

test('Arabic, Hebrew and emoji stay as they are and stand as they should', async () => {
  await open();
  const text = 'مرحبا שלום 👩‍👩‍👧 🇦🇲';
  await write(text);
  expect(await saidAll()).toEqual([`paragraph(${text})`]);
  expect(await page.locator('.le-letter > p').evaluate((p) => getComputedStyle(p).direction)).toBe('rtl');
});

test('pictures are uploaded from a button, and those that cannot be are said', async () => {
  await open();
  await write('');
  await add('Picture');
  const upload = (name: string, buffer: Buffer) =>
    page.locator('.le-upload input').setInputFiles({ name, mimeType: 'image/png', buffer });
  await upload('dot.png', await png(320, 120));
  const shown = letter().locator('.le-picture img');
  await expectSoon(() => shown.evaluateAll((all: HTMLImageElement[]) => all.map((one) => one.naturalWidth)), [320]);
  const [picture] = await documentOf();
  expect(picture?.attrs?.src).toMatch(/^media:[0-9a-f]{64}$/);
  await upload('none.png', Buffer.from('no picture'));
  await page.getByText('could not be uploaded').first().waitFor();
  expect(await documentOf()).toEqual([picture]);
});

test('placeholders of other tools are named beside the letter, with what to write instead, also when it is saved', async () => {
  await open();
  await page.keyboard.type('For %%name%%');
  await write('Dear *|FNAME|*, ');
  const named = page.locator('#foreign-tags li');
  const said = (tag: string): unknown => expect.stringContaining(`${tag} is a placeholder of another service`);
  await expectSoon(() => named.count(), 2);
  expect(await named.allInnerTexts()).toEqual([said('%%name%%'), said('*|FNAME|*')]);
  expect(await named.last().innerText()).toContain('{{ client.fullName }}');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.waitForURL(/\/messages\/\d+$/);
  expect(await named.count()).toBe(2);
  await write('');
  // What is pasted may have ours, and others that only look like them.
  await paste({ 'text/plain': 'Dear {{ client.fullName }} from {{ city }}' });
  expect(await saidAll()).toEqual(['paragraph(Dear {client.fullName|} from {{ city }})']);
  await named.getByText('{{ city }} is a placeholder').waitFor();
  expect(await named.count()).toBe(2);
});

test('what is written is kept as a draft, and leaving asks', async () => {
  await open();
  await page.getByRole('textbox', { name: 'Subject' }).click();
  await page.keyboard.type('Kept');
  await write('not lost');
  await page.getByText('Draft saved').waitFor();
  await page.reload();
  await page.locator('[data-ready]').waitFor();
  expect(await saidAll()).toEqual(['paragraph(not lost)']);
  expect(await page.getByRole('textbox', { name: 'Subject' }).innerText()).toBe('Kept');
  await page.goto('/messages/new');
  await page.getByText('Your draft of').waitFor();
  await page.goto('/messages/new?as=blocks&starter=letter');
  await page.locator('[data-ready]').waitFor();
  await page.getByRole('textbox', { name: 'Subject' }).click();
  await page.keyboard.type('x');
  const asked = page.waitForEvent('dialog');
  const left = page.goto('/messages');
  const dialog = await asked;
  expect(dialog.type()).toBe('beforeunload');
  await dialog.accept();
  await left;
});

test('what is typed and taken back is no change', async () => {
  await open();
  const before = await page.locator('[name=document]').inputValue();
  await letter().click();
  await page.keyboard.type('x');
  expect(await page.locator('[name=document]').inputValue()).not.toBe(before);
  await page.keyboard.press('Backspace');
  expect(await page.locator('[name=document]').inputValue()).toBe(before);
});

test.each(['light', 'dark'] as const)('nobody is kept out, %s', async (colorScheme) => {
  const visitor = await site.visitor(`axe-${colorScheme}@example.org`, { colorScheme, bypassCSP: true });
  await visitor.page.goto('/messages/new');
  expect(await faultsOf(visitor.page)).toEqual([]);
  await open(visitor.page);
  await letter(visitor.page).click();
  for (const kind of ['Heading', 'Picture', 'Two columns', 'Button', 'Quote', 'Small print', 'Space', 'Social links']) {
    await visitor.page.getByRole('button', { name: 'Add a block' }).click();
    await visitor.page.getByRole('menuitem', { name: kind, exact: true }).click();
    await visitor.page.keyboard.type('Words');
  }
  await visitor.page.getByRole('button', { name: 'Variable' }).click();
  for (const width of [1200, 390, 320]) {
    await visitor.page.setViewportSize({ width, height: 800 });
    expect([width, await faultsOf(visitor.page)]).toEqual([width, []]);
  }
  await visitor.page.keyboard.press('Escape');
  await visitor.context.close();
});

test('the page weighs less than 500 KB over the wire', async () => {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.goto('/messages/new?as=blocks', { waitUntil: 'networkidle' });
  expect(bytes).toBeGreaterThan(50_000);
  expect(bytes).toBeLessThan(500_000);
});

test('the pictures of a letter to begin with are seen where it is chosen, written and previewed', async () => {
  const seen = (on: Locator) =>
    on.evaluateAll((all: HTMLImageElement[]) => all.map(({ naturalWidth }) => naturalWidth > 0));
  await page.goto('/messages/new');
  const choice = page.frameLocator('iframe[title="News"]').locator('img');
  await choice.nth(2).waitFor();
  await expectSoon(() => seen(choice), [true, true, true]);
  await page.goto('/messages/new?as=blocks&starter=news');
  await page.locator('[data-ready]').waitFor();
  await expectSoon(() => seen(letter().locator('img:not(.ProseMirror-separator)')), [true, true, true]);
  const preview = page.frameLocator('iframe[title="Preview"]').locator('img');
  await preview.nth(2).waitFor();
  await expectSoon(() => seen(preview), [true, true, true]);
});

async function expectSoon<T>(read: () => Promise<T>, wanted: T): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline && JSON.stringify(await read()) !== JSON.stringify(wanted))
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await read()).toEqual(wanted);
}
