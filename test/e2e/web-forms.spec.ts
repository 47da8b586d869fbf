import type { Page } from 'playwright-core';
import { mailingBody } from '../support/factories';
import { Inbox } from '../support/inbox';
import { Site } from '../support/site';

/** Forms as they are sent: without JavaScript, twice, and filled in wrongly. */

let site: Site;

beforeAll(async () => {
  site = await Site.start();
});

afterAll(() => site.stop());

const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first().click();

async function post(path: string, token: string, body: object): Promise<number> {
  return (await site.api.call('POST', `/api/v1${path}`, { token, body })).body.id;
}

const mailingOf = async (token: string, more: object = {}) => {
  const messageId = await post('/messages', token, { subject: 'News', body: '<p>{{ client.fullName }}</p>' });
  return post('/mailings', token, mailingBody(messageId, { name: 'News', ...more }));
};

const count = async (sql: string, ...params: unknown[]) =>
  (await site.api.database.first<{ n: number }>(`SELECT count(*) AS n FROM ${sql}`, params))?.n;

test('all that is not live works without JavaScript', async () => {
  const { page, token, id } = await site.visitor('plain@example.org', { javaScriptEnabled: false });
  for (const [email, name] of [
    ['vera@example.org', 'Vera'],
    [`${Inbox.REFUSED}boris@example.org`, 'Boris'],
  ] as const) {
    await page.goto('/clients/new');
    await page.fill('[name=email]', email);
    await page.fill('[name=fullName]', name);
    await press(page, 'Save');
    expect(await page.locator('h1').innerText()).toBe(name);
  }
  await page.goto('/messages/new?as=html');
  await page.fill('[name=subject]', 'Good day, {{ client.fullName }}');
  expect(await page.inputValue('textarea[name=body]')).toContain('{{');
  await press(page, 'Save');
  await page.getByText('Make a mailing').click();
  await page.fill('[name=name]', 'By hand');
  await page.check('[name=audience][value=selected]');
  await page.fill('[name=clientIds]', `vera@example.org, ${Inbox.REFUSED}boris@example.org`);
  await press(page, 'Save');
  expect(await page.locator('h1').innerText()).toContain('By hand');
  await page.getByRole('button', { name: 'Send now' }).first().click();
  expect(await page.locator('dialog:target h2').innerText()).toBe('Send to 2 people now?');
  await page.locator('dialog:target button').click();
  expect(await page.locator('.flash').innerText()).toBe('The mailing is being sent.');
  const sent = () => count(`runs WHERE owner_id = $1 AND status = 'done'`, id);
  while (!(await sent())) await new Promise((wake) => setTimeout(wake, 100));
  await page.reload();
  expect(await page.locator('#run-live').innerText()).toContain('Sent to 1 of 2; 1 failed');
  await page.locator('.count-failed').click();
  expect(await page.locator('#results tbody tr').count()).toBe(1);

  await page.goto('/attempts');
  await page.selectOption('[name=status]', 'ok');
  await press(page, 'Filter');
  expect(await page.locator('#results tbody tr').count()).toBe(1);
  expect(await page.locator('#results').innerText()).toContain('vera@example.org');

  for (let i = 0; i < 51; i++) await post('/clients', token, { email: `many${i}@example.org`, fullName: `Many ${i}` });
  await page.goto('/clients');
  expect(await page.locator('#results tbody tr').count()).toBe(50);
  await page.getByRole('link', { name: /Next page/ }).click();
  expect(await page.locator('#results tbody tr').count()).toBe(3);
  await page.fill('[name=search]', 'vera');
  await press(page, 'Filter');
  expect(await page.locator('#results tbody tr').count()).toBe(1);
  await press(page, 'Sign out');
  expect(page.url()).toContain('/sign-in');
  await page.context().close();
});

/** The form is sent two times at once, as a double click does where no script holds the second back. */
async function sendTwice(page: Page, form: string): Promise<string[]> {
  return page.evaluate(async (selector) => {
    const sent = document.querySelector<HTMLFormElement>(selector);
    if (!sent) throw new Error(`there is no ${selector}`);
    const data = () => (sent.enctype === 'multipart/form-data' ? new FormData(sent) : plain(new FormData(sent)));
    const plain = (of: FormData) => new URLSearchParams([...of].map(([name, value]) => [name, value as string]));
    const go = () => fetch(sent.action, { method: 'POST', body: data() });
    return (await Promise.all([go(), go()])).map(({ url, status }) => `${status} ${new URL(url).pathname}`);
  }, form);
}

