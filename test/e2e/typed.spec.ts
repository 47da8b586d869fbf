import type { BrowserContext, Page } from 'playwright-core';
import { PASSWORD } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';
import { eventually } from '../support/service';
import { Site } from '../support/site';

/** Nothing that somebody has typed is lost: not by a session that ends, a lost connection, another page, or a test letter. */

let site: Site;

beforeAll(async () => {
  site = await Site.start();
});

afterAll(async () => {
  await site.stop();
  // Live parts of a page say so, too, when there is no connection.
  expect(site.complaints.filter((complaint) => !complaint.includes('Failed to fetch'))).toEqual([]);
});

const press = (page: Page, name: string | RegExp) => page.locator('main').getByRole('button', { name }).first().click();

async function post(path: string, token: string, body: object): Promise<number> {
  return (await site.api.call('POST', `/api/v1${path}`, { token, body })).body.id;
}

const saved = async (path: string, token: string) => (await site.api.call('GET', `/api/v1${path}`, { token })).body;

const endSessions = (userId: number) =>
  site.api.database.rows(`UPDATE sessions SET expires_at = now() - interval '1 minute' WHERE user_id = $1`, [userId]);

const draftOf = (userId: number, page: string) =>
  site.api.database.first<{ fields: Record<string, string> }>(
    'SELECT fields FROM form_drafts WHERE user_id = $1 AND page = $2',
    [userId, page],
  );

/** Types into the text part, which has no editor over it. */
async function typeText(page: Page, text: string): Promise<void> {
  if (!(await page.locator('[name=bodyText]').isVisible())) await page.locator('details.field summary').click();
  await page.fill('[name=bodyText]', text);
}

async function signInHere(page: Page, email: string): Promise<void> {
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', PASSWORD);
  await page.click('main button');
}

/** Another window of the same browser, in which somebody signs in anew. */
async function signInElsewhere(context: BrowserContext, email: string): Promise<void> {
  const other = await context.newPage();
  await other.goto('/sign-in');
  await signInHere(other, email);
  await other.waitForURL(`${site.api.url}/`);
  await other.close();
}

/** Answers the browser's question whether to leave, and tells whether it was asked. */
async function leaves(page: Page, how: () => Promise<unknown>, answer: 'stay' | 'leave' = 'stay'): Promise<boolean> {
  let asked = false;
  const listen = async (dialog: { type(): string; accept(): Promise<void>; dismiss(): Promise<void> }) => {
    asked = dialog.type() === 'beforeunload';
    await (answer === 'leave' ? dialog.accept() : dialog.dismiss());
  };
  page.once('dialog', listen);
  await how().catch(() => undefined);
  page.off('dialog', listen);
  return asked;
}

const note = (page: Page) => page.locator('[data-kept-note]');
const problem = (page: Page) => page.locator('[data-kept-problem]');
const bar = (page: Page) => page.locator('.kept-bar');

