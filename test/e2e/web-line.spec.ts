import type { Page } from 'playwright-core';
import type { Person } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';
import { Inbox } from '../support/inbox';
import { eventually } from '../support/service';
import { Site } from '../support/site';

/** A mailing from draft to sent, as people see it, and what was sent in the past. */

let site: Site;

beforeAll(async () => {
  site = await Site.start({ senderAddress: 'Main Street 1, Springfield' });
});

afterAll(() => site.stop());

type Visitor = Person & { page: Page };

const chip = (page: Page) => page.locator('h1 .chip').innerText();
const sentence = (page: Page) => page.locator('#live-title').innerText();
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const visitor = (name: string): Promise<Visitor> => site.visitor(`${name}@line.example.org`);
const runsOf = async (mailingId: number) =>
  site.api.database.rows<{ id: number; status: string }>(
    'SELECT id, status FROM runs WHERE mailing_id = $1 ORDER BY id',
    [mailingId],
  );

async function post(token: string, path: string, body: object = {}) {
  const answer = await site.api.call('POST', `/api/v1${path}`, { token, body });
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as { id: number };
}

const over = (mailingId: number, count = 1) =>
  eventually(async () => {
    const runs = await runsOf(mailingId);
    return runs.length === count && runs.every(({ status }) => status === 'done') && runs;
  }, 'the end of the runs');

/** A mailing to all clients, who have these addresses. */
async function mailingTo(token: string, emails: string[], more: object = {}, message: object = {}) {
  for (const [i, email] of emails.entries()) await post(token, '/clients', { email, fullName: `Client ${i + 1}` });
  const { id: messageId } = await post(token, '/messages', messageBody(message));
  const { id } = await post(token, '/mailings', mailingBody(messageId, { name: 'News', ...more }));
  return { id, messageId };
}

const emails = (n: number, name: string) => Array.from({ length: n }, (_, i) => `${name}${i}@example.org`);

/** A mailing whose run waits: its letters are due tomorrow. */
async function waitingMailing(token: string, people: string[]) {
  site.inbox.refuse = 1_000_000;
  const made = await mailingTo(token, people);
  await post(token, `/mailings/${made.id}/send`);
  await eventually(async () => {
    const row = await site.api.database.first<{ n: number }>(
      `SELECT count(*) AS n FROM deliveries d JOIN runs r ON r.id = d.run_id
        WHERE r.mailing_id = $1 AND d.status = 'deferred'`,
      [made.id],
    );
    return row?.n === people.length;
  }, 'that all letters wait');
  site.inbox.refuse = 0;
  await site.api.database.affected(
    `UPDATE deliveries SET next_attempt_at = app_now() + interval '1 day'
      WHERE status = 'deferred' AND run_id IN (SELECT id FROM runs WHERE mailing_id = $1)`,
    [made.id],
  );
  return made;
}

test('what is paused is said to be paused on every page, and nowhere sending', async () => {
  const { page, token } = await visitor('paused');
  const { id } = await waitingMailing(token, emails(2, 'paused'));
  await post(token, `/mailings/${id}/pause`);
  const [run] = await runsOf(id);
  for (const path of [`/mailings/${id}`, `/runs/${run?.id}`]) {
    await page.goto(path);
    expect(await sentence(page)).toBe('Paused: 0 sent, 2 waiting');
    expect(await chip(page)).toBe('Paused');
    expect(await page.locator('main .chip').allInnerTexts()).not.toContain('Sending');
  }
  for (const path of ['/', '/mailings']) {
    await page.goto(path);
    expect(await page.locator('main').innerText()).toContain('Paused: 0 sent, 2 waiting');
  }
  // Its sending says so. One that waits for its time has none that could.
  const held = 'Paused: nothing goes out until it is resumed.';
  await page.goto(`/mailings/${id}`);
  expect(await page.locator('main').innerText()).not.toContain(held);
  const startAt = new Date(Date.now() + 86_400_000).toISOString();
  const later = await mailingTo(token, ['later@example.org'], { startAt, period: 'weekly' });
  await post(token, `/mailings/${later.id}/start`);
  await post(token, `/mailings/${later.id}/pause`);
  await page.goto(`/mailings/${later.id}`);
  expect(await page.locator('main').innerText()).toContain(held);
  await page.context().close();
});

