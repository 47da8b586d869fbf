import type { Page } from 'playwright-core';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';

/** Finding things in a browser: pages of lists, their order, ticks, attempts, and the history of a client. */

let site: Site;

beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

const sql = <T>(text: string, params: unknown[] = []) => site.api.database.rows<T>(text, params);
const rows = (page: Page) => page.locator('#results tbody tr');
const range = (page: Page) => page.locator('.pager .hint').innerText();
const follow = (page: Page, name: string) => page.locator('.pager').getByRole('link', { name }).click();
const addresses = (page: Page) => page.locator('#results td.main-cell > a').allInnerTexts();

/** Somebody with so many clients, `reader1`, `reader2` … */
async function owner(email: string, count: number, options: Parameters<Site['visitor']>[1] = {}) {
  const visitor = await site.visitor(email, options);
  const emails = Array.from({ length: count }, (_, i) => `reader${i + 1}.of${visitor.id}@example.org`);
  return { ...visitor, emails, clientIds: await site.api.make.clients(visitor.id, emails) };
}

test.each([true, false])(
  'a list tells where one is, and leads back as well as on; JavaScript: %s',
  async (javaScriptEnabled) => {
    const { page, context } = await owner(`pages-${javaScriptEnabled}@example.org`, 120, { javaScriptEnabled });
    await page.goto('/clients?sort=email');
    expect(await range(page)).toBe('1–50 of 120');
    const first = await addresses(page);
    await follow(page, 'Next page');
    expect(await range(page)).toBe('51–100 of 120');
    const second = await addresses(page);
    await follow(page, 'Next page');
    expect(await range(page)).toBe('101–120 of 120');
    expect(await page.locator('.pager').getByRole('link', { name: 'Next page' }).count()).toBe(0);
    expect(new Set([...first, ...second, ...(await addresses(page))]).size).toBe(120);
    await follow(page, 'Previous page');
    expect([await range(page), await addresses(page)]).toEqual(['51–100 of 120', second]);
    await follow(page, 'Previous page');
    expect([await range(page), await addresses(page)]).toEqual(['1–50 of 120', first]);
    expect(await page.locator('.pager').getByRole('link', { name: 'Previous page' }).count()).toBe(0);
    // What is searched for has pages of its own; no counter knows how many.
    await follow(page, 'Next page');
    await page.fill('[name=search]', 'reader1');
    if (!javaScriptEnabled) await page.getByRole('button', { name: 'Filter' }).click();
    await page.waitForFunction(() => !location.search.includes('cursor') && location.search.includes('reader1'));
    await page.waitForFunction(() => document.querySelectorAll('#results tbody tr').length === 32);
    expect(await page.locator('.pager').count()).toBe(0);
    expect(new URL(page.url()).searchParams.get('sort')).toBe('email');
    await context.close();
  },
);

test('a list is sorted by its heads, which say how it is sorted, and stay in sight', async () => {
  const { page, context, id } = await owner('sorts@example.org', 60, { viewport: { width: 1300, height: 700 } });
  await sql(`UPDATE clients SET full_name = 'Z' || id WHERE owner_id = $1`, [id]);
  await page.goto('/clients');
  const head = (name: string) => page.getByRole('columnheader', { name });
  const sorted = async () =>
    Object.fromEntries(
      await Promise.all(
        ['E-mail', 'Full name', 'Added'].map(async (name) => [name, await head(name).getAttribute('aria-sort')]),
      ),
    ) as Record<string, string>;
  expect(await sorted()).toEqual({ 'E-mail': 'none', 'Full name': 'none', Added: 'descending' });
  await head('E-mail').getByRole('link').click();
  expect(await sorted()).toEqual({ 'E-mail': 'ascending', 'Full name': 'none', Added: 'none' });
  const up = await addresses(page);
  expect(up).toEqual([...up].sort());
  await follow(page, 'Next page');
  await head('E-mail').getByRole('link').click();
  expect(await sorted()).toEqual({ 'E-mail': 'descending', 'Full name': 'none', Added: 'none' });
  expect(await range(page)).toBe('1–50 of 60');
  await page.mouse.wheel(0, 900);
  await page.waitForFunction(() => window.scrollY > 500);
  expect((await head('E-mail').boundingBox())?.y).toBe(0);
  await context.close();
});

