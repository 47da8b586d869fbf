import type { Page } from 'playwright-core';
import { eventually } from '../support/service';
import { PASSWORD } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';
import { Site } from '../support/site';

/** Parts of pages that keep themselves fresh, and what they cost. */

let site: Site;

beforeAll(async () => {
  site = await Site.start();
});

afterAll(() => site.stop());

const api = (token: string, path: string, body: object = {}) =>
  site.api.call('POST', `/api/v1${path}`, { token, body });

/** A run that stays under way: its only letter is deferred for a minute. */
async function runUnderWay(token: string): Promise<{ mailingId: number; runId: number }> {
  // On a connection that has served letters a refusal is asked about again at once, on a fresh one.
  site.inbox.refuse = 2;
  await api(token, '/clients', { email: 'later@example.org', fullName: 'Later' });
  const { body: message } = await api(token, '/messages', messageBody());
  const mailing = mailingBody(message.id, { name: 'Slow', period: 'daily' });
  const { body: made } = await api(token, '/mailings', mailing);
  const { body: sent } = await api(token, `/mailings/${made.id}/send`);
  return { mailingId: made.id, runId: Number(sent.runId) };
}

const looks = (page: Page) => page.waitForResponse((response) => /\/live\?/.test(response.url()));

test('a run under way keeps its numbers fresh, rests while hidden, and ends with the run', async () => {
  const { page, token } = await site.visitor('live@example.org');
  const { mailingId, runId } = await runUnderWay(token);
  await page.clock.install();
  await page.goto(`/runs/${runId}?status=deferred`);
  const fresh = looks(page);
  await page.clock.runFor(2_000);
  await fresh;
  await page.locator('#run-live .count-deferred').waitFor();
  expect(await page.locator('#run-live .count-deferred').getAttribute('aria-current')).toBe('true');

  let asked = 0;
  page.on('request', (request) => (asked += /\/live\?/.test(request.url()) ? 1 : 0));
  const hide = (hidden: boolean) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await hide(true);
  await page.clock.runFor(60_000);
  expect(asked).toBe(0);
  const woken = looks(page);
  await hide(false);
  await woken;

  await api(token, `/mailings/${mailingId}/finish`);
  const reloaded = page.waitForEvent('load');
  await page.clock.runFor(2_000);
  await reloaded;
  expect(await page.locator('h1 .chip').innerText()).toBe('Stopped');
  expect(await page.locator('[data-live]').count()).toBe(0);
  await page.context().close();
});

test('a page says how many letters are prepared, renews itself when they begin to go, and says nothing twice', async () => {
  const { page, token } = await site.visitor('stages@example.org');
  const { mailingId, runId } = await runUnderWay(token);
  await page.clock.install();
  const become = async (status: string) => {
    const renewed = page.waitForEvent('load');
    await site.api.database.affected('UPDATE runs SET status = $2 WHERE id = $1', [runId, status]);
    await page.clock.runFor(2_000);
    await renewed;
  };
  const stages = async () =>
    (await page.locator('main .chip').allInnerTexts()).filter((text) => /^(Preparing|Sending)$/.test(text));
  for (const path of [`/mailings/${mailingId}`, `/runs/${runId}`]) {
    await page.goto(path);
    await become('planning');
    expect(await page.locator('#run-live').innerText()).toContain('1 prepared so far');
    const isMailing = path.startsWith('/mailings');
    expect(await stages()).toEqual(isMailing ? ['Sending', 'Preparing'] : ['Preparing']);
    await become('sending');
    expect(await page.locator('#run-live').innerText()).toContain('Going out: 0 of 1');
    expect(await stages()).toEqual(isMailing ? ['Sending', 'Sending'] : ['Sending']);
  }
  await site.api.database.affected(`UPDATE runs SET status = 'planning' WHERE id = $1`, [runId]);
  for (const path of ['/', '/mailings']) {
    await page.goto(path);
    expect(await page.locator('main').innerText()).toContain('1 prepared so far');
    expect(await page.locator('[role=progressbar]').getAttribute('aria-valuetext')).toContain('1 prepared so far');
  }
  await page.goto(`/mailings/${mailingId}`);
  expect(await page.locator('section[aria-labelledby=runs] tbody td.num').allInnerTexts()).toEqual(['–']);
  await page.context().close();
});