test('after a resend the outcome is that of all people, and nobody gets it twice', async () => {
  const { page, token } = await visitor('again');
  const { id } = await mailingTo(token, emails(3, 'again'));
  await post(token, `/mailings/${id}/send`);
  const [first] = await over(id);
  const failed = await site.api.database.affected(
    `UPDATE deliveries SET status = 'failed', reason = 'rejected' WHERE run_id = $1 AND email = 'again1@example.org'`,
    [first?.id],
  );
  expect(failed).toBe(1);
  await page.goto(`/mailings/${id}`);
  expect(await sentence(page)).toBe('Sent to 2 of 3; 1 failed');
  await button(page, 'Resend to failed (1)').click();
  await page.locator('dialog[open] button').click();
  await over(id, 2);
  for (const path of [`/mailings/${id}`, '/mailings']) {
    await page.goto(path);
    expect(await page.locator('main').innerText()).toContain('Sent to all 3');
    expect(await page.locator('main').innerText()).not.toMatch(/[01] of 1/);
    expect(await page.locator('[role=progressbar]').getAttribute('aria-valuenow')).toBe('100');
  }
  await page.goto(`/runs/${first?.id}`);
  expect(await button(page, /^Resend/).count()).toBe(0);
  const refused = await site.api.call('POST', `/api/v1/runs/${first?.id}/resend-failed`, { token, body: {} });
  expect(refused.body).toMatchObject({ code: 'RUN_NOTHING_FAILED' });
  await page.context().close();
});

test('the home page, too, tells of people, and not of the run to those who failed', async () => {
  const { page, token } = await visitor('home');
  const { id } = await mailingTo(token, emails(3, 'home'));
  await post(token, `/mailings/${id}/send`);
  const [first] = await over(id);
  await site.api.database.affected(
    `UPDATE deliveries SET status = 'failed', reason = 'rejected' WHERE run_id = $1 AND email = 'home1@example.org'`,
    [first?.id],
  );
  site.inbox.refuse = 1_000_000;
  await post(token, `/runs/${first?.id}/resend-failed`);
  await eventually(
    () =>
      site.api.database.first(`SELECT id FROM deliveries WHERE status = 'deferred' AND email = 'home1@example.org'`),
    'that the letter waits',
  );
  site.inbox.refuse = 0;
  for (const path of [`/mailings/${id}`, '/']) {
    await page.goto(path);
    expect(await page.locator('main').innerText()).toContain('Going out: 2 of 3');
  }
  await page.context().close();
});

test('a mailing that was cut off is neither green nor complete', async () => {
  const { page, token } = await visitor('cut');
  const { id } = await waitingMailing(token, emails(4, 'cut'));
  const [run] = await runsOf(id);
  await site.api.database.affected(
    `UPDATE deliveries SET status = 'sent', next_attempt_at = NULL WHERE run_id = $1 AND email = 'cut0@example.org'`,
    [run?.id],
  );
  // Those who wait for another try do so for a day, however fast the others went: no time left is said.
  await site.api.database.affected(`UPDATE runs SET started_at = now() - interval '1 minute' WHERE id = $1`, [run?.id]);
  await page.goto(`/mailings/${id}`);
  expect(await sentence(page)).toBe('Going out: 1 of 4');
  await post(token, `/mailings/${id}/finish`);
  await page.goto(`/mailings/${id}`);
  expect(await chip(page)).toBe('Stopped');
  expect(await page.locator('main .chip-good').count()).toBe(0);
  expect(await sentence(page)).toBe('Sent to 1 of 4; 3 not sent, because it was stopped');
  expect(await page.locator('[role=progressbar]').getAttribute('aria-valuenow')).toBe('25');
  await page.goto('/mailings');
  expect(await page.locator('#results').innerText()).toContain('Sent to 1 of 4; 3 not sent');
  expect(await page.locator('#results .chip-good').count()).toBe(0);
  await page.context().close();
});

test('Enter, Enter sends nothing: the question has its focus on Cancel', async () => {
  const { page, token } = await visitor('enter');
  const { id } = await mailingTo(token, emails(2, 'enter'));
  await page.goto(`/mailings/${id}`);
  for (const name of [/^Schedule: first on/, 'Send now']) {
    await button(page, name).first().focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Cancel');
    await page.keyboard.press('Enter');
    expect(await page.locator('dialog[open]').count()).toBe(0);
  }
  expect(await runsOf(id)).toEqual([]);
  expect(await chip(page)).toBe('Draft');
  await page.context().close();
});

