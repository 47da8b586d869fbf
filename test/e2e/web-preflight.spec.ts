import { generateKeyPairSync } from 'node:crypto';
import { mailingBody, messageBody } from '../support/factories';
import { FakeDns } from '../support/fake-dns';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';

/** What the check has found on the page of a mailing, in a browser. */

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

let dns: FakeDns;
let site: Site;
beforeAll(async () => {
  dns = await FakeDns.start({
    'MX shop.example': ['mx.shop.example'],
    'TXT _dmarc.shop.example': ['v=DMARC1; p=none'],
  });
  site = await Site.start({
    preflight: 'strict',
    dnsServers: [dns.address],
    mailFrom: 'Shop <news@shop.example>',
    dkimDomain: 'shop.example',
    dkimSelector: 'one',
    dkimPrivateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  });
});
afterAll(async () => {
  await site?.stop();
  await dns?.close();
});

it.each([
  ['en', 'light'],
  ['ru', 'dark'],
] as const)('shows what to publish, on a phone and to everybody: %s, %s', async (locale, colorScheme) => {
  const viewport = { width: 360, height: 900 };
  const { page, context, token, id } = await site.visitor(`${locale}@example.com`, { locale, colorScheme, viewport });
  const post = (path: string, body: object) => site.api.call('POST', `/api/v1${path}`, { token, body });
  await site.api.make.clients(id, ['ann@client.example']);
  const body = `<p>Words</p><a href="http://bit.ly/1">https://bank.example</a><img src="data:image/png;base64,AAAA">`;
  const messageId = (await post('/messages', messageBody({ body }))).body.id;
  const mailingId = (await post('/mailings', mailingBody(messageId))).body.id;
  await site.api.database.rows('UPDATE users SET language = $2 WHERE id = $1', [id, locale]);
  await page.goto(`/mailings/${mailingId}`);
  expect(await page.locator('.findings .chip').first().innerText()).toBe(
    locale === 'en' ? 'Blocks' : 'Не даёт отправить',
  );
  expect(await page.locator('.alert > div > .findings > li').count()).toBe(2);
  await page.click('.alert details:not(form details) > summary');
  expect(await page.locator('.alert details .findings > li').count()).toBeGreaterThan(3);
  expect(await page.locator('.dns-record').first().innerText()).toContain('v=spf1 ip4:… ~all');
  for (const width of [360, 1200]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await faultsOf(page)).toEqual([]);
    if (process.env.SHOTS)
      await page.screenshot({ path: `${process.env.SHOTS}/${locale}-${width}.png`, fullPage: true });
  }
  await context.close();
});