test('a double click has one effect, and leads to one place', async () => {
  const { page, token, id } = await site.visitor('twice@example.org');
  await post('/clients', token, { email: `${Inbox.REFUSED}c@example.org`, fullName: 'C' });
  const mailing = await mailingOf(token);

  await page.goto('/clients/new');
  await page.fill('[name=email]', 'd@example.org');
  await page.fill('[name=fullName]', 'D');
  const [first, second] = await sendTwice(page, 'main form');
  expect(first).toMatch(/^200 \/clients\/\d+$/);
  expect(second).toBe(first);

  await page.goto('/mailings/new');
  await page.fill('[name=name]', 'Made once');
  expect(new Set(await sendTwice(page, '#mailing-form')).size).toBe(1);
  expect(await count('mailings WHERE owner_id = $1', id)).toBe(2);
  await page.fill('[name=name]', 'And another');
  expect(await sendTwice(page, '#mailing-form')).toEqual(Array(2).fill(expect.stringMatching(/^200 \/mailings\/\d+$/)));
  expect(await count('mailings WHERE owner_id = $1', id)).toBe(3);

  await page.goto(`/mailings/${mailing}`);
  expect(await sendTwice(page, '#send form')).toEqual(Array(2).fill(`200 /mailings/${mailing}`));
  expect(await count('runs WHERE mailing_id = $1', mailing)).toBe(1);
  const done = () => count(`runs WHERE mailing_id = $1 AND status = 'done'`, mailing);
  while (!(await done())) await new Promise((wake) => setTimeout(wake, 100));
  await page.reload();
  await page.locator('.count-failed').click();
  expect(await sendTwice(page, '#resend form')).toEqual(Array(2).fill(`200 /mailings/${mailing}`));
  expect(await count('runs WHERE mailing_id = $1', mailing)).toBe(2);

  await page.goto('/clients/import');
  const csv = 'email,full_name\nimported@example.org,Imported\n';
  await page.setInputFiles('[name=file]', { name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  expect(new Set(await sendTwice(page, 'main form')).size).toBe(1);
  expect(await count('imports WHERE owner_id = $1', id)).toBe(1);

  await page.goto('/mailings/new');
  await page.fill('[name=name]', 'With a script');
  await page.getByRole('button', { name: 'Save', exact: true }).dblclick();
  await page.waitForURL(/\/mailings\/\d+$/);
  expect(await count(`mailings WHERE owner_id = $1 AND name = 'With a script'`, id)).toBe(1);
  await page.context().close();
});

test('why a mailing is transactional is asked with that kind; where no script runs, always', async () => {
  const { page } = await site.visitor('kinds@example.org');
  await page.goto('/mailings/new');
  const reason = page.getByLabel('Why must people get it although they unsubscribed?');
  expect(await reason.isVisible()).toBe(false);
  await page.getByLabel(/^Transactional/).check();
  expect(await reason.isVisible()).toBe(true);
  await page.getByLabel(/^Marketing/).check();
  expect(await reason.isVisible()).toBe(false);
  await page.context().close();
  const plain = await site.visitor('plain-kinds@example.org', { javaScriptEnabled: false });
  await plain.page.goto('/mailings/new');
  expect(await plain.page.getByLabel('Why must people get it although they unsubscribed?').isVisible()).toBe(true);
  await plain.context.close();
});

test('a manager starts in spite of the check, on a phone and without a script', async () => {
  const { email, token } = await site.api.person('manager', 'anyway@example.org');
  await post('/clients', token, { email: 'gone@example.org', fullName: 'Gone' });
  await post('/suppressions', token, { email: 'gone@example.org' });
  const mailing = await mailingOf(token);
  const { page, context } = await site.open({ javaScriptEnabled: false, viewport: { width: 360, height: 800 } });
  await site.signIn(page, email);
  await page.goto(`/mailings/${mailing}`);
  await page.getByText('Let it go out anyway').click();
  await page.getByRole('button', { name: 'Schedule anyway' }).click();
  expect(await page.locator('h1').innerText()).toBe('Nothing has gone out');
  expect(await page.locator('main').innerText()).toContain('Nobody would get it: all recipients are excluded.');
  expect(await page.locator('#f-override-problem').innerText()).toBe('Fill this in.');
  await page.getByLabel('Why must it go out anyway?').fill('Some come back before it begins');
  await page.getByRole('button', { name: 'Schedule anyway' }).click();
  expect(await page.locator('.flash').innerText()).toBe('The mailing is scheduled.');
  const why = `detail ->> 'why' = 'Some come back before it begins'`;
  expect(await count(`audit_log WHERE action = 'mailing.override' AND object_id = $1 AND ${why}`, mailing)).toBe(1);
  await context.close();
});

test('a form filled in wrongly keeps what was typed and names the field, in the reader’s language', async () => {
  const { page, token } = await site.visitor('wrong@example.org');
  const mailing = await mailingOf(token);
  await site.api.call('PATCH', '/api/v1/me', { token, body: { language: 'ru' } });
  const cases: [path: string, form: string, typed: Record<string, string>, problems: Record<string, string>][] = [
    [
      '/clients/new',
      'main form',
      { email: 'nobody@nowhere', tags: 'x'.repeat(101), comment: 'Kept' },
      { email: 'В имени после знака @ нет точки.', tags: 'Не больше 100 знаков, пожалуйста.' },
    ],
    [
      '/messages/new?as=html',
      '#message-form',
      { subject: 'Hello {{ client.nick }}', body: '<p>Kept {% if %}</p>' },
      {
        subject: 'Строка 1, знак 10: Нет переменной «client.nick».',
        body: 'Строка 1, знак 14: Не удаётся прочитать то, что стоит в {{ }} или {% %}',
      },
    ],
    [
      `/mailings/${mailing}/edit`,
      '#mailing-form',
      { name: 'Kept', startAt: '2030-05-01T10:00', endAt: '2030-05-01T09:00' },
      { endAt: 'Конец должен быть позже начала.' },
    ],
    [
      '/mailings/new',
      '#mailing-form',
      { name: 'Kept', audience: 'selected', clientIds: 'nobody@example.org' },
      { clientIds: 'Среди ваших клиентов нет 1 адреса: nobody@example.org' },
    ],
    [
      '/mailings/new',
      '#mailing-form',
      { name: 'Kept', kind: 'transactional', transactionalReason: '', language: 'en' },
      { transactionalReason: 'Заполните это поле.' },
    ],
    [
      '/account',
      'form[action="/account/tokens"]',
      { name: 'Kept', expiresAt: '2020-01-01' },
      { expiresAt: 'Нужно время в будущем.' },
    ],
    [
      '/account',
      'form[action="/account/email"]',
      { email: 'kept@example.org', password: 'not my password' },
      { password: 'Это не ваш пароль.' },
    ],
  ];
  for (const [path, form, typed, problems] of cases) {
    // Of the case before, on the same page.
    await site.api.database.rows('DELETE FROM form_drafts');
    await page.goto(path);
    const at = page.locator(form);
    await page.evaluate(
      ([selector, values]) => {
        for (const [name, value] of Object.entries(values)) {
          const fields = [...document.querySelectorAll<HTMLInputElement>(`${selector} [name="${name}"]`)];
          for (const field of fields)
            if (field.type === 'radio') field.checked = field.value === value;
            else field.value = value;
        }
      },
      [form, typed] as const,
    );
    await at.evaluate((element) => (element as HTMLFormElement).requestSubmit());
    await page.locator('[role=alert]').waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('alert');
    for (const [name, problem] of Object.entries(problems)) {
      const field = at.locator(`[name="${name}"]`);
      expect(await field.getAttribute('aria-invalid')).toBe('true');
      const about = (await field.getAttribute('aria-describedby'))?.split(' ').at(-1);
      expect(await page.locator(`#${about}`).innerText()).toContain(problem);
    }
    for (const [name, value] of Object.entries(typed)) {
      const isChoice = ['audience', 'kind'].includes(name);
      const kept = at.locator(isChoice ? `[name="${name}"]:checked` : `[name="${name}"]`);
      expect(await kept.inputValue()).toBe(name === 'password' ? '' : value);
    }
  }
  await page.context().close();
  expect(site.complaints).toEqual([]);
});