test('what would only be refused is said, and is no button', async () => {
  const { page, token } = await visitor('refused');
  const { id } = await mailingTo(token, [], { audience: 'selected', startAt: new Date().toISOString() });
  await page.goto(`/mailings/${id}`);
  expect(await page.locator('.stage-line').innerText()).toContain('This mailing has no recipients.');
  expect(await button(page, /^(Send now|Schedule)/).count()).toBe(0);
  const past = await mailingTo(token, ['refused@example.org'], {
    startAt: '2020-01-01T09:00:00Z',
    endAt: '2020-02-01T09:00:00Z',
  });
  await page.goto(`/mailings/${past.id}`);
  expect(await page.locator('.stage-line').innerText()).toContain('The end of this mailing has passed.');
  expect(await button(page, /^(Send now|Schedule)/).count()).toBe(0);
  await page.context().close();
});

test('later edits and imports change nothing of what was sent', async () => {
  const { page, token } = await visitor('past');
  const { id, messageId } = await mailingTo(token, emails(2, 'past'), { name: '' }, { subject: 'As it was' });
  await post(token, `/mailings/${id}/send`);
  const [run] = await over(id);
  await eventually(
    async () => (await site.api.call('GET', `/api/v1/mailings/${id}`, { token })).body.status === 'done',
    'the end of the mailing',
  );
  const changed = await site.api.call('PATCH', `/api/v1/messages/${messageId}`, {
    token,
    body: { subject: 'Rewritten' },
  });
  expect(changed.status).toBe(200);
  for (const email of emails(5, 'later')) await post(token, '/clients', { email, fullName: 'Later' });
  await page.goto('/mailings');
  expect(await page.locator('#results tbody td').allInnerTexts()).toEqual(expect.arrayContaining(['As it was', '2']));
  await page.goto(`/mailings/${id}`);
  expect(await page.locator('h1').innerText()).toContain('As it was');
  expect(await page.locator('.facts').innerText()).toContain('All clients (2 people)');
  await page.goto('/reports');
  expect(await page.locator('main').innerText()).toContain('As it was');
  for (const path of ['/', '/mailings', `/mailings/${id}`, `/runs/${run?.id}`, '/reports', '/attempts']) {
    await page.goto(path);
    expect(await page.locator('main').innerText()).not.toContain('Rewritten');
  }
  const { body } = await site.api.call('GET', `/api/v1/mailings/${id}`, { token });
  expect(body).toMatchObject({ recipientCount: 2 });
  await page.context().close();
});

test('a new name counts from the next sending on', async () => {
  const { page, token } = await visitor('renamed');
  const { id } = await mailingTo(token, emails(1, 'renamed'), { name: 'First name', period: 'daily' });
  await post(token, `/mailings/${id}/send`);
  await over(id);
  await site.api.call('PATCH', `/api/v1/mailings/${id}`, { token, body: { name: 'Second name' } });
  await page.goto('/attempts');
  const attempts = page.locator('#results tbody');
  expect(await attempts.innerText()).toContain('First name');
  expect(await attempts.innerText()).not.toContain('Second name');
  await page.goto('/clients?search=renamed0');
  await page.getByText('renamed0@example.org').click();
  expect(await page.locator('main').innerText()).toContain('First name');
  await page.context().close();
});

test('those who wait or failed are not said to have got it', async () => {
  const { page, token } = await visitor('left');
  const { id } = await waitingMailing(token, [...emails(2, 'left')]);
  const [run] = await runsOf(id);
  await site.api.database.affected(
    `UPDATE deliveries SET status = 'failed', reason = 'rejected', next_attempt_at = NULL
      WHERE run_id = $1 AND email = 'left0@example.org'`,
    [run?.id],
  );
  await post(token, `/mailings/${id}/pause`);
  await post(token, '/clients', { email: 'new@example.org', fullName: 'New' });
  await site.api.database.affected(`UPDATE mailings SET status = 'started', joined_from = NULL WHERE id = $1`, [id]);
  await page.goto(`/mailings/${id}`);
  await button(page, 'Send now').first().click();
  const dialog = await page.locator('dialog[open]').innerText();
  expect(dialog).toContain('A letter to 1 person is on its way already.');
  expect(dialog).toContain('It failed for 1 person.');
  expect(dialog).not.toContain('got it');
  await page.context().close();
});

