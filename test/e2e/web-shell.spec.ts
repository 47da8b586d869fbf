import { get } from 'node:http';
import type { Page } from 'playwright-core';
import { mailingBody, messageBody } from '../support/factories';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';

/** What surrounds every page: notices, menus, the font, sizes for fingers, weight, the clock, and the way to the queues. */

let site: Site;

beforeAll(async () => {
  site = await Site.start();
});

afterAll(async () => {
  await site.stop();
});

const post = async ({ token }: { token: string }, path: string, body: object = {}) =>
  (await site.api.call('POST', `/api/v1${path}`, { token, body })).body.id;

/** A mailing that goes out every day, to one client. */
async function daily(visitor: { token: string }): Promise<number> {
  await post(visitor, '/clients', { email: 'reader@example.org', fullName: 'Reader' });
  const message = await post(visitor, '/messages', messageBody());
  const startAt = new Date(Date.now() + 86_400_000).toISOString();
  const id = await post(visitor, '/mailings', mailingBody(message, { name: 'Daily', period: 'daily', startAt }));
  await post(visitor, `/mailings/${id}/start`);
  return id;
}

const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent?.trim());

test('what was refused is read on the page on which it was asked for', async () => {
  const visitor = await site.visitor('refused@example.org', { bypassCSP: true });
  const { page } = visitor;
  const id = await daily(visitor);
  await page.goto(`/mailings/${id}`);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  // Meanwhile in another tab.
  await post(visitor, `/mailings/${id}/finish`);
  await page.locator('dialog[open] form button').click();
  await page.getByRole('alert').waitFor();
  expect(page.url()).toBe(`${site.api.url}/mailings/${id}`);
  expect(await page.getByRole('alert').innerText()).toBe('This mailing is finished.');
  expect(await focused(page)).toBe('This mailing is finished.');
  expect(await page.locator('.flash').count()).toBe(0);
  expect(await faultsOf(page)).toEqual([]);
  await page.reload();
  expect(await page.getByRole('alert').count()).toBe(0);
  await visitor.context.close();
});

test('menus close by Escape and by a click outside, and the focus is back on their button', async () => {
  const visitor = await site.visitor('menus@example.org');
  const { page } = visitor;
  await page.goto(`/mailings/${await daily(visitor)}`);
  const more = page.locator('details.more');
  const isOpen = (of = more) => of.evaluate((details) => (details as HTMLDetailsElement).open);
  await more.locator('summary').click();
  expect(await isOpen()).toBe(true);
  await page.keyboard.press('Tab');
  expect(await focused(page)).toBe('Edit');
  await page.keyboard.press('Escape');
  expect([await isOpen(), await focused(page)]).toEqual([false, 'More']);
  await more.locator('summary').click();
  await page.locator('h1').click();
  expect(await isOpen()).toBe(false);
  // A question within a menu closes alone.
  await more.locator('summary').click();
  await page.locator('[data-dialog=delete]').click();
  await page.keyboard.press('Escape');
  expect([await page.locator('dialog[open]').count(), await isOpen(), await focused(page)]).toEqual([
    0,
    true,
    'Delete',
  ]);

  await page.goto('/clients');
  const bulk = page.locator('details.bulk');
  await bulk.locator('summary').click();
  // One ticks clients in the list while it is open.
  await page.locator('td.tick input').first().check();
  expect(await isOpen(bulk)).toBe(true);
  await page.keyboard.press('Escape');
  expect([await isOpen(bulk), await focused(page)]).toEqual([false, 'Change many at once']);
  const columns = page.locator('details.columns-pick');
  await columns.locator('summary').click();
  await page.keyboard.press('Escape');
  expect(await isOpen(columns)).toBe(false);
  await visitor.context.close();
});

test("the browser's time zone is taken at the first sign-in, and shown", async () => {
  const { page, context } = await site.visitor('zone@example.org', { timezoneId: 'Asia/Yerevan' });
  expect(await page.locator('.flash').innerText()).toContain('time zone of your browser');
  expect(await page.locator('.zone').innerText()).toBe('Times are in Asia/Yerevan');
  await page.goto('/account');
  expect(await page.inputValue('[name=timeZone]')).toBe('Asia/Yerevan');
  await page.fill('[name=timeZone]', 'athens');
  await page.click('form[action="/account"] button');
  expect(await page.locator('.zone').innerText()).toBe('Times are in Europe/Athens');
  await context.close();
});

