import { InboundLetters } from '../../src/features/inbound/inbound-letters.service';
import { dsn } from '../support/inbound-letters';
import { INBOUND_SETTINGS, sentTo, type SentLetter } from '../support/inbound-rig';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';
import { eventually } from '../support/service';

/** Letters that came back, on the pages. */

let site: Site;
beforeAll(async () => {
  site = await Site.start(INBOUND_SETTINGS);
});
afterAll(() => site?.stop());

test.each([
  ['en', 'Incoming', 'Bounced', 'there is no such mailbox'],
  ['ru', 'Входящие', 'Вернулось', 'нет такого ящика'],
])('are listed with what they are, and shown as they came: %s', async (language, title, bounced, why) => {
  const { page, id } = await site.visitor(`anna-${language}@example.org`, { javaScriptEnabled: false });
  await site.api.database.affected('UPDATE users SET language = $2 WHERE id = $1', [id, language]);
  const [letter] = (await sentTo(site.api, id, [`gone-${language}@client.example`])) as [SentLetter];
  const text = '<script>alert(1)</script> не доставлено';
  const raw = dsn({
    final: `rfc822; ${letter.email}`,
    status: '5.1.1',
    text,
    diagnostic: 'smtp; 550 5.1.1 no such user',
  });
  const letters = site.api.app.get(InboundLetters, { strict: false });
  const inboundId = await letters.take('pipe', { from: '', to: letter.returnPair.bounce }, raw);
  const viewer = { userId: id, role: 'user' } as const;
  await eventually(async () => (await letters.get(viewer, inboundId).catch(() => null))?.judgedAt, 'judging');

  await page.goto('/suppressions');
  await page.locator('main').getByRole('link', { name: title, exact: true }).click();
  const main = page.locator('main');
  expect(await main.innerText()).toContain(bounced);
  expect(await main.innerText()).toContain(letter.email);
  await page.locator('#results a').first().click();
  const shown = await main.innerText();
  for (const part of [bounced, why, '5.1.1', '550 5.1.1 no such user', letter.returnPair.bounce, text])
    expect(shown).toContain(part);
  // A user can not have it read again.
  expect(await main.getByRole('button').count()).toBe(0);
  const file = await page.request.get(`/inbound/${inboundId}/letter.eml`);
  expect([file.headers()['content-type'], (await file.body()).equals(raw)]).toEqual(['message/rfc822', true]);
});

test('a manager has a letter read again; pages are accessible and fit a phone', async () => {
  const boss = await site.api.person('manager');
  const { page } = await site.open({ viewport: { width: 360, height: 740 } });
  await site.signIn(page, boss.email);
  for (const path of ['/inbound', '/inbound/1']) {
    await page.goto(path);
    expect([path, await faultsOf(page)]).toEqual([path, []]);
    if (process.env.SHOTS)
      await page.screenshot({ path: `${process.env.SHOTS}/phone${path.replaceAll('/', '-')}.png`, fullPage: true });
  }
  await page.locator('main').getByRole('button', { name: 'Read it again' }).click();
  expect(await page.locator('[role=status]').innerText()).toContain('read again');
  if (process.env.SHOTS) {
    await page.setViewportSize({ width: 1200, height: 800 });
    for (const path of ['/inbound', '/inbound/1', '/suppressions']) {
      await page.goto(path);
      await page.screenshot({ path: `${process.env.SHOTS}/wide${path.replaceAll('/', '-')}.png`, fullPage: true });
    }
  }
  const pages: [string, string][] = [
    ['en', 'It could not be read, even after several tries'],
    ['ru', 'Несколько попыток не удались'],
  ];
  for (const [language, text] of pages) {
    await site.api.database.affected('UPDATE users SET language = $2 WHERE id = $1', [boss.id, language]);
    await site.api.database.affected(
      `UPDATE inbound_letters SET judged_at = NULL, failures = 5, problem = 'failed' WHERE id = 1`,
    );
    await page.goto('/inbound/1');
    expect(await page.locator('main').innerText()).toContain(text);
  }
  expect(site.complaints).toEqual([]);
});