test('the form finds every message, with and without a script', async () => {
  const { page, id: ownerId, email } = await visitor('many');
  await site.api.database.affected(
    `INSERT INTO messages (owner_id, subject, body)
     SELECT $1, CASE WHEN i = 1 THEN 'The oldest, {{ client.fullName }}' ELSE 'Message ' || i END, '<p>Hi</p>'
       FROM generate_series(1, 230) i ORDER BY i`,
    [ownerId],
  );
  await page.goto('/mailings/new');
  expect(await page.locator('.letter-choice').count()).toBe(12);
  expect(await page.locator('.letter-choice').first().innerText()).toContain('Message 230');
  await page.fill('[name=findMessage]', 'oldest');
  // No more letters are fetched than are in sight.
  const frames: string[] = [];
  page.on('request', (request) => request.url().endsWith('/letter.html') && frames.push(request.url()));
  await page.getByRole('radio', { name: 'The oldest, …' }).check();
  await page.locator('#letter-look summary', { hasText: 'The oldest, …' }).waitFor();
  await page.frameLocator('.letter-choice:has(:checked) iframe').getByText('Hi', { exact: true }).waitFor();
  expect(new Set(frames).size).toBeLessThanOrEqual(12);
  await button(page, 'Save').first().click();
  await page.waitForURL(/\/mailings\/\d+$/);
  expect(await page.locator('h1').innerText()).toContain('The oldest, …');
  expect(await page.locator('main').innerText()).not.toContain('{{');

  const plain = await site.open({ javaScriptEnabled: false });
  await site.signIn(plain.page, email);
  await plain.page.goto('/mailings/new');
  await plain.page.fill('[name=name]', 'Kept');
  await plain.page.fill('[name=findMessage]', 'oldest');
  await button(plain.page, 'Find').click();
  expect(await plain.page.inputValue('[name=name]')).toBe('Kept');
  await plain.page.getByRole('radio', { name: 'The oldest, …' }).check();
  await plain.page.frameLocator('.letter-choice:has(:checked) iframe').getByText('Hi', { exact: true }).waitFor();
  await plain.page.getByRole('button', { name: 'Save', exact: true }).click();
  expect(await plain.page.locator('h1').innerText()).toContain('Kept');
  await plain.context.close();
  await page.context().close();
});

test('somebody new schedules a weekly mailing, and reads in the list that it is scheduled and when', async () => {
  const { page, token } = await visitor('weekly');
  for (const email of emails(7, 'weekly')) await post(token, '/clients', { email, fullName: `Reader ${email[6]}` });
  await post(token, '/suppressions', { email: 'weekly6@example.org' });
  await post(token, '/messages', messageBody({ subject: 'Hello, {{ client.fullName }}' }));
  await page.goto('/mailings');
  await page.getByRole('link', { name: 'New mailing' }).first().click();
  const who = page.locator('#recipients');
  expect(await who.innerText()).toContain('7 people at present.');
  expect(await who.innerText()).toContain(
    'The first of those who get it: Reader 0, Reader 1, Reader 2, Reader 3, Reader 4 …',
  );
  expect(await who.innerText()).toContain('Chosen: 7, will get it: 6. Will not get it: 1 excluded by hand.');
  expect(await page.locator('#check').innerText()).toContain('No obstacle found in the letter');
  await page.check('[name=audience][value=selected]');
  await page.fill('[name=clientIds]', 'weekly1@example.org, nobody@example.org');
  await who.getByText('1 person at present.').waitFor();
  expect(await who.innerText()).toContain('1 address is not among your clients.');
  expect(await page.locator('#check').innerText()).toContain('1 address is not among your clients.');
  await page.check('[name=audience][value=segment]');
  await page.locator('#check', { hasText: 'Choose a segment.' }).waitFor();
  await page.fill('[name=endAt]', '2020-01-01T00:00');
  await page.locator('#check', { hasText: 'With this start and end it is never sent.' }).waitFor();
  await page.fill('[name=endAt]', '');
  await page.check('[name=audience][value=all]');
  await page.selectOption('[name=period]', 'weekly');
  await page.waitForFunction(() => document.querySelectorAll('#occurrences li').length === 5);
  const first = await page.locator('#occurrences li').first().innerText();
  await button(page, 'Save and schedule').click();
  await page.waitForURL(/\/mailings\/\d+$/);
  expect(await chip(page)).toBe('Scheduled');
  expect(await page.locator('main').innerText()).toContain(`Goes out next on ${first}.`);
  await page.goto('/mailings');
  const row = await page.locator('#results tbody tr').first().innerText();
  expect(row).toContain('Hello, …');
  expect(row).toContain('Scheduled');
  expect(row).toContain(first);
  await page.context().close();
});

