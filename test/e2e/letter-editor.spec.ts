import type { Page } from 'playwright-core';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(async () => {
  await site.stop();
  expect(site.complaints).toEqual([]);
});

const shot = (page: Page, name: string) => page.screenshot({ path: `/tmp/shots/${name}.png`, fullPage: true });

test('look', async () => {
  const { page } = await site.visitor('look@example.org', { viewport: { width: 1200, height: 900 }, bypassCSP: false });
  await page.goto('/messages/new');
  await shot(page, 'start');
  await page.getByText('Empty letter').click();
  await page.locator('[data-ready]').waitFor();
  await shot(page, 'empty');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await shot(page, 'menu');
  await page.getByRole('menuitem', { name: 'Heading' }).click();
  await page.keyboard.type('Spring news');
  await page.getByRole('button', { name: 'Add a block' }).click();
  await page.getByRole('menuitem', { name: 'Picture' }).click();
  await shot(page, 'picture');
  await page.getByLabel('Address of the picture').fill('https://example.org/a.png');
  await page.getByLabel('What it shows').fill('A garden');
  await page.getByRole('button', { name: 'Add a block' }).click();
  await page.getByRole('menuitem', { name: 'Two columns' }).click();
  await page.keyboard.type('Left ');
  await page.getByRole('button', { name: 'Variable' }).click();
  await page.getByRole('menuitem', { name: 'full name' }).click();
  await page.keyboard.type(' and more');
  await page.locator('[data-column]').nth(1).click();
  await page.keyboard.type('Right');
  await page.getByRole('button', { name: 'Add a block' }).click();
  await page.getByRole('menuitem', { name: 'Button' }).click();
  await page.keyboard.type('See all');
  await page.getByLabel('Where it leads').fill('example.org');
  await page.keyboard.press('Enter');
  await shot(page, 'all');
  console.log(await page.locator('[name=document]').inputValue());
  await page.setViewportSize({ width: 390, height: 800 });
  await shot(page, 'all-390');
  console.log(await page.evaluate(() => document.documentElement.scrollWidth));
  console.log(site.complaints);
  await page.context().close();
  const free = await site.visitor('look2@example.org', { bypassCSP: true });
  await free.page.goto('/messages/new?as=blocks');
  await free.page.locator('[data-ready]').waitFor();
  console.log(await faultsOf(free.page));
});
