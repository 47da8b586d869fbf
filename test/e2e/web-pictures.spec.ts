import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mailingBody, messageBody } from '../support/factories';
import { faultsOf } from '../support/faults';
import { animatedGif, photograph, png } from '../support/pictures';
import { Site } from '../support/site';

/** Pictures and attachments as people take them in, see and remove them, and as letters bring them. */

let site: Site;
let folder: string;
const file = async (name: string, bytes: Promise<Buffer> | Buffer) => {
  writeFileSync(join(folder, name), await bytes);
  return join(folder, name);
};

beforeAll(async () => {
  site = await Site.start();
  folder = mkdtempSync(join(tmpdir(), 'pictures-'));
});
afterAll(async () => {
  await site.stop();
  rmSync(folder, { recursive: true });
});

/** Where screenshots go, if they are wanted. */
const shots = process.env.SCREENSHOTS;
if (shots) mkdirSync(shots, { recursive: true });
const shot = (name: string) => (shots ? { path: join(shots, `${name}.png`), fullPage: true } : null);

test.each(['en', 'ru'])('pictures are added, described, used and deleted, in %s', async (locale) => {
  const visitor = await site.visitor(`${locale}@example.org`, { locale, bypassCSP: true });
  const { page, token } = visitor;
  await site.api.call('PATCH', '/api/v1/me', { token, body: { language: locale } });
  await page.goto('/messages/pictures');
  expect(await page.locator('h1').innerText()).toBe(locale === 'ru' ? 'Картинки' : 'Pictures');
  await page.setInputFiles('[name=file]', [
    await file('Отпуск.jpg', photograph(1_800, 1_200)),
    await file('move.gif', animatedGif(3, 240, 160)),
    await file('logo.png', png(320, 120)),
  ]);
  await page.locator('form[enctype] button').click();
  await page.locator('.flash').waitFor();
  expect(await page.locator('.pictures a span').allInnerTexts()).toEqual(['logo.png', 'move.gif', 'Отпуск.jpg']);
  const loaded = await page.locator('.pictures img').evaluateAll((all) =>
    Promise.all(
      all.map(async (img) => {
        await (img as HTMLImageElement).decode();
        return (img as HTMLImageElement).naturalWidth;
      }),
    ),
  );
  expect(loaded).toEqual([320, 240, 1200]);
  expect(await faultsOf(page)).toEqual([]);
  for (const [width, name] of [
    [1280, 'wide'],
    [320, 'narrow'],
  ] as const) {
    await page.setViewportSize({ width, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    const to = shot(`pictures-${locale}-${name}`);
    if (to) await page.screenshot(to);
  }
  await page.setInputFiles('[name=file]', [
    await file('flag.png', png(90, 60)),
    await file('a.svg', Buffer.from('<svg/>')),
  ]);
  await page.locator('form[enctype] button').click();
  expect(await page.locator('#f-file-problem').innerText()).toContain('JPEG, PNG, GIF, WebP');
  expect(await page.getByRole('alert').innerText()).toMatch(/^[“Ф].*a\.svg/);
  expect(await page.locator('.pictures a span').first().innerText()).toBe('flag.png');
  await page.getByRole('link', { name: 'logo.png' }).click();
  await page.fill('[name=alt]', 'Our sign');
  expect(await faultsOf(page)).toEqual([]);
  const address = await page.inputValue('#address');
  await page.locator('form.narrow button.btn-primary').click();
  expect(await page.locator('.pictures').innerText()).toContain('Our sign');
  const message = (
    await site.api.call('POST', '/api/v1/messages', {
      token: visitor.token,
      body: messageBody({ subject: 'Autumn', body: `<img src="${address}" alt="">` }),
    })
  ).body.id;
  await page.getByRole('link', { name: 'logo.png' }).click();
  await page.locator('[data-dialog=delete]').click();
  await page.locator('dialog[open] button').click();
  expect(await page.getByRole('alert').innerText()).toContain('Autumn');
  await site.api.call('DELETE', `/api/v1/messages/${message}`, { token: visitor.token });
  await page.locator('[data-dialog=delete]').click();
  await page.locator('dialog[open] button').click();
  await page.locator('.flash').waitFor();
  expect(await page.locator('.pictures a span').allInnerTexts()).toEqual(['flag.png', 'move.gif', 'Отпуск.jpg']);
  await visitor.context.close();
});

test('files are attached without JavaScript, and letters and test letters bring them', async () => {
  const visitor = await site.visitor('attach@example.org', { javaScriptEnabled: false });
  const { page, token } = visitor;
  const post = async (path: string, body: object = {}) =>
    (await site.api.call('POST', `/api/v1${path}`, { token, body })).body.id;
  const message = await post('/messages', messageBody());
  await page.goto(`/messages/${message}`);
  await page.getByRole('link', { name: 'Attach files' }).click();
  const price = Buffer.from('%PDF-1.7 prices');
  await page.setInputFiles('[name=file]', [await file('Цены.pdf', price), await file('plan.txt', Buffer.from('plan'))]);
  await page.getByRole('button', { name: 'Attach files' }).click();
  expect(await page.locator('tbody tr').allInnerTexts()).toEqual([
    expect.stringContaining('Цены.pdf'),
    expect.stringContaining('plan.txt'),
  ]);
  const to = shot('attachments');
  if (to) await page.screenshot(to);
  await page.setInputFiles('[name=file]', await file('setup.exe', Buffer.from('MZ')));
  await page.getByRole('button', { name: 'Attach files' }).click();
  const refusal = await page.locator('form[enctype]').innerText();
  expect(refusal).toContain('“setup.exe” was not added');
  expect(await page.locator('#f-file-problem').innerText()).toContain('.exe');
  await page.getByRole('button', { name: 'Remove plan.txt' }).click();
  expect(await page.locator('tbody tr').count()).toBe(1);
  await page.goto(`/messages/${message}`);
  await page.getByRole('link', { name: '1 attachment' }).waitFor();

  await post(`/messages/${message}/test`);
  await post('/clients', { email: 'reader@example.org', fullName: 'Reader' });
  await post(`/mailings/${await post('/mailings', mailingBody(message))}/send`);
  for (const address of ['attach@example.org', 'reader@example.org']) {
    const { mail } = await site.inbox.letterTo(address);
    expect(mail.attachments.map(({ filename, content }) => [filename, content.toString()])).toEqual([
      ['Цены.pdf', price.toString()],
    ]);
  }
  await visitor.context.close();
});

test.each([true, false])(
  'a logo is uploaded and chosen, and what was typed stays, JavaScript: %s',
  async (javaScriptEnabled) => {
    const email = `logo-${javaScriptEnabled}@example.org`;
    const visitor = await site.visitor(email, { javaScriptEnabled });
    const { page, token } = visitor;
    await page.goto('/sender');
    await page.fill('[name=name]', 'Our shop');
    await page.getByRole('button', { name: 'Choose or upload a logo' }).click();
    await page.waitForURL(/\/sender\/logo$/);
    await page.setInputFiles('[name=file]', await file('a.svg', Buffer.from('<svg/>')));
    await page.getByRole('button', { name: 'Upload and use it' }).click();
    expect(await page.locator('#f-file-problem').innerText()).toContain('JPEG, PNG, GIF, WebP');
    await page.setInputFiles('[name=file]', await file('sign.png', png(320, 120)));
    await page.getByRole('button', { name: 'Upload and use it' }).click();
    await page.waitForURL(/\/sender$/);
    expect(await page.inputValue('[name=name]')).toBe('Our shop');
    const sign = await page.inputValue('[name=logo]');
    expect(await page.locator('.logo-look').getAttribute('src')).toBe(new URL(sign).pathname);
    const sender = async () => (await site.api.call('GET', '/api/v1/sender', { token })).body;
    expect(await sender()).toMatchObject({ name: '', logo: '' });
    await page.getByRole('button', { name: 'Save', exact: true }).last().click();
    await page.locator('.flash').waitFor();
    expect(await sender()).toMatchObject({ name: 'Our shop', logo: `media:${sign.slice(-64)}` });

    await page.goto('/sender/logo');
    await page.getByRole('button', { name: 'sign.png' }).click();
    await page.waitForURL(/\/sender$/);
    expect(await page.inputValue('[name=logo]')).toBe(sign);
    await visitor.context.close();
  },
);

test('the pages of the logo keep nobody out, in Russian and on a phone', async () => {
  const { page, context, token } = await site.visitor('logo-ru@example.org', { locale: 'ru', bypassCSP: true });
  await site.api.call('PATCH', '/api/v1/me', { token, body: { language: 'ru' } });
  await page.goto('/sender/logo');
  await page.setInputFiles('[name=file]', await file('знак.png', png(320, 120)));
  await page.getByRole('button', { name: 'Загрузить и взять' }).click();
  await page.locator('.logo-look').waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.setViewportSize({ width: 390, height: 800 });
  for (const at of ['/sender', '/sender/logo']) {
    await page.goto(at);
    expect(await faultsOf(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    const to = shot(`${at.replaceAll('/', '')}-ru-narrow`);
    if (to) await page.screenshot(to);
  }
  await context.close();
});

test('no page complained', () => expect(site.complaints).toEqual([]));