describe.each([true, false])('with JavaScript: %s', (javaScriptEnabled) => {
  const who = (name: string) => `${name}-${javaScriptEnabled ? 'script' : 'plain'}@example.org`;

  test('a session that ends while somebody writes takes nothing with it', async () => {
    const { page, context, token, id } = await site.visitor(who('over'), { javaScriptEnabled });
    const message = await post('/messages', token, messageBody({ subject: 'Before' }));
    await page.goto(`/messages/${message}`);
    await page.fill('[name=subject]', 'After');
    await typeText(page, 'Many words, and "quotes" & more');
    await endSessions(id);
    await press(page, 'Save');
    await page.waitForURL(/\/sign-in\?/);
    expect(await page.locator('.door [role=status]').innerText()).toContain('what you have typed is kept');
    // A wrong password on the way changes nothing.
    await page.fill('[name=email]', who('over'));
    await page.fill('[name=password]', 'a wrong password');
    await page.click('main button');
    expect(await page.locator('.door [role=status]').innerText()).toContain('is kept');
    await signInHere(page, who('over'));
    await bar(page).waitFor();
    expect(page.url()).toBe(`${site.api.url}/messages/${message}`);
    // If a draft was kept before the session ended, it is shown until what was typed after it is there.
    const text = 'Many words, and "quotes" & more';
    await eventually(async () => (await page.inputValue('[name=bodyText]')) === text, 'the whole text is there');
    expect(await page.inputValue('[name=subject]')).toBe('After');
    expect((await saved(`/messages/${message}`, token)).subject).toBe('Before');
    await press(page, 'Save');
    await page.locator('.flash').waitFor();
    expect(await saved(`/messages/${message}`, token)).toMatchObject({
      subject: 'After',
      bodyText: 'Many words, and "quotes" & more',
    });
    expect(await draftOf(id, `/messages/${message}`)).toBeUndefined();
    expect(await bar(page).count()).toBe(0);
    await context.close();
  });

  test('a page that was opened before somebody signed in anew loses nothing', async () => {
    const { page, context, token } = await site.visitor(who('stale'), { javaScriptEnabled });
    const client = await post('/clients', token, { email: who('client'), fullName: 'Before' });
    await page.goto(`/clients/${client}/edit`);
    await page.fill('[name=fullName]', 'After');
    await signInElsewhere(context, who('stale'));
    await press(page, 'Save');
    if (!javaScriptEnabled) {
      expect(await page.locator('.flash').innerText()).toContain('nothing was saved yet');
      expect(await page.inputValue('[name=fullName]')).toBe('After');
      expect((await saved(`/clients/${client}`, token)).fullName).toBe('Before');
      await press(page, 'Save');
    }
    await page.waitForURL(`${site.api.url}/clients/${client}`);
    expect((await saved(`/clients/${client}`, token)).fullName).toBe('After');
    await context.close();
  });

  test('a test letter says what stands in the form, which keeps it', async () => {
    const { page, context, token } = await site.visitor(who('tests'), { javaScriptEnabled });
    const message = await post('/messages', token, messageBody({ subject: 'Old subject', bodyText: 'Old text' }));
    await page.goto(`/messages/${message}`);
    await page.fill('[name=subject]', 'New subject');
    await typeText(page, 'New text');
    await press(page, /test/i);
    await page.locator('.flash').waitFor();
    const { mail } = await site.inbox.letterTo(who('tests'));
    expect(mail.subject).toContain('New subject');
    expect(mail.text).toContain('New text');
    expect(await page.inputValue('[name=subject]')).toBe('New subject');
    expect(await page.inputValue('[name=bodyText]')).toBe('New text');
    expect((await saved(`/messages/${message}`, token)).subject).toBe('Old subject');
    // Loading the page anew sends no second letter.
    await page.reload();
    expect(await page.inputValue('[name=subject]')).toBe('New subject');

    await page.goto('/messages/new?as=html');
    await page.fill('[name=subject]', 'Not saved {{ nonsense }}');
    await press(page, /test/i);
    await page.locator('[role=alert]:visible').waitFor();
    expect(await page.inputValue('[name=subject]')).toBe('Not saved {{ nonsense }}');
    await page.fill('[name=subject]', 'Not saved at all');
    await press(page, /test/i);
    await page.locator('.flash').waitFor();
    expect((await site.inbox.letterTo(who('tests'), 2)).mail.subject).toContain('Not saved at all');
    expect(await page.inputValue('[name=subject]')).toBe('Not saved at all');
    expect((await saved('/messages', token)).items).toHaveLength(1);
    expect(site.inbox.letters.filter(({ to }) => to === who('tests'))).toHaveLength(2);
    await context.close();
  });

  test('a letter is seen and tried from the last step of a mailing, which keeps what was typed', async () => {
    const { page, context, token } = await site.visitor(who('step4'), { javaScriptEnabled });
    const old = await post('/messages', token, messageBody({ subject: 'Old one', body: '<h1>Old letter</h1>' }));
    await post('/messages', token, messageBody({ subject: 'New one', body: '<h1>New letter</h1>' }));
    const mailing = await post('/mailings', token, mailingBody(old, { name: 'Stays' }));
    for (const [i, at] of ['/mailings/new', `/mailings/${mailing}/edit`].entries()) {
      await page.goto(at);
      await page.fill('[name=name]', 'Typed');
      await page.fill('[name=startAt]', '');
      await page.getByRole('radio', { name: i === 0 ? 'Old one' : 'New one' }).check();
      const [subject, heading] = i === 0 ? ['Old one', 'Old letter'] : ['New one', 'New letter'];
      if (!javaScriptEnabled) await press(page, 'Show the letter that is chosen now');
      await page.getByText(`See the letter “${subject}”`).click();
      await page.frameLocator('#letter-look iframe').getByText(heading).waitFor();
      await press(page, /test/i);
      await page.locator('.flash').waitFor();
      expect(page.url()).toBe(site.api.url + at);
      expect((await site.inbox.letterTo(who('step4'), i + 1)).mail.subject).toContain(subject);
      expect(await page.inputValue('[name=name]')).toBe('Typed');
      expect(await page.getByRole('radio', { name: subject }).isChecked()).toBe(true);
    }
    expect(await saved(`/mailings/${mailing}`, token)).toMatchObject({ name: 'Stays', messageId: old });
    await context.close();
  });

  test('a message written on the way to a mailing comes back to it, chosen', async () => {
    const { page, context, token } = await site.visitor(who('round'), { javaScriptEnabled });
    const first = await post('/messages', token, messageBody({ subject: 'First' }));
    const mailing = await post('/mailings', token, mailingBody(first, { name: 'Stays' }));
    for (const at of ['/mailings/new', `/mailings/${mailing}/edit`]) {
      await page.goto(at);
      await page.fill('[name=name]', `Waits ${at}`);
      await page.fill('[name=startAt]', '2031-05-06T07:08');
      await press(page, 'Write a new message');
      await page.waitForURL(/\/messages\/new\?back=/);
      await page.getByRole('link', { name: 'Write HTML' }).click();
      await page.fill('[name=subject]', `For ${at}`);
      await press(page, 'Save');
      await page.waitForURL(site.api.url + at);
      expect(await page.inputValue('[name=name]')).toBe(`Waits ${at}`);
      expect(await page.inputValue('[name=startAt]')).toBe('2031-05-06T07:08');
      expect(await page.getByRole('radio', { name: `For ${at}` }).isChecked()).toBe(true);
      await press(page, 'Save');
      await page.waitForURL(/\/mailings\/\d+$/);
      const made = await saved(`/mailings/${page.url().split('/').at(-1)}`, token);
      expect(made).toMatchObject({ name: `Waits ${at}`, startAt: '2031-05-06T07:08:00.000Z' });
    }
    await context.close();
  });
});