test('all on a page are ticked at once, and ticks stay when a search shows others', async () => {
  const { page, context } = await owner('ticks@example.org', 60);
  await page.goto('/clients');
  const whole = page.getByLabel('Tick all on this page');
  const ticked = () => page.locator('#results td.tick input:checked').count();
  await whole.check();
  expect(await ticked()).toBe(50);
  await page.locator('#results td.tick input').first().uncheck();
  expect(await whole.evaluate((box: HTMLInputElement) => [box.checked, box.indeterminate])).toEqual([false, true]);
  await whole.check();
  await whole.uncheck();
  expect(await ticked()).toBe(0);
  const find = async (text: string, count: number) => {
    await page.fill('[name=search]', text);
    await page.waitForFunction(
      ([part, n]) => {
        const shown = [...document.querySelectorAll('#results tbody tr')];
        return shown.length === n && shown.every((row) => row.textContent?.includes(part));
      },
      [text, count] as const,
    );
  };
  await find('reader11.', 1);
  await whole.check();
  await find('reader22.', 1);
  await page.locator('[data-also-ticked]').waitFor();
  expect(await page.locator('[data-also-ticked]').innerText()).toContain('Also ticked, but not shown here: 1');
  await page.locator('#results td.tick input').check();
  await find('reader33.', 1);
  await page.waitForFunction(() => document.querySelector('[data-count]')?.textContent === '2');
  await whole.check();
  // One that is seen again is not counted any more, and can be unticked.
  await find('reader22.', 1);
  await page.waitForFunction(() => document.querySelectorAll('#results td.tick input:checked').length === 1);
  await page.locator('#results td.tick input').uncheck();
  await find('reader', 50);
  await page.waitForFunction(() => document.querySelectorAll('#results td.tick input:checked').length === 2);
  await find('reader44.', 1);
  await page.waitForFunction(() => document.querySelector('[data-count]')?.textContent === '2');
  await page.locator('details.bulk summary').click();
  await page.fill('#bulk [name=tags]', 'VIP');
  await page.selectOption('#bulk [name=action]', 'delete');
  await page.getByRole('button', { name: 'Apply' }).click();
  const asked = await page.locator('main').innerText();
  expect(asked).toContain('Delete 2 people?');
  expect(asked).toMatch(/reader11\.[^]*reader33\.|reader33\.[^]*reader11\./);
  await context.close();
});

test('the clients of a segment are chosen on the page', async () => {
  const { page, context, id, clientIds, emails } = await owner('segment-pick@example.org', 3);
  await sql(`UPDATE clients SET comment = 'Old friend' WHERE id = $1`, [clientIds[1]]);
  await sql(`INSERT INTO segments (owner_id, name, filter) VALUES ($1, 'With a comment', $2)`, [
    id,
    JSON.stringify({ field: 'comment', op: 'isSet' }),
  ]);
  await page.goto('/clients');
  await page.selectOption('[name=segmentId]', { label: 'With a comment' });
  await page.waitForFunction(() => document.querySelectorAll('#results tbody tr').length === 1);
  expect(await addresses(page)).toEqual([emails[1]]);
  expect(page.url()).toContain('segmentId=');
  await page.reload();
  expect(await addresses(page)).toEqual([emails[1]]);
  await page.selectOption('[name=segmentId]', '');
  await page.waitForFunction(() => document.querySelectorAll('#results tbody tr').length === 3);
  await context.close();
});

/** A run to these clients: the first failed for good, the second will be tried again, the others got it. */
async function run(ownerId: number, clientIds: number[], name: string) {
  const mailingId = await site.api.make.mailing({ ownerId, recipients: () => [], status: 'started', name });
  const runId = await site.api.make.run(mailingId);
  await sql(`UPDATE runs SET status = 'done', paused_at = now() WHERE id = $1`, [runId]);
  await sql(
    `INSERT INTO deliveries (run_id, client_id, email)
     SELECT $1, c.id, c.email FROM unnest($2::bigint[]) WITH ORDINALITY AS u (id, n) JOIN clients c ON c.id = u.id ORDER BY n`,
    [runId, clientIds],
  );
  await sql(
    `UPDATE deliveries d SET attempts = 1, tries = 1, status = s.status,
            reason = CASE s.status WHEN 'failed' THEN 'mailbox_full' END,
            next_attempt_at = CASE s.status WHEN 'deferred' THEN now() + interval '1 hour' END
       FROM unnest($2::bigint[], ARRAY['failed', 'deferred', 'sent', 'sent']) s (id, status)
      WHERE d.run_id = $1 AND d.client_id = s.id`,
    [runId, clientIds],
  );
  await sql(
    `INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status, server_response)
     SELECT d.id, d.run_id, $2, $3, d.client_id, 1, 1, CASE d.status WHEN 'sent' THEN 'ok' ELSE 'failed' END,
            CASE d.status WHEN 'sent' THEN '250 ok' WHEN 'failed' THEN '552 full' ELSE '451 later' END
       FROM deliveries d WHERE d.run_id = $1 ORDER BY d.id`,
    [runId, mailingId, ownerId],
  );
}