test.each(['light', 'dark'] as const)(
  'a first page and empty lists hold nothing that keeps people out, %s',
  async (colorScheme) => {
    const { page, context } = await site.visitor(`first-${colorScheme}@example.org`, { colorScheme, bypassCSP: true });
    for (const path of ['/', '/clients', '/mailings', '/segments', '/forms', '/messages', '/clients/4711']) {
      await page.goto(path);
      expect([path, await faultsOf(page)]).toEqual([path, []]);
    }
    await context.close();
  },
);

test('the font is the one that is shipped, with Cyrillic letters, and fetched only as far as it is needed', async () => {
  const visitor = await site.visitor('font@example.org');
  const { page } = visitor;
  const devtools = await page.context().newCDPSession(page);
  // A font that another page has left in memory is taken from there, asked for or not.
  await devtools.send('Network.enable');
  await devtools.send('Network.setCacheDisabled', { cacheDisabled: true });
  const fontsOf = async () => {
    await page.evaluate(() => document.fonts.ready);
    return page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .map(({ name }) => /golos-text-([a-z-]+)-wght/.exec(name)?.[1])
        .filter((name) => name !== undefined)
        .sort(),
    );
  };
  await page.goto('/clients');
  expect([...new Set(await fontsOf())]).toEqual(['latin']);
  await site.api.call('PATCH', '/api/v1/me', { token: visitor.token, body: { language: 'ru' } });
  await page.goto('/clients');
  expect([...new Set(await fontsOf())]).toEqual(['cyrillic', 'latin']);
  await devtools.send('DOM.enable');
  await devtools.send('CSS.enable');
  const { root } = await devtools.send('DOM.getDocument');
  const { nodeId } = await devtools.send('DOM.querySelector', { nodeId: root.nodeId, selector: 'h1' });
  const { fonts } = await devtools.send('CSS.getPlatformFontsForNode', { nodeId });
  expect(fonts.map(({ familyName, isCustomFont }) => [familyName, isCustomFont])).toEqual([['Golos Text', true]]);
  await visitor.context.close();
});

/** The bytes of an answer with its headers, in Brotli, which browsers take over HTTPS only, and pages are served by that. */
const weigh = (url: string, cookie: string): Promise<number> =>
  new Promise((resolve, reject) => {
    get(url, { headers: { cookie, 'accept-encoding': 'br' } }, (answer) => {
      let bytes = answer.rawHeaders.join('\r\n').length;
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length));
      answer.on('end', () => resolve(bytes)).on('error', reject);
    }).on('error', reject);
  });

test.each(['en', 'ru'] as const)(
  'a page weighs less than 100 KB over the wire, font included, %s',
  async (language) => {
    const visitor = await site.visitor(`weight-${language}@example.org`);
    const { page } = visitor;
    const id = await daily(visitor);
    await site.api.call('PATCH', '/api/v1/me', { token: visitor.token, body: { language } });
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Network.enable');
    await devtools.send('Network.setCacheDisabled', { cacheDisabled: true });
    const urls = new Set<string>();
    devtools.on(
      'Network.requestWillBeSent',
      ({ request }) => void (/^http/.test(request.url) && urls.add(request.url)),
    );
    for (const path of ['/', '/mailings', `/mailings/${id}`, '/mailings/new', '/clients', '/reports', '/account']) {
      urls.clear();
      await page.goto(path, { waitUntil: 'networkidle' });
      const cookies = await page.context().cookies();
      const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
      let bytes = 0;
      for (const url of urls) bytes += await weigh(url, cookie);
      expect(bytes).toBeGreaterThan(20_000);
      expect([path, bytes < 100_000 ? '' : bytes]).toEqual([path, '']);
    }
    await visitor.context.close();
  },
);

/** What is smaller than a finger: buttons, inputs, links of menus; not links within a text. */
const TOO_SMALL = `[...document.querySelectorAll('main .btn, main input, main select, main summary, .topbar .btn, .menu .places a, .who > *, .zone a')]
  .filter((element) => element.checkVisibility() && element.type !== 'hidden')
  .map((element) => [element, (/^(radio|checkbox)$/.test(element.type) && element.closest('.form-check, label, td')) || element])
  .map(([element, box]) => [element.outerHTML.slice(0, 90), Math.round(box.getBoundingClientRect().height)])
  .filter(([, height]) => height < 44)`;