test('Enter in the form of a mailing saves it, and neither leaves it nor schedules anything', async () => {
  for (const javaScriptEnabled of [true, false]) {
    const who = `enter-${javaScriptEnabled ? 'script' : 'plain'}@example.org`;
    const { page, context, token } = await site.visitor(who, { javaScriptEnabled });
    const message = await post('/messages', token, messageBody());
    const mailing = await post('/mailings', token, mailingBody(message, { name: 'Before' }));
    await page.goto(`/mailings/${mailing}/edit`);
    await page.fill('[name=name]', 'By Enter');
    await page.press('[name=name]', 'Enter');
    await page.waitForURL(`${site.api.url}/mailings/${mailing}`);
    expect(await saved(`/mailings/${mailing}`, token)).toMatchObject({ name: 'By Enter', status: 'created' });
    await context.close();
  }
});

test('in the window of somebody else nothing is saved', async () => {
  const { page, context, token, id } = await site.visitor('mine@example.org');
  await site.api.person('user', 'yours@example.org');
  const message = await post('/messages', token, messageBody({ subject: 'Before' }));
  await page.goto(`/messages/${message}`);
  await page.fill('[name=subject]', 'After');
  await note(page).getByText('Draft saved').waitFor();
  await signInElsewhere(context, 'yours@example.org');
  await page.fill('[name=subject]', 'After that');
  await press(page, 'Save');
  await problem(page).getByText('Somebody else has signed in').waitFor();
  expect(await page.inputValue('[name=subject]')).toBe('After that');
  expect((await saved(`/messages/${message}`, token)).subject).toBe('Before');
  expect((await draftOf(id, `/messages/${message}`))?.fields.subject).toBe('After');
  await signInElsewhere(context, 'mine@example.org');
  await press(page, 'Save');
  await page.locator('.flash').waitFor();
  expect((await saved(`/messages/${message}`, token)).subject).toBe('After that');
  await context.close();
});