test('attempts are found by parts of names, and only those that nobody tries again are red', async () => {
  // Before anybody looks at home, which keeps its numbers for a while.
  const { id, email } = await site.api.person('user', 'attempts@example.org');
  const emails = Array.from({ length: 4 }, (_, i) => `reader${i + 1}.of${id}@example.org`);
  const clientIds = await site.api.make.clients(id, emails);
  await sql(`UPDATE clients SET full_name = 'Ivanova ' || id WHERE id = ANY($1)`, [clientIds.slice(0, 3)]);
  await run(id, clientIds, 'Spring sale');
  await run(id, clientIds.slice(3), 'Autumn');
  const { page, context } = await site.open();
  await site.signIn(page, email);
  await page.goto('/attempts');
  expect(await rows(page).count()).toBe(5);
  await page.fill('[name=client]', 'ivanova');
  await page.waitForFunction(() => document.querySelectorAll('#results tbody tr').length === 3);
  const chips = (): Promise<string[][]> =>
    page
      .locator('#results .chip')
      .evaluateAll((all) => all.map((one) => [one.getAttribute('class') ?? '', one.textContent ?? '']));
  expect(await chips()).toEqual([
    ['chip chip-good', 'Successful'],
    ['chip chip-warn', 'Will be tried again'],
    ['chip chip-bad', 'Not successful'],
  ]);
  await page.fill('[name=client]', '');
  await page.fill('[name=mailing]', 'autu');
  await page.waitForFunction(() => document.querySelectorAll('#results tbody tr').length === 1);
  expect(new URL(page.url()).search).toBe('?mailing=autu');

  // Of today's three that did not go out, two failed for good.
  await page.goto('/');
  const figure = page.locator('.figure', { hasText: 'Failed today' });
  expect(await figure.locator('dd').innerText()).toMatch(/^2\b/);
  await figure.getByRole('link').click();
  await page.waitForURL(/\/attempts/);
  expect((await chips()).map(([look]) => look)).toEqual(['chip chip-bad', 'chip chip-bad']);
  expect(await page.inputValue('[name=status]')).toBe('final');
  expect(await faultsOf(page)).toEqual([]);

  await page.goto(`/attempts?clientId=${clientIds[1]}`);
  expect(await rows(page).count()).toBe(1);
  expect(await page.inputValue('[name=client]')).toContain('reader2.');
  await context.close();
});

test('a client has one history, in pages, also without JavaScript and on a phone', async () => {
  const visit = { javaScriptEnabled: false };
  const { page, context, id, clientIds } = await owner('history@example.org', 2, visit);
  const [clientId = 0] = clientIds;
  for (let i = 0; i < 33; i++) await run(id, [clientId], `Mailing ${i}`);
  await sql(`UPDATE clients SET created_at = now() - interval '1 day' WHERE id = $1`, [clientId]);
  await page.goto(`/clients/${clientId}`);
  expect(await page.locator('main table').count()).toBe(1);
  const history = page.locator('main tbody tr');
  expect(await history.count()).toBe(30);
  expect(await history.first().innerText()).toContain('Mailing 32');
  expect(await range(page)).toBe('1–30');
  await follow(page, 'Next page');
  expect(await history.count()).toBe(4);
  expect(await history.last().innerText()).toContain('Added');
  expect(await range(page)).toBe('31–34 of 34');
  await follow(page, 'Previous page');
  expect(await history.count()).toBe(30);
  await context.close();

  const phone = await site.open({ viewport: { width: 360, height: 740 } });
  await site.signIn(phone.page, 'history@example.org');
  for (const path of [`/clients/${clientId}`, '/clients', '/clients?sort=email', '/attempts']) {
    await phone.page.goto(path);
    expect({ path, faults: await faultsOf(phone.page) }).toEqual({ path, faults: [] });
  }
  await phone.page.goto('/clients');
  await phone.page.selectOption('[name=sort]', 'email');
  await phone.page.waitForURL(/sort=email/);
  await phone.context.close();
  expect(site.complaints).toEqual([]);
});
