import { deliveryEvents } from '../../src/domain/suppression';
import { LinkKeys } from '../../src/features/consent/link-keys.service';
import { issueToken } from '../../src/features/notices/notice-tokens';
import { noteEvent } from '../../src/features/ledger/events';
import type { BrowserContext, Page } from 'playwright-core';
import { PASSWORD, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';
import { faultsOf } from '../support/faults';
import { Site } from '../support/site';

/** The pages as a person uses them, in a real browser, with a worker that really sends. */

let site: Site;
let api: TestApi;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  site = await Site.start();
  ({ api } = site);
  ({ context, page } = await site.open({ timezoneId: 'Asia/Yerevan' }));
});

afterAll(() => site.stop());

const heading = () => page.locator('h1').first().innerText();
const clickText = (name: string, on = page) => on.getByRole('button', { name, exact: true }).first().click();

test('the first start tells how to make the one who can sign in', async () => {
  const first = await site.open({ bypassCSP: true });
  await first.page.goto('/');
  expect(await first.page.locator('h1').innerText()).toBe('There is no user yet');
  expect(await first.page.locator('main').innerText()).toContain('create-user --email');
  expect(await faultsOf(first.page)).toEqual([]);
  await first.context.close();
});

test('somebody registers, imports, writes, sends, sees who failed and sends again', async () => {
  const email = 'anna@example.org';
  await page.goto('/register');
  await page.fill('[name=email]', 'nonsense');
  await page.fill('[name=fullName]', 'Anna');
  await page.fill('[name=password]', 'short');
  await page.click('main button');
  expect(await page.locator('.field-problem').count()).toBe(2);
  expect(await page.inputValue('[name=fullName]')).toBe('Anna');
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', PASSWORD);
  await page.click('main button');
  const { token } = await site.inbox.letterTo(email);
  await page.goto(`/confirm?token=${token}`);
  await page.click('main button');
  expect(await page.locator('.flash').innerText()).toContain('confirmed');
  await site.signIn(page, email);

  await page.goto('/account');
  expect(await page.inputValue('[name=timeZone]')).toBe('Asia/Yerevan');

  await page.goto('/clients/import');
  const people = Array.from({ length: 12 }, (_, i) => `reader${i}@example.org,Reader ${i},`);
  const csv = ['email,full_name,comment', ...people, 'refused-bob@example.org,Bob Brown,', 'no-address,Nobody,'].join(
    '\n',
  );
  await page.setInputFiles('[name=file]', { name: 'readers.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await page.click('main form button');
  await page.waitForURL(/\/clients\/import\/\d+/);
  await page.getByRole('button', { name: 'Import 14 clients now' }).click();
  await page.getByText('Download 1 rejected line').waitFor();
  expect(await page.locator('.figure dd').first().innerText()).toBe('13');

  await page.goto('/messages/new?as=html');
  await page.fill('[name=subject]', 'Hello {{ client.fullName }}');
  await page.fill('#preview-client', 'reader3');
  await page.getByText('Hello Reader 3').waitFor();
  const letter = page.frameLocator('iframe.letter:not(.without-pictures)');
  expect(await letter.locator('h1').innerText()).toContain('Reader 3');
  expect(await letter.locator('.letter').evaluate((el) => getComputedStyle(el).maxWidth)).toBe('560px');
  await page.click('#message-form button.btn-primary');
  await page.waitForURL(/\/messages\/\d+$/);

  await page.getByText('Make a mailing').click();
  await page.fill('[name=name]', 'First news');
  await page.selectOption('[name=period]', 'daily');
  await page.waitForFunction(() => document.querySelectorAll('#occurrences li').length === 5);
  await page.selectOption('[name=period]', 'once');
  await page.click('#mailing-form > .actions button');
  await page.waitForURL(/\/mailings\/\d+$/);
  await page.getByRole('button', { name: 'Send now' }).first().click();
  expect(await page.locator('dialog[open] h2').innerText()).toBe('Send to 13 people now?');
  await page.locator('dialog[open] button').click();
  await page.getByRole('heading', { name: 'Sent to 12 of 13; 1 failed' }).waitFor({ timeout: 30_000 });
  expect(await page.locator('h1 .chip').innerText()).toBe('Sent');

  await page.locator('.count-failed').click();
  expect(await page.locator('#results tbody tr').count()).toBe(1);
  expect(await page.locator('#results').innerText()).toContain('550');
  await page.getByRole('button', { name: 'Resend to failed (1)' }).first().click();
  await page.locator('dialog[open] button').click();
  await page.waitForURL(/\/mailings\/\d+$/);
  await page
    .locator('td', { hasText: /^Resend to failed$/ })
    .first()
    .waitFor();

  await page.goto('/clients?search=bob');
  await page.getByText('refused-bob@example.org').click();
  expect(await heading()).toBe('Bob Brown');
  expect(await page.locator('main').innerText()).toMatch(/Failed[^]*550/);
});

test('a question is asked and answered by keyboard alone', async () => {
  await page.goto('/mailings/1');
  const opener = page.locator('[data-dialog=delete]');
  await page.locator('summary', { hasText: 'More' }).press('Enter');
  await opener.press('Space');
  expect(await page.locator('dialog[open]').getAttribute('id')).toBe('delete');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Cancel');
  expect(await page.locator('dialog[open] h2').innerText()).toBe('Delete this mailing?');
  await page.keyboard.press('Escape');
  expect(await page.locator('dialog[open]').count()).toBe(0);
  expect(await opener.evaluate((element) => element === document.activeElement)).toBe(true);
});

test('nothing is sent without the token of a form, and a page without a session asks to sign in', async () => {
  const stranger = await site.open();
  await stranger.page.goto('/mailings');
  expect(stranger.page.url()).toContain('/sign-in?next=%2Fmailings');
  await stranger.context.close();
  const { ownerId } = (await api.database.first<{ ownerId: number }>('SELECT owner_id FROM mailings WHERE id = 1'))!;
  const mailing = await api.make.mailing({ ownerId, recipients: () => ['token@example.org'] });
  const runsAfter = async (form: Record<string, string>) => {
    await page.evaluate(([path, fields]) => fetch(path, { method: 'POST', body: new URLSearchParams(fields) }), [
      `/mailings/${mailing}/send`,
      form,
    ] as const);
    return api.database.rows('SELECT id FROM runs WHERE mailing_id = $1', [mailing]);
  };
  await page.goto(`/mailings/${mailing}`);
  const token = await page.locator('[name=_csrf]').first().inputValue();
  expect(await runsAfter({})).toEqual([]);
  expect(await runsAfter({ _csrf: `${token}x` })).toEqual([]);
  expect(await runsAfter({ _csrf: token })).toHaveLength(1);
});

const PATHS = [
  '/',
  '/mailings',
  '/mailings/1',
  '/mailings/new',
  '/mailings/1/edit',
  '/runs/1',
  '/runs/1?status=failed',
  '/runs/1?event=unsubscribed',
  '/mailings/1/clients',
  '/mailings?search=nothing',
  '/messages',
  '/messages/1',
  '/messages/new',
  '/messages/new?as=html',
  '/clients',
  '/clients/1',
  '/clients/new',
  '/clients/fields',
  '/clients/fields/new',
  '/clients/tags',
  '/clients/import',
  '/clients/import/1',
  '/suppressions',
  '/suppressions/batches',
  '/sender',
  '/attempts',
  '/reports',
  '/account',
  '/users',
  '/users/1',
  '/audit',
  '/status',
  '/nowhere',
];
const DOORS = ['/sign-in', '/register', '/forgot', '/reset', '/reset?token=x', '/confirm?token=x', '/confirm-email'];

// What depends on the language does not depend on the colours.
describe.each([
  ['en', 'light'],
  ['ru', 'dark'],
] as const)('in %s, %s', (language, colorScheme) => {
  const email = `admin-${language}-${colorScheme}@example.org`;
  const paths: string[] = [];
  /** A mailing whose only recipient is excluded. */
  let refused = 0;
  let visit: { context: BrowserContext; page: Page };

  /** As a letter would bring it. */
  const resetToken = () =>
    api.database.transaction(async (tx) => {
      const notice = await tx.first<{ id: number }>(
        `INSERT INTO notices (kind, user_id, email, status) SELECT 'reset', id, email, 'sending' FROM users WHERE email = $1
         RETURNING id`,
        [email],
      );
      const token = await issueToken(tx, notice!.id, 'reset');
      await tx.affected(`UPDATE notices SET status = 'sent' WHERE id = $1`, [notice!.id]);
      return token;
    });

  beforeAll(async () => {
    const { token } = await api.person('admin', email);
    const longName = `${'Новости нашего магазина '.repeat(5)}${'w'.repeat(80)}`;
    await api.database.affected('UPDATE mailings SET name = $1', [longName]);
    await api.database.affected('UPDATE users SET full_name = $1', ['W'.repeat(150)]);
    await api.database.affected('UPDATE attempts SET server_response = server_response || $1', [' blocked'.repeat(60)]);
    const letters = await api.database.rows<{ id: number }>(
      'SELECT id FROM deliveries WHERE client_id = 1 OR run_id = 1',
    );
    for (const { id: deliveryId } of letters)
      for (const kind of deliveryEvents)
        await api.database.transaction((tx) =>
          noteEvent(tx, { deliveryId, kind, source: 'one_click', reason: 'owner' }),
        );
    await api.call('PATCH', '/api/v1/me', { token, body: { language } });
    const post = async (path: string, body?: object) =>
      (await api.call('POST', `/api/v1${path}`, { token, ...(body && { body }) })).body.id;
    const address = `${'long'.repeat(15)}@${language}-${colorScheme}.example`;
    const client = await post('/clients', { email: address, fullName: 'W'.repeat(150), comment: 'c'.repeat(300) });
    const messageId = await post('/messages', { subject: 'S'.repeat(200), body: '<p>B</p>' });
    const ids: number[] = [];
    for (const steps of [[], ['start'], ['start', 'pause']]) {
      const more = { audience: 'selected', clientIds: [client], period: 'daily' };
      const timeZone = 'America/Argentina/Buenos_Aires';
      const id = await post('/mailings', mailingBody(messageId, { ...more, timeZone }));
      for (const step of steps) await post(`/mailings/${id}/${step}`);
      ids.push(id);
    }
    refused = ids[0] ?? 0;
    // One that can be scheduled and sent; the others' recipient is about to be excluded.
    const other = await post('/clients', { email: `other-${language}-${colorScheme}@example.org`, fullName: 'Other' });
    ids.push(await post('/mailings', mailingBody(messageId, { audience: 'selected', clientIds: [other] })));
    await post('/suppressions', { email: address, detail: 'd'.repeat(300) });
    const headers = { 'content-type': 'text/csv' };
    const csv = `email,${'column'.repeat(30)}\n${address},x\n${'n'.repeat(200)},y\n`;
    const file = await api.call('POST', '/api/v1/suppressions/import', { token, headers, body: csv });
    const outage = await api.database.first<{ id: number }>(
      `INSERT INTO suppression_batches (kind, domain, until, refused, accepted)
       VALUES ('outage', $1, now(), 200, 100) RETURNING id`,
      [`${'long'.repeat(15)}.${language}-${colorScheme}.example`],
    );
    const of = { kind: 'unsubscribe', ownerId: 1, mailingId: 1 } as const;
    const sign = await api.app.get(LinkKeys, { strict: false }).signer(of);
    paths.push(
      ...PATHS,
      ...ids.map((id) => `/mailings/${id}`),
      `/mailings/${ids[0]}/clients`,
      `/suppressions/batches/${file.body.id}`,
      `/suppressions/batches/${outage!.id}`,
      `/clients/${client}`,
      `/messages/${messageId}`,
      `/u/${sign(0, address)}`,
    );
    visit = await site.open({
      colorScheme,
      locale: language,
      viewport: { width: 360, height: 800 },
      reducedMotion: 'reduce',
      bypassCSP: true,
    });
  });

  afterAll(() => visit.context.close());

  test('no page has an accessibility violation or is wider than its window', async () => {
    const found: string[] = [];
    const look = async (path: string, come: () => Promise<unknown> = () => visit.page.goto(path)) => {
      await come();
      expect(await visit.page.getAttribute('html', 'lang')).toBe(language);
      for (const width of [1200, 1000, 360]) {
        await visit.page.setViewportSize({ width, height: 800 });
        const tooWide = await visit.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (tooWide > 0) found.push(`${path}: ${tooWide} px wider than ${width}`);
      }
      for (const violation of await faultsOf(visit.page)) found.push(`${path}: ${violation}`);
    };
    for (const path of DOORS) await look(path);
    await site.signIn(visit.page, email);
    for (const path of paths) await look(path);
    await look('the way past the check', async () => {
      await visit.page.goto(`/mailings/${refused}`);
      await visit.page.locator('.alert summary').click();
    });
    await look('what the check refuses', () => visit.page.locator('.alert button').first().click());
    expect(await visit.page.locator('.field-problem').count()).toBe(1);
    expect(found).toEqual([]);
  });

  test('every question takes the focus, is closed by Escape and gives the focus back', async () => {
    const found: string[] = [];
    const asked = new Set<string>();
    const focused = () => visit.page.evaluate(() => document.activeElement?.closest('[id]')?.id);
    for (const path of paths) {
      await visit.page.goto(path);
      const openers = visit.page.locator('[data-dialog]');
      for (let i = 0; i < (await openers.count()); i++) {
        const opener = openers.nth(i);
        const id = (await opener.getAttribute('data-dialog')) ?? '';
        const kind = id.replace(/-\d+$/, '');
        if (asked.has(kind)) continue;
        asked.add(kind);
        await opener.evaluate((element) => element.closest('details')?.setAttribute('open', ''));
        await opener.press('Enter');
        const dialog = visit.page.locator('dialog[open]');
        expect([path, await dialog.getAttribute('id')]).toEqual([path, id]);
        expect([id, await focused()]).toEqual([id, id]);
        for (const violation of await faultsOf(visit.page)) found.push(`${path}#${id}: ${violation}`);
        await visit.page.keyboard.press('Escape');
        expect([id, await dialog.count()]).toEqual([id, 0]);
        expect([id, await opener.evaluate((element) => element === document.activeElement)]).toEqual([id, true]);
      }
    }
    expect([...asked].sort()).toEqual(
      ['block', 'delete', 'finish', 'erase', 'pause', 'resend', 'resume', 'revoke', 'send', 'start', 'undo'].sort(),
    );
    expect(found).toEqual([]);
  });

  test('what is wrong in a form is said aloud and tied to its field', async () => {
    const found: string[] = [];
    const wrong = async (path: string, form: string, values: Record<string, string> = {}) => {
      await visit.page.goto(path);
      await visit.page.evaluate(
        ([selector, typed]) => {
          const at = document.querySelector<HTMLFormElement>(selector);
          for (const field of at?.querySelectorAll<HTMLInputElement>(
            'input:not([type=hidden],[type=file]), textarea',
          ) ?? [])
            if (field.type === 'radio') field.checked = false;
            else field.value = typed[field.name] ?? '';
          for (const picked of at?.querySelectorAll('option') ?? []) picked.value = 'nonsense';
          if (at) at.noValidate = true;
          at?.requestSubmit();
        },
        [form, values] as const,
      );
      await visit.page.locator('[role=alert]').waitFor();
      const state = await visit.page.evaluate((selector) => {
        const tied = (problem: Element) => {
          const by = [...document.querySelectorAll(`[aria-describedby~="${problem.id}"]`)];
          return (
            problem.id !== '' && by.some((field) => field.matches('[aria-invalid=true], :has([aria-invalid=true])'))
          );
        };
        const problems = [...document.querySelectorAll(`${selector} .field-problem`)];
        return {
          focus: document.activeElement?.getAttribute('role'),
          count: problems.length,
          loose: problems.filter((problem) => !tied(problem)).map((problem) => problem.textContent),
        };
      }, form);
      if (state.focus !== 'alert') found.push(`${path}: the focus is not on what is wrong`);
      if (state.loose.length > 0) found.push(`${path}: not tied to a field: ${state.loose.join(' ')}`);
      for (const violation of await faultsOf(visit.page)) found.push(`${path}: ${violation}`);
      return state.count;
    };
    await visit.context.clearCookies();
    expect(await wrong('/sign-in', 'main form', { email: 'nobody@example.org', password: 'wrong' })).toBe(0);
    expect(await wrong('/register', 'main form')).toBe(2);
    expect(await wrong('/forgot', 'main form', { email: 'nonsense' })).toBe(1);
    expect(await wrong(`/reset?token=${await resetToken()}`, 'main form', { password: 'short' })).toBe(1);
    await site.signIn(visit.page, email);
    expect(await wrong('/clients/new', 'main form', { email: 'nonsense' })).toBe(1);
    expect(await wrong('/clients/fields/new', 'main form')).toBe(3);
    expect(await wrong('/clients/import', 'main form')).toBe(1);
    expect(await wrong('/messages/new?as=html', '#message-form', { body: '{{ nothing }}' })).toBeGreaterThan(0);
    expect(await wrong('/mailings/new', '#mailing-form', { startAt: '2030-01-02T10:00' })).toBeGreaterThan(0);
    expect(await wrong('/account', 'form[action="/account"]')).toBeGreaterThan(0);
    expect(await wrong('/account', 'form[action="/account/password"]')).toBeGreaterThan(0);
    expect(await wrong('/account', 'form[action="/account/email"]')).toBeGreaterThan(0);
    expect(await wrong('/account', 'form[action="/account/tokens"]')).toBeGreaterThan(0);
    expect(found).toEqual([]);
  });
});

test('a manager looks at the queues, and changes nothing there', async () => {
  const manager = await api.person('manager', 'queues@example.org');
  const { page: office, context: own } = await site.open();
  await site.signIn(office, manager.email);
  await office.goto('/queues');
  await office.getByRole('link', { name: 'delivery' }).first().click();
  await office
    .getByText(/Completed/i)
    .first()
    .waitFor();
  expect(await office.getByRole('button', { name: /retry|clean|pause|promote/i }).count()).toBe(0);
  const status = await office.evaluate(
    async () => (await fetch('/queues/api/queues/plan/pause', { method: 'PUT' })).status,
  );
  expect(status).toBe(403);
  await own.close();
});

test('a manager blocks a user, whose mailing pauses, and pauses another', async () => {
  const boris = await api.person('user', 'boris@example.org');
  const manager = await api.person('manager', 'manager@example.org');
  const by = { token: boris.token };
  await api.call('POST', '/api/v1/clients', { ...by, body: { email: 'c@example.org', fullName: 'C' } });
  const message = (await api.call('POST', '/api/v1/messages', { ...by, body: messageBody() })).body.id;
  const ids: number[] = [];
  for (const name of ['One', 'Two']) {
    const made = await api.call('POST', '/api/v1/mailings', {
      ...by,
      body: mailingBody(message, { name, period: 'daily' }),
    });
    ids.push(made.body.id);
    await api.call('POST', `/api/v1/mailings/${made.body.id}/start`, by);
  }
  const office = await site.open();
  await site.signIn(office.page, manager.email);
  await office.page.goto(`/mailings/${ids[0]}`);
  await clickText('Pause', office.page);
  expect(await office.page.locator('dialog[open]').innerText()).toContain('0 letters from');
  await office.page.locator('dialog[open] button').click();
  expect(await office.page.locator('h1 .chip').innerText()).toBe('Paused');
  await office.page.goto(`/users/${boris.id}`);
  await clickText('Block', office.page);
  await office.page.locator('dialog[open] button').click();
  expect(await office.page.locator('h1 .chip').innerText()).toBe('Blocked');
  await office.page.goto(`/mailings/${ids[1]}`);
  expect(await office.page.locator('main').innerText()).toContain("The owner's account is blocked.");
  await office.context.close();
});

test('the language is switched, numbers follow, and one signs out', async () => {
  await page.goto('/account');
  await page.selectOption('[name=language]', 'ru');
  await page.click('form[action="/account"] button');
  await page.goto('/mailings');
  expect(await heading()).toBe('Рассылки');
  expect(await page.locator('#results').innerText()).toContain('Отправлена');
  await page.goto('/attempts');
  expect(await page.locator('#results').innerText()).toMatch(/Не успешно/);
  await page.getByRole('button', { name: 'Выйти' }).click();
  await page.waitForURL(/sign-in/);
  await page.goto('/');
  expect(page.url()).toContain('/sign-in');
  await context.close();
  expect(site.complaints).toEqual([]);
});