test('drafts are kept by themselves, are found again, and can be discarded', async () => {
  const { page, context, token, id } = await site.visitor('drafts@example.org');
  const message = await post('/messages', token, messageBody({ subject: 'Saved' }));
  const at = `/messages/${message}`;
  await page.goto(at);
  await page.fill('[name=subject]', 'Typed');
  await note(page).getByText('Draft saved just now').waitFor();
  await note(page).getByText('Draft saved 5 seconds ago').waitFor();
  expect((await draftOf(id, at))?.fields.subject).toBe('Typed');
  expect((await draftOf(id, at))?.fields).not.toHaveProperty('_csrf');

  await page.locator('.menu a[href="/clients"]').waitFor();
  expect(await leaves(page, () => page.goto('/clients'))).toBe(true);
  expect(page.url()).toBe(site.api.url + at);
  // After an answer "stay" a slow browser may leave without another question, or need a second push.
  await eventually(async () => {
    await leaves(page, () => page.goto('/clients'), 'leave');
    return page.url() === `${site.api.url}/clients`;
  }, 'the page is left');
  await page.goBack();
  await bar(page).waitFor();
  expect(await page.inputValue('[name=subject]')).toBe('Typed');
  expect(await leaves(page, () => page.goto('/clients'))).toBe(false);

  // What others have is not theirs to see.
  const admin = await site.open();
  await site.api.person('admin', 'looks@example.org');
  await site.signIn(admin.page, 'looks@example.org');
  await admin.page.goto(at);
  expect(await admin.page.inputValue('[name=subject]')).toBe('Saved');
  await admin.context.close();

  await page.goto(at);
  await bar(page).waitFor();
  await press(page, 'Discard the draft');
  await bar(page).waitFor({ state: 'detached' });
  expect(await page.inputValue('[name=subject]')).toBe('Saved');
  expect(await draftOf(id, at)).toBeUndefined();
  await page.reload();
  expect(await page.inputValue('[name=subject]')).toBe('Saved');

  // Enter saves, although the button that discards the draft stands before the one that saves.
  await page.fill('[name=subject]', 'By Enter');
  await note(page).getByText('Draft saved').waitFor();
  await leaves(page, () => page.goto(at), 'leave');
  await bar(page).waitFor();
  await page.press('[name=subject]', 'Enter');
  await page.locator('.flash').waitFor();
  expect((await saved(at, token)).subject).toBe('By Enter');
  await context.close();
});

test('every form that makes or changes something finds its text again', async () => {
  const { page, context, token } = await site.visitor('forms@example.org');
  await post('/tags', token, { name: 'VIP' });
  const message = await post('/messages', token, messageBody());
  const client = await post('/clients', token, { email: 'x@example.org' });
  const mailing = await post('/mailings', token, mailingBody(message));
  const filter = { all: [{ field: 'email', op: 'contains', value: 'a' }] };
  const segment = await post('/segments', token, { name: 'Seg', filter });
  const form = await post('/forms', token, { name: 'F', title: 'T' });
  const cases: [path: string, field: string][] = [
    ['/messages/new?as=html', 'subject'],
    ['/mailings/new', 'name'],
    [`/mailings/new?messageId=${message}`, 'name'],
    [`/mailings/${mailing}/edit`, 'name'],
    ['/clients/new', 'comment'],
    [`/clients/${client}/edit`, 'comment'],
    ['/segments/new', 'name'],
    [`/segments/${segment}/edit`, 'g0.0.value'],
    ['/forms/new', 'intro'],
    [`/forms/${form}/edit`, 'intro'],
    ['/sender', 'postalAddress'],
  ];
  for (const [path, field] of cases) {
    await page.goto(path);
    await page.fill(`[name="${field}"]`, `Typed at ${path}`);
    await note(page).getByText('Draft saved').waitFor();
    await leaves(page, () => page.goto('/'), 'leave');
  }
  for (const [path, field] of cases) {
    await page.goto(path);
    await bar(page).waitFor();
    expect(await page.inputValue(`[name="${field}"]`)).toBe(`Typed at ${path}`);
  }
  // Rows that a draft has and the saved segment has not.
  await page.goto(`/segments/${segment}/edit`);
  await press(page, 'Add a condition');
  await page.fill('[name="g0.1.value"]', 'second');
  await note(page).getByText('Draft saved').waitFor();
  await leaves(page, () => page.goto(`/segments/${segment}/edit`), 'leave');
  expect(await page.inputValue('[name="g0.1.value"]')).toBe('second');
  await context.close();
});