test('when the session is over a live page leads to sign in, and back', async () => {
  const { page, token, id } = await site.visitor('over@example.org');
  const { runId } = await runUnderWay(token);
  await page.clock.install();
  await page.goto(`/runs/${runId}`);
  await page.locator('[data-live]').waitFor();
  await site.api.database.affected('DELETE FROM sessions WHERE user_id = $1', [id]);
  await page.clock.runFor(2_000);
  await page.waitForURL(`**/sign-in?next=${encodeURIComponent(`/runs/${runId}`)}`);
  await page.fill('[name=email]', 'over@example.org');
  await page.fill('[name=password]', PASSWORD);
  await page.click('main button');
  await page.waitForURL(`**/runs/${runId}`);
  await page.context().close();
});

test('what is searched for stands in the address, is downloaded, and is there on the way back', async () => {
  const { page, token } = await site.visitor('search@example.org');
  for (const name of ['anna', 'boris'])
    await api(token, '/clients', { email: `${name}@example.org`, fullName: `${name} x` });
  await page.goto('/clients');
  await page.locator('[name=search]').pressSequentially('anna');
  await page.waitForURL('**/clients?search=anna*');
  expect(await page.locator('#csv').getAttribute('href')).toBe('/clients/export.csv?search=anna&searchIn=all');
  expect(await page.locator('#results tbody tr').count()).toBe(1);
  await page.locator('#results tbody a').click();
  await page.waitForURL(/\/clients\/\d+$/);
  await page.goBack();
  await page.waitForURL('**/clients?search=anna*');
  expect(await page.locator('#results tbody tr').count()).toBe(1);
  expect(await page.inputValue('[name=search]')).toBe('anna');
  await page.context().close();
});

test('a page that is left open does not grow', async () => {
  const { page, token } = await site.visitor('open@example.org');
  const { runId } = await runUnderWay(token);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const size = async () => {
    await devtools.send('HeapProfiler.collectGarbage');
    const { metrics } = await devtools.send('Performance.getMetrics');
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? NaN;
    return { nodes: of('Nodes'), listeners: of('JSEventListeners') };
  };
  const lookAgain = async (times: number) => {
    for (let i = 0; i < times; i++) {
      const look = looks(page);
      await page.evaluate(() => document.querySelector('[data-live]')?.dispatchEvent(new Event('wake')));
      await (await look).finished();
    }
    return size();
  };
  // The page is renewed as a whole when the run changes its state.
  const isSending = async () =>
    (await site.api.call('GET', `/api/v1/runs/${runId}`, { token })).body.status === 'sending';
  await eventually(isSending, 'the run is planned');
  await page.goto(`/runs/${runId}`);
  await page.locator('[data-live]').waitFor();
  const before = await lookAgain(20);
  const after = await lookAgain(60);
  // What one look brings is some sixty nodes: ten looks that stayed would be ten times the margin.
  expect(after.nodes).toBeLessThan(before.nodes + 120);
  expect(after.listeners).toBeLessThan(before.listeners + 20);
  await page.context().close();
});

test('a page weighs less than 250 KB over the wire, everything it loads included', async () => {
  const { page, token } = await site.visitor('light@example.org');
  const { mailingId } = await runUnderWay(token);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  for (const path of [
    '/',
    '/reports',
    '/messages/new?as=html',
    '/mailings/new',
    `/mailings/${mailingId}`,
    '/account',
  ]) {
    bytes = 0;
    await page.goto(path, { waitUntil: 'networkidle' });
    expect(bytes).toBeGreaterThan(20_000);
    expect([path, bytes < 250_000]).toEqual([path, true]);
  }
  await page.context().close();
  expect(site.complaints).toEqual([]);
});
