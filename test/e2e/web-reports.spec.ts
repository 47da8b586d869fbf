import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { StatisticsService } from '../../src/features/statistics/statistics.service';
import { Factories } from '../support/factories';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';

/** Charts and reports: drawn by the server, printed, kept as files. */

const DAYS = 30;

let site: Site;

beforeAll(async () => {
  site = await Site.start();
});

afterAll(() => site.stop());

/** Somebody who sent many mailings in the last 30 days, of which some letters failed, some were cut off. */
async function boss(email: string, options: Parameters<Site['visitor']>[1] = {}) {
  const person = await site.visitor(email, options);
  const { database } = site.api;
  const make = new Factories((sql, params) => database.rows(sql, params));
  const mailings: number[] = [];
  for (let i = 0; i < 60; i++)
    mailings.push(
      await make.mailing({ ownerId: person.id, name: `Mailing ${i}: ${'a long name of a newsletter '.repeat(3)}` }),
    );
  await database.affected(
    `INSERT INTO stats (mailing_id, bucket_at, slot, owner_id, sent, failed, unknown, skipped, cancelled, attempts_ok,
       attempts_failed, bounced, complained, unsubscribed)
     SELECT m, date_trunc('day', now()) - d * interval '1 day' + interval '6 hours', 0, $2, 100 + m % 7 * 20 + d * 3, m % 5, 1, 2, 30,
       100, 5, 2, 1, 3 FROM unnest($1::bigint[]) m, generate_series(0, ${DAYS - 1}) d WHERE (m + d) % 9 < 4`,
    [mailings, person.id],
  );
  const reasons = ['user_unknown', 'mailbox_full', 'policy_refused', 'content_refused', 'timeout', 'greylisted'];
  await database.affected(
    `INSERT INTO failure_stats (mailing_id, bucket_at, reason, domain, slot, owner_id, failed)
     SELECT $1, now(), r, 'a-rather-long-name-of-a-domain-' || d || '.example.org', 0, $3, d
       FROM unnest($2::text[]) r, generate_series(1, 12) d`,
    [mailings[0], reasons, person.id],
  );
  // The home page was looked at before.
  await site.api.app.get(StatisticsService, { strict: false }).forget({ userId: person.id, role: 'user' });
  return { ...person, mailings };
}

const shot = async (page: Page, name: string) => {
  if (process.env.SHOTS)
    await page.screenshot({
      path: `${process.env.SHOTS}/${name}.png`,
      clip: { x: 0, y: 0, ...(page.viewportSize() ?? { width: 0 }), height: 2_000 },
      fullPage: true,
    });
};

/** How many pages a PDF has. */
const pagesOf = (pdf: Buffer) => pdf.toString('latin1').match(/\/Type\s*\/Page(?![a-z])/g)?.length;

test('without JavaScript the charts are in the page, and the ranges are links', async () => {
  const { page, context } = await boss('plain@example.org', { javaScriptEnabled: false });
  await page.goto('/');
  expect(await page.locator('svg.chart-drawing .chart-bar').count()).toBe(DAYS);
  await page.goto('/reports');
  expect(await page.locator('#periods-chart-name').textContent()).toBe('Over time');
  expect(await page.locator('#periods-chart-says').textContent()).toMatch(/^Stacked bars, 30 bars from .* Cancelled/);
  const sum = async () => page.locator('.figure dd').first().innerText();
  const ofDays = await sum();
  await page.getByRole('link', { name: 'This year' }).click();
  expect(await page.locator('.presets [aria-current]').innerText()).toBe('This year');
  expect(await page.locator('select[name=by]').inputValue()).toBe('month');
  await page.getByRole('link', { name: 'Last 30 days' }).click();
  expect(await sum()).toBe(ofDays);
  const firstTick = await page.locator('.chart-tick').first().boundingBox();
  const bar = await page.locator('.chart-bar .chart-sent').first().boundingBox();
  expect(firstTick!.x).toBeGreaterThan(0);
  expect(bar!.height).toBeGreaterThan(5);
  await page.getByRole('button', { name: 'Filter' }).click();
  expect(await sum()).toBe(ofDays);
  await page.getByText('Download CSV').click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByText('Domains', { exact: true }).click(),
  ]);
  expect(readFileSync(await download.path(), 'utf8').split('\r\n').length).toBe(14);
  await context.close();
  expect(site.complaints).toEqual([]);
});