test('without a connection nothing is lost, nor what was typed meanwhile', async () => {
  const { page, context, token, id } = await site.visitor('offline@example.org');
  const message = await post('/messages', token, messageBody({ subject: 'Before' }));
  const at = `/messages/${message}`;
  await page.goto(at);
  await context.setOffline(true);
  await page.fill('[name=subject]', 'Typed offline');
  await note(page).getByText('There is no connection').waitFor();
  await press(page, 'Save');
  await problem(page).getByText('There is no connection, so this was not saved').waitFor();
  expect(await page.inputValue('[name=subject]')).toBe('Typed offline');
  expect(await draftOf(id, at)).toBeUndefined();
  // The browser is closed, and opened again where there is a connection.
  await page.close({ runBeforeUnload: false });
  await context.setOffline(false);
  const again = await context.newPage();
  await again.goto(at);
  await bar(again).waitFor();
  expect(await again.inputValue('[name=subject]')).toBe('Typed offline');

  await context.setOffline(true);
  await again.fill('[name=subject]', 'Once more');
  await note(again).getByText('There is no connection').waitFor();
  await context.setOffline(false);
  await eventually(async () => (await draftOf(id, at))?.fields.subject === 'Once more', 'the draft is kept');
  await press(again, 'Save');
  await again.locator('.flash').waitFor();
  expect((await saved(at, token)).subject).toBe('Once more');
  await context.close();
});

/** Lets the service take no drafts from a page. @returns how to end that */
async function busy(page: Page, status = 429): Promise<() => Promise<void>> {
  await page.route('**/drafts', (route) => route.fulfill({ status, body: '' }));
  return () => page.unroute('**/drafts');
}

/** Leaves text in the browser that the service never got, and opens no page yet. */
async function typedUnsent(page: Page, at: string, subject: string): Promise<void> {
  await page.goto(at);
  await busy(page);
  await page.fill('[name=subject]', subject);
  await note(page).getByText('The service cannot take your text right now').waitFor();
  await page.close({ runBeforeUnload: false });
}

const unsent = (page: Page) => page.locator('[data-kept-unsent]');

test('text that only this browser has is offered while the service does not take it, whatever is typed then', async () => {
  const { page, context, token, id } = await site.visitor('unsent@example.org');
  const at = `/messages/${await post('/messages', token, messageBody({ subject: 'Before' }))}`;
  await typedUnsent(page, at, 'Only here');
  const again = await context.newPage();
  const free = await busy(again);
  await again.goto(at);
  await unsent(again).waitFor();
  await again.fill('[name=subject]', 'Something else');
  await note(again).getByText('kept in this browser').waitFor();
  await free();
  await eventually(async () => (await draftOf(id, at))?.fields.subject === 'Something else', 'the draft is kept');
  await again.close({ runBeforeUnload: false });
  // There is a draft, and older text beside it: neither takes the place of the other by itself.
  const third = await context.newPage();
  await third.goto(at);
  await unsent(third).waitFor();
  expect(await third.inputValue('[name=subject]')).toBe('Something else');
  await press(third, 'Use it instead');
  await unsent(third).waitFor({ state: 'detached' });
  await third.waitForFunction(() => document.querySelector<HTMLInputElement>('[name=subject]')?.value === 'Only here');
  expect((await draftOf(id, at))?.fields.subject).toBe('Only here');
  await press(third, 'Save');
  await third.locator('.flash').waitFor();
  expect((await saved(at, token)).subject).toBe('Only here');
  expect(await unsent(third).count()).toBe(0);
  await context.close();
});

test('what is typed while such text is on its way is not replaced by it', async () => {
  const { page, context, token, id } = await site.visitor('meanwhile@example.org');
  const at = `/messages/${await post('/messages', token, messageBody({ subject: 'Before' }))}`;
  await typedUnsent(page, at, 'Only here');
  const again = await context.newPage();
  let go: () => void = () => undefined;
  const held = new Promise<void>((done) => (go = done));
  await again.route('**/drafts', async (route) => {
    await held;
    await route.continue();
  });
  await Promise.all([again.waitForRequest('**/drafts'), again.goto(at)]);
  await again.fill('[name=subject]', 'Typed meanwhile');
  go();
  await unsent(again).waitFor();
  expect(await again.inputValue('[name=subject]')).toBe('Typed meanwhile');
  await eventually(async () => (await draftOf(id, at))?.fields.subject === 'Typed meanwhile', 'the draft is kept');
  await press(again, 'Discard it');
  await unsent(again).waitFor({ state: 'detached' });
  await press(again, 'Save');
  await again.locator('.flash').waitFor();
  expect((await saved(at, token)).subject).toBe('Typed meanwhile');
  expect((await unsent(again).count()) + (await bar(again).count())).toBe(0);
  await context.close();
});