test('what is saved and not scheduled says so, in the list, too, and its button schedules it', async () => {
  const { page, token } = await visitor('draft');
  await mailingTo(token, emails(2, 'draft'), { period: 'weekly' });
  await page.goto('/mailings');
  expect(await page.locator('#results').innerText()).toContain('not scheduled');
  await page.getByRole('link', { name: 'News' }).click();
  expect(await page.locator('.stage-line').innerText()).toContain('Saved, not scheduled: nobody gets it yet.');
  await button(page, /^Schedule: first on/).click();
  expect(await page.locator('dialog[open]').innerText()).toContain('2 letters from');
  await page.locator('dialog[open] button').click();
  expect(await page.locator('.flash').innerText()).toBe('The mailing is scheduled.');
  expect(await chip(page)).toBe('Scheduled');
  await page.context().close();
});

test('a button that says "Schedule" sends nothing, if the time has come until it is pressed', async () => {
  const { page, token } = await visitor('late');
  const { id } = await mailingTo(token, emails(2, 'late'), { period: 'weekly' });
  await page.goto(`/mailings/${id}`);
  await button(page, /^Schedule: first on/).click();
  await site.api.database.affected(`UPDATE mailings SET start_at = now() - interval '1 hour' WHERE id = $1`, [id]);
  await page.locator('dialog[open] button').click();
  await page.locator('[role=alert]', { hasText: 'Its time came meanwhile' }).waitFor();
  expect(await runsOf(id)).toEqual([]);
  expect(await button(page, /^Schedule: first on/).count()).toBe(0);
  await page.context().close();
});

test('a letter is seen as it was sent, at the run and at the client', async () => {
  const { page, token } = await visitor('letter');
  const { id, messageId } = await mailingTo(
    token,
    [...emails(1, 'letter'), `${Inbox.REFUSED}letter@example.org`],
    {},
    { subject: 'For {{ client.fullName }}', body: '<p>Dear {{ client.fullName }}</p>' },
  );
  await post(token, `/mailings/${id}/send`);
  const [run] = await over(id);
  await site.api.call('PATCH', `/api/v1/messages/${messageId}`, {
    token,
    body: { subject: 'Rewritten', body: '<p>Rewritten</p>' },
  });
  const seen = async () => {
    expect(await page.locator('h1').innerText()).toBe('For Client 1');
    const letter = page.frameLocator('iframe.letter').locator('body');
    expect(await letter.innerText()).toContain('Dear Client 1');
    expect(await letter.innerText()).toContain('Main Street 1');
  };
  await page.goto(`/runs/${run?.id}`);
  await page.getByRole('link', { name: 'See the letter as sent' }).click();
  await seen();
  await page.goto('/clients?search=letter0');
  await page.getByText('letter0@example.org').click();
  await page.getByRole('link', { name: 'Letter', exact: true }).click();
  await seen();
  const failed = await site.api.database.first<{ id: number }>(
    `SELECT id FROM deliveries WHERE run_id = $1 AND status = 'failed'`,
    [run?.id],
  );
  const stranger = await visitor('stranger');
  for (const [who, path] of [
    [page, `/deliveries/${failed?.id}/letter`],
    [stranger.page, `/runs/${run?.id}/letter`],
    [stranger.page, `/runs/${run?.id}/letter.html`],
  ] as const)
    expect((await who.goto(path))?.status()).toBe(404);
  await page.context().close();
});

test('no page complained', () => {
  expect(site.complaints).toEqual([]);
});