test.each([
  ['light', 'en', { width: 1280, height: 900 }],
  ['dark', 'ru', { width: 1280, height: 900 }],
  ['light', 'ru', { width: 360, height: 780 }],
] as const)('reports are readable by everybody, in the %s, in %s', async (colorScheme, language, viewport) => {
  const email = `${colorScheme}-${language}-${viewport.width}@example.org`;
  const { page, context, mailings, token } = await boss(email, { bypassCSP: true, colorScheme, viewport });
  await site.api.call('PATCH', '/api/v1/me', { token, body: { language } });
  for (const path of ['/', '/reports', '/reports?period=last_month', `/mailings/${mailings[0]}`]) {
    await page.goto(path);
    await shot(page, `${colorScheme}-${viewport.width}${path.replace(/\W/g, '_')}`);
    expect([path, await faultsOf(page)]).toEqual([path, []]);
  }
  await context.close();
});

test('a report is one printed page without anything to click, however much is in it', async () => {
  const { page, context, token } = await boss('paper@example.org', { colorScheme: 'dark' });
  await page.goto('/reports');
  await page.setViewportSize({ width: 703, height: 1040 });
  await page.emulateMedia({ media: 'print' });
  await shot(page, 'print');
  for (const [language, path] of [
    ['ru', '/reports'],
    ['en', '/reports?period=this_year'],
    ['en', '/reports'],
  ] as const) {
    await site.api.call('PATCH', '/api/v1/me', { token, body: { language } });
    await page.goto(path);
    const pdf = await page.pdf({
      preferCSSPageSize: true,
      ...(process.env.SHOTS && { path: `${process.env.SHOTS}/report.pdf` }),
    });
    expect([language, path, pagesOf(pdf)]).toEqual([language, path, 1]);
  }
  // As wide as the sheet between its margins.
  await page.setViewportSize({ width: 703, height: 1040 });
  await page.emulateMedia({ media: 'print' });
  await shot(page, 'print');
  for (const control of ['.search', '.presets', '.menu', 'button', '.chart-more', '.more'])
    expect([control, await page.locator(`${control}:visible`).count()]).toEqual([control, 0]);
  expect(await page.locator('.report-mailings tbody tr:visible').count()).toBe(8);
  expect(await page.locator('.print-only').innerText()).toMatch(/^\d+ more mailings are in the CSV file\.$/);
  const background = await page.evaluate(() => getComputedStyle(document.querySelector('.card-box')!).backgroundColor);
  expect(background).toBe('rgb(255, 255, 255)');
  await context.close();
});

test('a chart is a file, as SVG and as PNG, with its words in it', async () => {
  const { page, context, mailings } = await boss('files@example.org');
  const looked = (path: string) =>
    page.evaluate(async (src) => {
      const image = new Image();
      image.src = src;
      await image.decode();
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      const context = canvas.getContext('2d')!;
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let [ink, green] = [0, 0];
      for (let i = 0; i < data.length; i += 4) {
        if (data[i]! < 60 && data[i + 1]! < 60 && data[i + 2]! < 60) ink++;
        if (data[i] === 0x1d && data[i + 1] === 0x91 && data[i + 2] === 0x63) green++;
      }
      return { width: image.naturalWidth, ink: ink > 200, green: green > 1_000 };
    }, path);
  await page.goto('/reports');
  const seen = { ink: true, green: true };
  for (const path of ['/reports/chart', '/chart', `/mailings/${mailings[0]}/chart`]) {
    expect([path, await looked(`${path}.png?period=this_month`)]).toEqual([path, { width: 1_920, ...seen }]);
    expect([path, await looked(`${path}.svg?period=this_month`)]).toEqual([path, { width: 960, ...seen }]);
  }
  const answer = await page.request.get('/reports/chart.png?chart=after');
  expect(answer.headers()['content-disposition']).toBe('attachment; filename="chart.png"');
  if (process.env.SHOTS) {
    const { writeFileSync } = await import('node:fs');
    writeFileSync(`${process.env.SHOTS}/chart.png`, await (await page.request.get('/reports/chart.png')).body());
  }
  await context.close();
});