test('two windows with the same form take nothing from each other', async () => {
  const { page: one, context, id } = await site.visitor('two@example.org');
  const at = '/messages/new?as=html';
  const two = await context.newPage();
  await one.goto(at);
  await two.goto(at);
  await one.fill('[name=subject]', 'One');
  await typeText(one, 'Text');
  await note(one).getByText('Draft saved').waitFor();
  await two.fill('[name=subject]', 'Two');
  await note(two).getByText('Draft saved').waitFor();
  await press(one, 'Save');
  await one.locator('.flash').waitFor();
  await eventually(async () => (await draftOf(id, at))?.fields.subject === 'Two', 'the other draft is kept again');

  // Text of one that the service did not get survives what the other does.
  const three = await context.newPage();
  await three.goto(at);
  await busy(two);
  await two.fill('[name=subject]', 'Two, unsent');
  await note(two).getByText('kept in this browser').waitFor();
  await three.fill('[name=subject]', 'Three');
  await note(three).getByText('Draft saved').waitFor();
  await two.close({ runBeforeUnload: false });
  await press(three, 'Save');
  await three.waitForURL(/\/messages\/\d+$/);
  await three.goto(at);
  await three.waitForFunction(
    () => document.querySelector<HTMLInputElement>('[name=subject]')?.value === 'Two, unsent',
  );
  expect((await draftOf(id, at))?.fields.subject).toBe('Two, unsent');
  await context.close();
});

test('a session that ends in two windows takes the text of neither', async () => {
  const { page: one, context, token, id } = await site.visitor('both@example.org');
  const at = `/messages/${await post('/messages', token, messageBody({ subject: 'Before' }))}`;
  const two = await context.newPage();
  for (const page of [one, two]) {
    await page.goto(at);
    await page.frameLocator('iframe[title="Preview"]').locator('p').first().waitFor();
  }
  await endSessions(id);
  for (const [page, subject] of [
    [one, 'One'],
    [two, 'Two'],
  ] as const) {
    await page.fill('[name=subject]', subject);
    await problem(page).getByText('You have been signed out').waitFor();
  }
  await press(two, 'Save');
  await press(one, 'Save');
  for (const page of [one, two]) await page.waitForURL(/\/sign-in\?/);
  // Each window finds its own text, and the second, which would take the place of a draft, offers it.
  await signInHere(one, 'both@example.org');
  await one.waitForFunction(() => document.querySelector<HTMLInputElement>('[name=subject]')?.value === 'One');
  await signInHere(two, 'both@example.org');
  await press(two, 'Use it instead');
  await two.waitForFunction(() => document.querySelector<HTMLInputElement>('[name=subject]')?.value === 'Two');
  await press(two, 'Save');
  await two.locator('.flash').waitFor();
  expect((await saved(at, token)).subject).toBe('Two');
  expect(await one.inputValue('[name=subject]')).toBe('One');
  await context.close();
});

test('a browser that keeps nothing sends the text when the session is over', async () => {
  const { page, context, token, id } = await site.visitor('nowhere@example.org');
  const at = `/messages/${await post('/messages', token, messageBody({ subject: 'Before' }))}`;
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new Error('there is no room');
    };
  });
  await page.goto(at);
  await page.frameLocator('iframe[title="Preview"]').locator('p').first().waitFor();
  await endSessions(id);
  await page.fill('[name=subject]', 'After');
  await press(page, 'Save');
  await page.waitForURL(/\/sign-in\?/);
  expect((await draftOf(id, at))?.fields.subject).toBe('After');
  await context.close();
});

test('what is looked for in a form is no text of it', async () => {
  const { page, context, token, id } = await site.visitor('looking@example.org');
  const message = await post('/messages', token, messageBody());
  await page.goto('/mailings/new');
  await page.fill('[name=findMessage]', 'Hi');
  // As long as a draft takes to be kept.
  await page.waitForTimeout(2_500);
  expect(await note(page).isVisible()).toBe(false);
  expect(await leaves(page, () => page.goto(`/messages/${message}`))).toBe(false);
  await page.fill('[name=subject]', 'Typed');
  await note(page).getByText('Draft saved').waitFor();
  expect(Object.keys((await draftOf(id, `/messages/${message}`))!.fields).sort()).toEqual([
    'body',
    'bodyText',
    'name',
    'subject',
    'version',
    'was',
  ]);
  await context.close();
});
