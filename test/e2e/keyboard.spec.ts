import type { Page } from 'playwright-core';
import { PASSWORD } from '../support/api';
import { eventually } from '../support/service';
import { Site } from '../support/site';

/** What people do most, done by the keyboard alone: everything is reached, and it is seen where one is. */

let site: Site;

beforeAll(async () => {
  site = await Site.start();
});

afterAll(async () => {
  await site.stop();
  expect(site.complaints).toEqual([]);
});

/** More keys than anybody would press on one page. */
const KEYS_MAX = 120;

interface Focused {
  name: string;
  seen: boolean;
}

/** What has the focus, by its name, and whether it can be seen that it has it. */
const focused = (page: Page): Promise<Focused> =>
  page.evaluate(() => {
    const element = document.activeElement as HTMLInputElement | null;
    if (!element || element === document.body) return { name: '', seen: true };
    const words = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent ?? '';
    const around = [element, ...(element.labels ?? [])].map((one) => getComputedStyle(one));
    const isMarked = around.some(({ outlineStyle, boxShadow }) => outlineStyle !== 'none' || boxShadow !== 'none');
    const { width, height, top, bottom } = element.getBoundingClientRect();
    // The editor and frames draw the mark within; so do fields of dates, whose calendar button has the focus by itself.
    const isCalendar = element.matches('input[type^=date]:not(:focus)');
    const isWithin = element.shadowRoot !== null || element.tagName === 'IFRAME' || isCalendar;
    const isThere = width > 0 && height > 0 && bottom > 0 && top < innerHeight;
    return { name: words.replace(/\s+/g, ' ').trim(), seen: isThere && (isMarked || isWithin) };
  });

async function goTo(page: Page, name: string | RegExp, key = 'Tab'): Promise<void> {
  const passed: string[] = [];
  while (passed.length < KEYS_MAX) {
    await page.keyboard.press(key);
    const now = await focused(page);
    passed.push(now.name);
    // The page may be scrolled to it just now.
    if (!now.seen) await eventually(async () => (await focused(page)).seen, `that "${now.name}" is seen`);
    if (typeof name === 'string' ? now.name.startsWith(name) : name.test(now.name)) return;
  }
  throw new Error(`${String(name)} is not reached at ${page.url()}: ${passed.join(' | ')}`);
}

async function press(page: Page, name: string | RegExp): Promise<void> {
  await goTo(page, name);
  await page.keyboard.press('Enter');
}

/** Says yes to a question, which begins at its "Cancel". */
async function confirm(page: Page, name: string | RegExp): Promise<void> {
  await press(page, name);
  await page.locator('dialog[open]').waitFor();
  expect((await focused(page)).name).toBe('Cancel');
  await goTo(page, name, 'Shift+Tab');
  await page.keyboard.press('Enter');
}

async function type(page: Page, name: string, text: string): Promise<void> {
  await goTo(page, name);
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type(text);
}

const flash = (page: Page, words: string) => page.locator('.flash', { hasText: words }).waitFor();
const chip = (page: Page, words: string) => page.locator('main .chip', { hasText: words }).first().waitFor();

test('the ten most common tasks', async () => {
  const { id } = await site.api.person('user', 'keys@example.org');
  const { page, context } = await site.open();

  // 1. Sign in.
  await page.goto('/sign-in');
  await type(page, 'E-mail', 'keys@example.org');
  await type(page, 'Password', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL(`${site.api.url}/`);

  // 2. Add a client.
  await press(page, 'Clients');
  await page.waitForURL(/\/clients$/);
  await press(page, 'New client');
  await page.waitForURL(/\/clients\/new$/);
  await type(page, 'E-mail', 'first@example.org');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/clients\/\d+$/);

  // 3. Import a file.
  await press(page, 'Clients');
  await page.waitForURL(/\/clients$/);
  await press(page, 'Import from a file');
  await page.waitForURL(/\/clients\/import$/);
  await goTo(page, /^File/);
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Space')]);
  await chooser.setFiles({
    name: 'clients.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from('email,full_name\nrefused-one@example.org,One\nsecond@example.org,Second\n'),
  });
  await press(page, 'Upload');
  await page.waitForURL(/\/import\/\d+$/);
  await press(page, 'Import 2 clients now');
  await page.locator('.figure').first().waitFor();

  // 4. Write a message.
  await press(page, 'Messages');
  await page.waitForURL(/\/messages$/);
  await press(page, 'New message');
  await page.waitForURL(/\/messages\/new$/);
  await press(page, 'Write HTML');
  await page.waitForURL(/as=html/);
  await type(page, 'Subject', 'By keys');
  // Through the editor, in which Tab catches nobody.
  await press(page, 'Save');
  await page.waitForURL(/\/messages\/\d+$/);

  // 5. Send a test letter.
  await press(page, 'Send a test letter');
  await flash(page, 'test letter');
  expect((await site.inbox.letterTo('keys@example.org')).mail.subject).toContain('By keys');

  // 6. Make a mailing of it.
  await press(page, 'Make a mailing');
  await page.waitForURL(/\/mailings\/new/);
  await goTo(page, 'By keys');
  await type(page, 'Name', 'All by keys');
  await goTo(page, 'How often');
  await page.keyboard.type('Every week');
  await press(page, 'Save');
  await page.waitForURL(/\/mailings\/\d+$/);
  await chip(page, 'Draft');

  // 7. Schedule it.
  await confirm(page, /^Schedule: first on/);
  await flash(page, 'scheduled');
  await chip(page, 'Scheduled');

  // 8. Pause it, and let it go on.
  await confirm(page, 'Pause');
  await chip(page, 'Paused');
  await confirm(page, 'Resume');
  await chip(page, 'Scheduled');

  // 9. Send it, and see who failed.
  await confirm(page, 'Send now');
  await eventually(
    async () =>
      (await page
        .locator('#run-live h2')
        .innerText()
        .catch(() => '')) === 'Sent to 2 of 3; 1 failed',
    'the end of the sending',
  );
  await press(page, /^Failed \d/);
  await page.waitForURL(/\/runs\/\d+\?status=failed/);
  expect(await page.locator('main tbody').innerText()).toContain('refused-one@example.org');

  // 10. Send it again to those.
  await confirm(page, 'Resend to failed (1)');
  await eventually(
    async () =>
      (await site.api.database.rows(`SELECT FROM runs WHERE owner_id = $1 AND trigger = 'resend'`, [id])).length === 1,
    'the second sending',
  );
  await context.close();
});
