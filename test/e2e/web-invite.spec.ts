import type { Page } from 'playwright-core';
import { PASSWORD } from '../support/api';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';

/** Somebody is let in by e-mail while registration is closed, and what they did is found in the audit log. */

let site: Site;

beforeAll(async () => {
  site = await Site.start({ registration: 'closed' });
});

afterAll(() => site.stop());

const shot = async (page: Page, name: string) => {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: true });
};

test.each([
  [true, { width: 1280, height: 800 }],
  [false, { width: 360, height: 780 }],
])('a manager invites, the guest comes in (JavaScript: %s)', async (javaScriptEnabled, viewport) => {
  const [boss, guest] = [`boss${viewport.width}@example.org`, `guest${viewport.width}@example.org`];
  await site.api.person('manager', boss);
  const look = async (page: Page, name: string) => {
    await shot(page, `invite-${viewport.width}-${name}`);
    if (javaScriptEnabled) expect([name, await faultsOf(page)]).toEqual([name, []]);
  };
  const inside = await site.open({ javaScriptEnabled, viewport, bypassCSP: true });
  const { page } = inside;
  await site.signIn(page, boss);
  await page.goto('/users');
  await page.getByRole('link', { name: 'Invite' }).click();
  // A manager gives no roles: there is nothing to choose.
  expect(await page.locator('[name=role]').count()).toBe(0);
  await look(page, 'form');
  await page.fill('[name=email]', 'nonsense');
  await page.getByRole('button', { name: 'Send the invitation' }).click();
  expect(await page.locator('.field-problem').count()).toBe(1);
  await page.fill('[name=email]', guest);
  await page.fill('[name=fullName]', 'Guest');
  await page.getByRole('button', { name: 'Send the invitation' }).click();
  expect(await page.locator('.flash').innerText()).toBe('An invitation is on its way.');
  expect(await page.locator('h1 .chip').innerText()).toBe('Invited');
  await look(page, 'user');

  const { token, mail } = await site.inbox.letterTo(guest);
  expect(mail.text).toContain(`/invitation?token=${token}`);
  const outside = await site.open({ javaScriptEnabled, viewport, bypassCSP: true, timezoneId: 'Asia/Yerevan' });
  await outside.page.goto(`/invitation?token=${token}`);
  await look(outside.page, 'welcome');
  await outside.page.fill('[name=password]', 'short');
  await outside.page.getByRole('button', { name: 'Set the password' }).click();
  expect(await outside.page.locator('.field-problem').count()).toBe(1);
  await outside.page.fill('[name=password]', PASSWORD);
  await outside.page.getByRole('button', { name: 'Set the password' }).click();
  expect(await outside.page.locator('.flash').innerText()).toBe('Welcome. Sign in with your new password.');
  await site.signIn(outside.page, guest);
  await outside.page.goto('/account');
  expect(await outside.page.inputValue('[name=fullName]')).toBe('Guest');
  if (javaScriptEnabled) expect(await outside.page.inputValue('[name=timeZone]')).toBe('Asia/Yerevan');
  await outside.page.goto(`/invitation?token=${token}`);
  expect(await outside.page.locator('h1').innerText()).toBe('This link does not work any more');

  await page.reload();
  expect(await page.locator('h1 .chip').innerText()).toBe('Active');
  await page.getByRole('link', { name: 'What they did' }).click();
  expect(await page.locator('[name=who]').inputValue()).toBe(guest);
  const said = await page.locator('#results tbody').innerText();
  expect(said).toContain('Accepted an invitation');
  expect(said).not.toContain('Invited a user');
  await look(page, 'audit');
  await inside.context.close();
  await outside.context.close();
  expect(site.complaints).toEqual([]);
});

test('an invitation is sent again, or withdrawn', async () => {
  await site.api.person('admin', 'chief@example.org');
  const { page, context } = await site.open();
  await site.signIn(page, 'chief@example.org');
  await page.goto('/users/invite');
  await page.fill('[name=email]', 'late@example.org');
  await page.selectOption('[name=role]', 'manager');
  await page.selectOption('[name=language]', 'ru');
  await page.getByRole('button', { name: 'Send the invitation' }).click();
  await page.getByRole('button', { name: 'Invite again' }).click();
  const again = await site.inbox.letterTo('late@example.org', 2);
  expect(again.mail.subject).toMatch(/^Вас приглашают в /);
  expect(await page.locator('main').innerText()).toContain('Manager');
  await page.getByRole('button', { name: 'Withdraw the invitation' }).first().click();
  await page.locator('dialog[open] form button').click();
  expect(await page.locator('.flash').innerText()).toBe('The invitation is withdrawn.');
  expect(await page.locator('main').innerText()).not.toContain('late@example.org');
  await context.close();
});
