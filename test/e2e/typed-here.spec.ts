import type { Page } from 'playwright-core';
import { messageBody } from '../support/factories';
import { Site } from '../support/site';

/** Text that only the browser has: what it has no room for, what is old, and what another window looks after. */

let site: Site;

beforeAll(async () => {
  site = await Site.start();
});

afterAll(async () => {
  await site.stop();
  expect(site.complaints).toEqual([]);
});

const note = (page: Page) => page.locator('[data-kept-note]');
const unsent = (page: Page) => page.locator('[data-kept-unsent]');
const press = (page: Page, name: string | RegExp) => page.locator('main').getByRole('button', { name }).first().click();

async function messageOf(token: string): Promise<string> {
  const body = messageBody({ subject: 'Before' });
  return `/messages/${(await site.api.call('POST', '/api/v1/messages', { token, body })).body.id}`;
}

const fieldsOf = async (userId: number, page: string) =>
  (
    await site.api.database.first<{ fields: Record<string, string> }>(
      'SELECT fields FROM form_drafts WHERE user_id = $1 AND page = $2',
      [userId, page],
    )
  )?.fields;

/** Lets the service take no drafts. */
const busy = (page: Page) => page.route('**/drafts', (route) => route.fulfill({ status: 429, body: '' }));

test('a browser with room for an older text only does not say that it keeps the newer one', async () => {
  const { page, context, token, id } = await site.visitor('full@example.org');
  const at = await messageOf(token);
  await page.goto(at);
  await page.frameLocator('iframe.letter:not(.without-pictures)').locator('p').first().waitFor();
  await page.evaluate(() => {
    localStorage.setItem('room', 'x'.repeat(4_000));
    for (let length = 2 ** 22; length >= 1; length /= 2) {
      try {
        localStorage.setItem(`full-${length}`, 'x'.repeat(length));
      } catch {
        // There is no room for so much.
      }
    }
    localStorage.removeItem('room');
  });
  await busy(page);
  await page.locator('details.field summary').click();
  await page.fill('[name=bodyText]', 'Short');
  await note(page).getByText('kept in this browser').waitFor();
  await page.fill('[name=bodyText]', 'Longer '.repeat(1_000));
  await note(page).getByText('Leave this page open').waitFor();
  // When the session is over, it sends the newer text, which the service keeps.
  await page.unroute('**/drafts');
  await site.api.database.rows(`UPDATE sessions SET expires_at = now() - interval '1 minute' WHERE user_id = $1`, [id]);
  await press(page, 'Save');
  await page.waitForURL(/\/sign-in\?/);
  expect((await fieldsOf(id, at))?.bodyText).toBe('Longer '.repeat(1_000));
  await context.close();
});

test('text that goes on from the draft comes back without a question, other text with one', async () => {
  const { page, context, token, id } = await site.visitor('on@example.org');
  const at = await messageOf(token);
  const subject = (of: Page, value: string) =>
    of.waitForFunction((text) => document.querySelector<HTMLInputElement>('[name=subject]')?.value === text, value);
  /** Types what becomes a draft, then what the service does not get, and closes the page. */
  const type = async (on: Page, draft: string, more: string) => {
    await on.goto(at);
    await on.fill('[name=subject]', draft);
    await note(on).getByText('Draft saved').waitFor();
    await busy(on);
    await on.fill('[name=subject]', more);
    await note(on).getByText('kept in this browser').waitFor();
  };
  await type(page, 'Begun', 'Begun, and more');
  await page.close({ runBeforeUnload: false });
  const again = await context.newPage();
  await again.goto(at);
  await subject(again, 'Begun, and more');
  expect(await unsent(again).count()).toBe(0);
  expect((await fieldsOf(id, at))?.subject).toBe('Begun, and more');
  // What was typed after an earlier draft goes on from that one only.
  await type(again, 'One', 'One, and more');
  const other = await context.newPage();
  await other.goto(at);
  await other.fill('[name=subject]', 'Two');
  await note(other).getByText('Draft saved').waitFor();
  await again.close({ runBeforeUnload: false });
  await other.close({ runBeforeUnload: false });
  const third = await context.newPage();
  await third.goto(at);
  await unsent(third).waitFor();
  await subject(third, 'Two');
  await context.close();
});

test('texts of pages that were opened more than thirty days ago are not kept any longer', async () => {
  const { page, context, token, id } = await site.visitor('old@example.org');
  const at = await messageOf(token);
  await page.goto('/messages');
  const places = await page.evaluate(
    ([user, form]) => {
      const daysAgo = (days: number) => Date.now() - days * 86_400_000;
      const made = [31, 29].flatMap((days) => [
        `gonets-draft:${user}:${form}#${daysAgo(days)}.0.5`,
        `gonets-draft:${user}:/clients/new#${daysAgo(days)}.0.5`,
      ]);
      for (const place of made) localStorage.setItem(place, `subject=Of+${place}`);
      localStorage.setItem('something-else#1.0.5', 'stays');
      return made;
    },
    [String(id), at] as const,
  );
  await busy(page);
  await page.goto(at);
  await unsent(page).waitFor();
  const left = await page.evaluate(() => Object.keys(localStorage).sort());
  expect(left).toEqual([...places.slice(2), 'something-else#1.0.5'].sort());
  await context.close();
});

test('a window leaves the text of one that was opened later alone', async () => {
  const { page, context, token } = await site.visitor('later@example.org');
  const at = await messageOf(token);
  await page.goto(at);
  await busy(page);
  await page.fill('[name=subject]', 'Left behind');
  await note(page).getByText('kept in this browser').waitFor();
  await page.close({ runBeforeUnload: false });

  const [early, later] = [await context.newPage(), await context.newPage()];
  await busy(early);
  await early.goto(at);
  await unsent(early).waitFor();
  await later.goto(at);
  await later.waitForFunction(
    () => document.querySelector<HTMLInputElement>('[name=subject]')?.value === 'Left behind',
  );
  await busy(later);
  await later.fill('[name=subject]', 'Typed later');
  await note(later).getByText('kept in this browser').waitFor();
  const kept = () =>
    later.evaluate(() => Object.values<string>(localStorage).filter((text) => text.includes('Typed+later')));
  expect(await kept()).toHaveLength(1);
  // The bar may have gone by itself.
  await early
    .getByRole('button', { name: 'Discard it' })
    .click({ timeout: 1_000 })
    .catch(() => undefined);
  await unsent(early).waitFor({ state: 'detached' });
  expect(await kept()).toHaveLength(1);
  await context.close();
});
