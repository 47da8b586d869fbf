import type { Page } from 'playwright-core';
import { faultsOf } from '../support/faults';
import { INBOUND_SETTINGS } from '../support/inbound-rig';
import { eventually } from '../support/service';
import { Site } from '../support/site';

/** How letters fare at providers, and the proof letter, on the pages. */

let site: Site;
beforeAll(async () => {
  site = await Site.start(INBOUND_SETTINGS);
});
afterAll(() => site?.stop());

/** Some weeks of letters, of which too many came back. */
async function fill(ownerId: number): Promise<void> {
  await site.api.database.affected(
    `INSERT INTO provider_stats (owner_id, bucket_at, provider, sent, refused, deferred, bounced, soft_bounced, complained)
     SELECT $1, date_trunc('day', now()) - d * interval '1 day' + interval '3 hours', p, s + d * 7, s * r / 1000, s / 80,
            s * b / 1000, s / 90, s * c / 1000
       FROM generate_series(0, 29) d, (VALUES ('google', 4200, 4, 3, 0), ('microsoft', 1900, 31, 8, 2),
         ('mailru', 2400, 2, 26, 4), ('yandex', 1600, 3, 4, 0), ('other', 800, 12, 9, 0)) v(p, s, r, b, c)
      WHERE d % 7 < 5`,
    [ownerId],
  );
}

test.each([
  ['light', 'en', 1200],
  ['dark', 'en', 1200],
  ['light', 'ru', 390],
  ['dark', 'ru', 320],
] as const)(
  'in the %s, in %s, %d px wide, everybody can read how letters fare',
  async (colorScheme, language, width) => {
    const email = `fares-${colorScheme}-${width}@example.org`;
    const { page, context, id, token } = await site.visitor(email, {
      bypassCSP: true,
      colorScheme,
      viewport: { width, height: 900 },
    });
    await site.api.call('PATCH', '/api/v1/me', { token, body: { language } });
    await page.goto('/deliverability');
    expect(await page.locator('.empty').count()).toBe(1);
    expect(await faultsOf(page)).toEqual([]);
    await fill(id);
    await page.goto('/reports');
    await page.locator('main a[href="/deliverability"]').click();
    await page.waitForURL(/\/deliverability$/);
    await shot('deliverability', page, `${colorScheme}-${width}`);
    expect(await faultsOf(page)).toEqual([]);
    expect(await page.locator('.rows tbody tr').count()).toBe(5);
    // In words, and not by colour alone.
    const words = await page.locator('main').innerText();
    for (const part of language === 'en'
      ? ['Too high', 'High', 'not told', '0.36%']
      : ['Слишком много', 'не сообщает', '0,36 %'])
      expect(words.replaceAll('\u00a0', ' ')).toContain(part);
    await page.locator('.presets a').first().click();
    await page.waitForURL(/days=7/);
    expect(await page.locator('#answers-chart-says').textContent()).toContain('7');
    await context.close();
  },
);

test('a manager chooses whose letters, and prints', async () => {
  const owner = await site.api.person();
  await fill(owner.id);
  const boss = await site.api.person('manager');
  const { page, context } = await site.open({ javaScriptEnabled: false });
  await site.signIn(page, boss.email);
  await page.goto('/deliverability');
  const sum = () => page.locator('.figure dd').first().innerText();
  const all = await sum();
  await page.selectOption('select[name=ownerId]', { value: String(owner.id) });
  await page.getByRole('button', { name: 'Filter' }).click();
  expect(await sum()).not.toBe(all);
  const file = await page.request.get(`/deliverability/providers.csv?ownerId=${owner.id}`);
  expect((await file.text()).split('\r\n').length).toBe(7);
  await page.emulateMedia({ media: 'print' });
  for (const control of ['.search', '.presets', '.menu', '.actions'])
    expect([control, await page.locator(`${control}:visible`).count()]).toEqual([control, 0]);
  await context.close();
});

test.each([
  ['light', 1200],
  ['dark', 390],
] as const)(
  'a proof letter is sent from the page, which shows by itself what arrived: %s',
  async (colorScheme, width) => {
    const boss = await site.api.person('manager');
    const { page, context } = await site.open({ bypassCSP: true, colorScheme, viewport: { width, height: 900 } });
    await site.signIn(page, boss.email);
    await site.api.database.affected('DELETE FROM proof_letters');
    await page.goto('/status');
    await page.getByRole('link', { name: 'What a proof letter shows' }).click();
    await page.getByRole('button', { name: 'Send a proof letter' }).click();
    const address = await eventually(async () => {
      const [row] = await site.api.database.rows<{ address: string }>(
        `SELECT address FROM proof_letters WHERE state = 'sent'`,
      );
      return row?.address;
    }, 'sending');
    await page.getByText('On its way').waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await shot('proof-waiting', page, `${colorScheme}-${width}`);
    const { mail } = await site.inbox.letterTo(address);
    // What a bad mail server on the way makes of it.
    const raw =
      `Authentication-Results: mx.example.net; dkim=none; spf=softfail smtp.mailfrom=relay.example\r\n` +
      `From: ${mail.from!.text}\r\nMessage-ID: <1@relay.example>\r\nSubject: x\r\n` +
      `Content-Type: text/plain; charset=utf-8\r\n\r\n${mail.text ?? ''}`;
    const answer = await fetch(
      `${site.api.url}/api/v1/inbound?to=${encodeURIComponent(address)}&from=b@relay.example`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${boss.token}`, 'content-type': 'message/rfc822' },
        body: raw,
      },
    );
    expect(answer.status).toBe(202);
    await page.getByText('Came back', { exact: true }).first().waitFor();
    const words = await page.locator('main').innerText();
    for (const part of ['b@relay.example', '<1@relay.example>', 'Leave BOUNCE_ADDRESS empty', 'spf=softfail'])
      expect(words).toContain(part);
    expect(await faultsOf(page)).toEqual([]);
    await shot('proof', page, `${colorScheme}-${width}`);
    await page.goto('/status');
    expect(await page.locator('main').innerText()).toContain('Proven');
    await context.close();
    expect(site.complaints).toEqual([]);
  },
);

async function shot(name: string, page: Page, variant: string): Promise<void> {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}-${variant}.png`, fullPage: true });
}
