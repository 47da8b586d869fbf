import type { Page } from 'playwright-core';
import { PASSWORD } from '../support/api';
import { OIDC_CLIENT, OidcServer } from '../support/oidc-server';
import { codeOf, forgetSteps } from '../support/second-factor';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';

/** The ways in beside the password alone, as a person goes them in a real browser. */

let site: Site;
let provider: OidcServer;

beforeAll(async () => {
  provider = await OidcServer.start();
  site = await Site.start({
    oidcIssuer: provider.issuer,
    oidcClientId: OIDC_CLIENT.id,
    oidcClientSecret: OIDC_CLIENT.secret,
  });
  // Known only now: where browsers reach the service, and so where the provider sends them back to.
  Object.assign(site.api.config, { publicUrl: site.api.url });
  provider.serve(`${site.api.url}/sign-in/oidc/callback`);
});

afterAll(async () => {
  await site.stop();
  await provider.down();
});

const secretOf = async (page: Page) => (await page.locator('#secret').innerText()).replace(/\s/g, '');
const heading = (page: Page) => page.locator('h1').first().innerText();

/** Fills a form's password and code, and sends it by this button. */
async function prove(page: Page, code: string, button: string) {
  await page.fill('[name=password]', PASSWORD);
  await page.fill('[name=code]', code);
  await page.getByRole('button', { name: button, exact: true }).click();
}

test.each(['light', 'dark'] as const)(
  'a second factor is set up, asked for and switched off; on a phone, in %s colours, also without scripts',
  async (colorScheme) => {
    const { api } = site;
    const email = `phone-${colorScheme}@example.org`;
    const options = { viewport: { width: 390, height: 844 }, colorScheme, bypassCSP: true };
    const { page, context, id } = await site.visitor(email, options);
    await page.goto('/account');
    await page.getByRole('link', { name: 'Second factor' }).click();
    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Set up' }).click();
    expect(await heading(page)).toBe('Set up the second factor');
    expect(await faultsOf(page)).toEqual([]);
    const secret = await secretOf(page);
    const qr = await page.locator('.qr-code').boundingBox();
    expect(qr && qr.width >= 180 && qr.x + qr.width <= 390).toBe(true);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await prove(page, '000', 'Switch on');
    expect(await page.locator('.field-problem').innerText()).toContain('not right');
    expect(await secretOf(page)).toBe(secret);
    await prove(page, await codeOf(api, secret), 'Switch on');
    expect(await heading(page)).toBe('Your recovery codes');
    const [code = ''] = (await page.locator('#recovery-codes').innerText()).trim().split('\n');
    expect(await faultsOf(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.getByRole('link', { name: 'I have kept them' }).click();
    expect(await page.locator('.facts').innerText()).toContain('10');
    expect(await faultsOf(page)).toEqual([]);
    await context.close();

    const other = await site.open({ ...options, javaScriptEnabled: false });
    await other.page.goto('/sign-in?next=/reports');
    await other.page.fill('[name=email]', email);
    await other.page.fill('[name=password]', PASSWORD);
    await other.page.click('main button');
    expect(await heading(other.page)).toBe('Second step');
    await other.page.fill('[name=code]', '123');
    await other.page.click('main button');
    expect(await other.page.locator('[role=alert]').innerText()).toContain('not right');
    await forgetSteps(api, id);
    await other.page.fill('[name=code]', await codeOf(api, secret));
    await other.page.click('main button');
    await other.page.waitForURL(`${api.url}/reports`);
    await other.page.goto('/account/second-factor');
    await prove(other.page, code, 'Switch off');
    expect(await other.page.locator('.flash').innerText()).toBe('The second factor is off.');
    await other.context.close();
  },
  120_000,
);

test('the page that asks for the code is one that all can use', async () => {
  const { api } = site;
  const { page, id } = await site.visitor('asked@example.org', { bypassCSP: true });
  await api.database.affected(`INSERT INTO second_factors (user_id, secret, confirmed_at) VALUES ($1, 'x', now())`, [
    id,
  ]);
  await page.context().clearCookies();
  await page.goto('/sign-in');
  await page.fill('[name=email]', 'asked@example.org');
  await page.fill('[name=password]', PASSWORD);
  await page.click('main button');
  expect(await heading(page)).toBe('Second step');
  expect(await faultsOf(page)).toEqual([]);
  await page.context().close();
});

test('somebody signs in by the provider, and links an account to theirs', async () => {
  const { api } = site;
  const email = 'linked@example.org';
  const person = await api.person('user', email);
  provider.account = { sub: 'linked', email, email_verified: true };
  const { page, context } = await site.open();
  await page.goto('/sign-in?next=/reports');
  await page.getByRole('button', { name: `Sign in with 127.0.0.1:${provider.port}` }).click();
  await page.waitForURL(`${api.url}/reports`);
  await page.goto('/account/provider');
  expect(await page.locator('.line').innerText()).toContain(`127.0.0.1:${provider.port}`);
  await prove(page, '', 'Unlink');
  expect(await page.locator('.flash').innerText()).toBe('Unlinked.');
  // Nobody is signed in at the provider any more.
  await context.clearCookies({ name: /^_session/ });
  provider.account = { sub: 'another', email: 'elsewhere@example.org', email_verified: false };
  await page.fill('[name=password]', PASSWORD);
  await page.getByRole('button', { name: /Link an account/ }).click();
  await page.waitForURL(`${api.url}/account/provider`);
  expect(await page.locator('.flash').innerText()).toBe('Linked.');
  expect(await api.database.rows('SELECT subject FROM identities WHERE user_id = $1', [person.id])).toEqual([
    { subject: 'another' },
  ]);
  await context.close();
});

test('the pages of the provider are ones that all can use, and say what goes wrong', async () => {
  const { page, context } = await site.visitor('looks@example.org', { bypassCSP: true });
  await page.goto('/account/provider');
  expect(await faultsOf(page)).toEqual([]);
  await page.goto('/account');
  expect(await faultsOf(page)).toEqual([]);
  await context.clearCookies();
  await page.goto('/sign-in');
  expect(await faultsOf(page)).toEqual([]);
  await page.goto('/sign-in/oidc/callback?code=x&state=y');
  expect(await page.locator('[role=alert]').innerText()).toContain('Start again');
  expect(await faultsOf(page)).toEqual([]);
  await context.close();
});

test('nothing that a page wanted was forbidden to it', () => {
  expect(site.complaints).toEqual([]);
});