test('a manager makes a URL for a mail provider, which is shown once, and reports come in by it', async () => {
  const { page, context } = await site.open({ viewport: { width: 320, height: 740 }, javaScriptEnabled: false });
  const boss = await site.api.person('manager');
  await site.signIn(page, boss.email);
  await page.goto('/inbound');
  await page.locator('main').getByRole('link', { name: 'Reports of mail providers' }).click();
  await page.getByLabel('Mail provider').selectOption('mailgun');
  await page.getByRole('button', { name: 'Make a URL' }).click();
  const url = (await page.locator('#new-url').innerText()).trim();
  const shown = await page.locator('[role=status]').innerText();
  expect(shown).toContain('HTTP webhook signing key');
  const path = new URL(url).pathname;
  expect(path).toMatch(/^\/api\/v1\/inbound\/mailgun\/[\w-]{43}$/);
  const [letter] = (await sentTo(site.api, boss.id, ['gone@mailgun.example'])) as [SentLetter];
  const event = { event: 'failed', id: 'e1', severity: 'permanent', reason: 'bounce', recipient: letter.email };
  const status = { code: 550, message: '5.1.1 no such user' };
  const body = { 'event-data': { ...event, 'delivery-status': status } };
  expect((await site.api.call('POST', path, { body })).status).toBe(200);
  await eventually(
    async () =>
      (await site.api.database.rows(`SELECT 1 FROM inbound_letters WHERE source = 'mailgun' AND judged_at IS NOT NULL`))
        .length === 1,
    'judging',
  );

  // With a key, what is not signed is refused, and the page says so.
  await page.getByRole('link', { name: 'Open this URL’s page' }).click();
  const own = page.url();
  await page.getByLabel('Signing key').fill('short');
  await page.getByRole('button', { name: 'Save the key' }).click();
  expect(await page.locator('main').innerText()).toContain('does not fit');
  expect(await page.getByLabel('Signing key').inputValue()).toBe('short');
  await page.getByLabel('Signing key').fill('key-0123456789abcdef');
  await page.getByRole('button', { name: 'Save the key' }).click();
  expect((await site.api.call('POST', path, { body })).status).toBe(403);
  await page.goto('/inbound/webhooks');
  const list = await page.locator('main').innerText();
  expect(list).toContain('its signature is not right');
  expect(list).not.toContain(path.split('/').at(-1));
  await page.goto(own);
  await page.getByRole('button', { name: 'Save the key' }).click();
  expect((await site.api.call('POST', path, { body })).status).toBe(200);
  await page.goto('/inbound/webhooks');
  expect(await page.locator('main').innerText()).toContain('No trouble');

  await context.close();
  const seen = await site.open({ viewport: { width: 320, height: 740 } });
  await site.signIn(seen.page, boss.email);
  await seen.page.goto('/inbound');
  await seen.page.locator('#results a').first().click();
  const report = await seen.page.locator('main').innerText();
  for (const part of [
    'Bounced',
    'there is no such mailbox',
    'reported by Mailgun',
    letter.email,
    '"severity": "permanent"',
  ])
    expect(report).toContain(part);
  const pages = [seen.page.url(), '/inbound/webhooks', own];
  for (const language of ['en', 'ru']) {
    await site.api.database.affected('UPDATE users SET language = $2 WHERE id = $1', [boss.id, language]);
    for (const [i, each] of pages.entries()) {
      await seen.page.goto(each);
      expect([each, language, await faultsOf(seen.page)]).toEqual([each, language, []]);
      if (process.env.SHOTS)
        await seen.page.screenshot({ path: `${process.env.SHOTS}/webhooks-${language}-${i}.png`, fullPage: true });
    }
  }
  await site.api.database.affected(`UPDATE users SET language = 'en' WHERE id = $1`, [boss.id]);
  await seen.page.setViewportSize({ width: 1200, height: 800 });
  await seen.page.goto('/inbound/webhooks');
  if (process.env.SHOTS) await seen.page.screenshot({ path: `${process.env.SHOTS}/webhooks-wide.png`, fullPage: true });
  await seen.page.goto(own);
  await seen.page.getByRole('button', { name: 'Delete' }).first().click();
  await seen.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  expect(await seen.page.locator('main').innerText()).toContain('There is no URL yet.');
  expect((await site.api.call('POST', path, { body })).status).toBe(404);
});