test('on a phone everything to be touched is large enough for a finger', async () => {
  const phone = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true };
  const visitor = await site.visitor('finger@example.org', phone);
  const { page } = visitor;
  const id = await daily(visitor);
  const mailing = (await site.api.call('GET', `/api/v1/mailings/${id}`, visitor)).body;
  // Words of people, of some length.
  const tags = ['People who came to our fair last year and left their address there'];
  const client = await post(visitor, '/clients', { email: 'tagged@example.org', tags });
  const detail = 'Asked for it by phone, and rather angrily, on the first of April';
  await post(visitor, '/suppressions', { email: 'angry@example.org', detail });
  for (const path of [
    '/',
    '/suppressions',
    `/clients/${client}`,
    '/mailings',
    `/mailings/${id}`,
    '/mailings/new',
    '/clients',
    `/messages/${Number(mailing.messageId)}`,
    '/account',
    '/#menu',
  ]) {
    // There is no answer if the address differs only after its "#".
    expect((await page.goto(path))?.status() ?? 200).toBe(200);
    expect([path, await page.evaluate(TOO_SMALL)]).toEqual([path, []]);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect([path, wide]).toEqual([path, 0]);
    // A word that is torn into a column of letters.
    const cells = await page.locator('.rows td').evaluateAll((all) => all.map((cell) => cell.clientHeight));
    expect([path, cells.filter((height) => height > 160)]).toEqual([path, []]);
    // Words and links of one cell in columns of their own beside its head.
    const torn = await page.locator('.rows td').evaluateAll((all) =>
      all
        .filter((cell) => getComputedStyle(cell).display === 'flex')
        .map((cell) => [...cell.childNodes].filter(({ textContent }) => textContent?.trim()).length)
        .filter((parts) => parts > 1),
    );
    expect([path, torn]).toEqual([path, []]);
  }
  // On paper, which is as narrow, the same cells stand in columns: none is missing.
  await page.emulateMedia({ media: 'print' });
  await page.goto('/clients');
  const shown = await page.locator('.rows td').evaluateAll((all) => all.map((cell) => getComputedStyle(cell).display));
  expect([...new Set(shown)]).toEqual(['table-cell']);
  await visitor.context.close();
});

test('the rows of a list are 44 px high at least, and a page has five sizes of letters', async () => {
  const visitor = await site.visitor('rows@example.org', { viewport: { width: 1360, height: 900 } });
  const { page } = visitor;
  const id = await daily(visitor);
  const sizes = new Set<string>();
  for (const path of ['/', '/mailings', `/mailings/${id}`, '/mailings/new', '/clients', '/account', '/reports']) {
    await page.goto(path);
    const found = await page.evaluate(() => {
      const texts = [...document.querySelectorAll<HTMLElement>('body *')].filter((element) =>
        [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim()),
      );
      return {
        rows: [...document.querySelectorAll('.rows tbody tr')].map((row) => row.getBoundingClientRect().height),
        sizes: texts.filter((text) => text.checkVisibility()).map((text) => getComputedStyle(text).fontSize),
      };
    });
    for (const height of found.rows) expect(height).toBeGreaterThanOrEqual(44);
    for (const size of found.sizes) sizes.add(size);
  }
  expect([...sizes].sort()).toEqual(['13px', '15px', '18px', '24px', '32px']);
  await visitor.context.close();
});

test('the queues are looked at from the status page, in a tab of their own, with a way back', async () => {
  const manager = await site.api.person('manager', 'board@example.org');
  const { page, context } = await site.open();
  await site.signIn(page, manager.email);
  expect(await page.locator('.menu a[href="/queues"]').count()).toBe(0);
  await page.goto('/status');
  const [board] = await Promise.all([
    context.waitForEvent('page'),
    page.getByRole('link', { name: 'See the jobs in the queues' }).click(),
  ]);
  await board.getByText('Queues of Gonets').first().waitFor();
  await board.getByRole('link', { name: 'delivery' }).first().waitFor();
  const back = board.locator('a[href="/status"]');
  if (!(await back.first().isVisible())) await board.locator('header button').last().click();
  await back.first().click();
  await board.getByRole('heading', { name: 'Status', exact: true }).waitFor();
  await context.close();
  expect(site.complaints).toEqual([]);
});
