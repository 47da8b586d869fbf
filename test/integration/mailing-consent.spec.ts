import { PlannerService } from '../../src/features/runs/planner.service';
import { WebModule } from '../../src/web/web.module';
import { type Answer, type Person, startApi, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';

/** What a mailing's form and page say about consent, without a script, and how letters go out past the check. */

let api: TestApi;

// Nobody has a postal address unless a test enters one.
beforeAll(async () => {
  api = await startApi({ senderAddress: '', apiCallsPerMinute: 0 }, [WebModule]);
});
afterAll(() => api.close());

const rest = (person: Person, method: string, path: string, body?: object) =>
  api.call(method, `/api/v1${path}`, { token: person.token, ...(body && { body }) });

const look = async (person: Person, path: string) =>
  (await api.call('GET', path, { cookie: (await api.signIn(person.email)).cookie })).text;

async function submit(person: Person, path: string, fields: Record<string, string> = {}): Promise<Answer> {
  const { cookie, csrf } = await api.signIn(person.email);
  return api.call('POST', path, {
    cookie,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ _csrf: csrf, ...fields }).toString(),
  });
}

const addAddress = async (person: Person, postalAddress = 'High Street 1') =>
  expect((await rest(person, 'PATCH', '/sender', { postalAddress })).status).toBe(200);

let made = 0;

/** A mailing of this person to one client, not started. */
async function newMailing(of: Person, more: object = {}) {
  const client = { email: `reader${++made}@client.example`, fullName: 'Reader' };
  const clientId = (await rest(of, 'POST', '/clients', client)).body.id;
  const messageId = (await rest(of, 'POST', '/messages', messageBody())).body.id;
  const body = mailingBody(messageId, { audience: 'selected', clientIds: [clientId], name: 'News', ...more });
  return { id: (await rest(of, 'POST', '/mailings', body)).body.id, messageId, email: client.email };
}

const mailingOf = async (of: Person, id: number) => (await rest(of, 'GET', `/mailings/${id}`)).body;

const overrides = async (type: 'mailing' | 'run', id: number) =>
  (
    await api.database.rows<{ detail: { why: string } }>(
      `SELECT detail FROM audit_log WHERE action = 'mailing.override' AND object_type = $1 AND object_id = $2`,
      [type, id],
    )
  ).map(({ detail }) => detail.why);

describe('the form of a mailing', () => {
  const typed = (messageId: number) => ({
    name: 'Terms',
    messageId: String(messageId),
    audience: 'all',
    period: 'once',
    startAt: '2100-01-01T10:00',
    timeZone: 'UTC',
    onUnknown: 'resend',
    kind: 'transactional',
    transactionalReason: '',
    language: 'en',
  });
  const REASON = 'Their contract changes';

  it('asks for the kind and the language, which is the user’s unless chosen', async () => {
    const user = await api.person();
    await rest(user, 'PATCH', '/me', { language: 'ru' });
    const form = await look(user, '/mailings/new');
    expect(form).toMatch(/<input[^>]*name="kind"[^>]*value="marketing" checked/);
    expect(form).toContain('Приходит и тем, кто отписался; ссылки для отписки в письмах нет.');
    expect(form).toMatch(/name="transactionalReason"/);
    expect(form).toMatch(/<option value="ru" selected>Русский/);
  });

  it('keeps what was typed where the reason is missing, then makes the mailing, shows it and copies it', async () => {
    const user = await api.person();
    const { messageId } = await newMailing(user);
    const wrong = await submit(user, '/mailings/new', typed(messageId));
    expect(wrong.status).toBe(400);
    expect(wrong.text).toMatch(/<input[^>]*name="kind"[^>]*value="transactional" checked/);
    expect(wrong.text).toMatch(/<p class="field-problem" id="f-transactionalReason-problem">/);
    const long = await submit(user, '/mailings/new', { ...typed(messageId), transactionalReason: 'x'.repeat(501) });
    expect([long.status, long.text.includes('x'.repeat(501))]).toEqual([400, true]);

    const fields = { ...typed(messageId), transactionalReason: REASON, language: 'ru' };
    const saved = await submit(user, '/mailings/new', fields);
    const at = saved.headers.get('location') ?? '';
    expect(at).toMatch(/^\/mailings\/\d+$/);
    const shown = await look(user, at);
    for (const part of ['Transactional', REASON, 'Русский']) expect(shown).toContain(part);
    const edit = await look(user, `${at}/edit`);
    expect(edit).toContain(`value="${REASON}"`);
    expect(edit).toMatch(/<option value="ru" selected>/);

    const copied = (await submit(user, `${at}/copy`)).headers.get('location')?.match(/\d+/)?.[0];
    expect(await mailingOf(user, Number(copied))).toMatchObject({
      kind: 'transactional',
      transactionalReason: REASON,
      language: 'ru',
    });
    expect((await submit(user, `${at}/edit`, { ...fields, kind: 'marketing', language: 'en' })).status).toBe(303);
    expect(await mailingOf(user, Number(at.match(/\d+/)?.[0]))).toMatchObject({
      kind: 'marketing',
      transactionalReason: null,
      language: 'en',
    });
  });

  it('changes nothing of it where a page from before the upgrade is sent', async () => {
    const user = await api.person();
    const more = { kind: 'transactional', transactionalReason: REASON, language: 'ru' };
    const { id, messageId } = await newMailing(user, more);
    const { kind: _kind, transactionalReason: _reason, language: _language, ...before } = typed(messageId);
    expect((await submit(user, `/mailings/${id}/edit`, before)).status).toBe(303);
    expect(await mailingOf(user, id)).toMatchObject({ name: 'Terms', ...more });
  });
});

describe('a start that the check refuses', () => {
  it('tells a user what to mend and where, and offers no way past it', async () => {
    const user = await api.person();
    const { id } = await newMailing(user);
    for (const verb of ['start', 'send']) {
      const refused = await submit(user, `/mailings/${id}/${verb}`);
      expect(refused.status).toBe(409);
      expect(refused.text).toContain('The letters have no postal address');
      expect(refused.text).toContain('href="/sender"');
      expect(refused.text).not.toContain('name="override"');
    }
    const shown = await look(user, `/mailings/${id}`);
    expect(shown).toContain('href="/sender"');
    expect(shown).not.toContain('name="override"');
    expect((await submit(user, `/mailings/${id}/start`, { override: 'I want to' })).status).toBe(403);
    expect((await mailingOf(user, id)).status).toBe('created');
  });

  it.each([
    ['start', 'Schedule anyway'],
    ['send', 'Send now anyway'],
  ])('lets a manager %s their own, for a reason that is audited', async (verb, button) => {
    const manager = await api.person('manager');
    const { id } = await newMailing(manager);
    const shown = await look(manager, `/mailings/${id}`);
    expect(shown).toContain(`formaction="/mailings/${id}/${verb}"`);
    expect(shown).toContain(button);

    const path = `/mailings/${id}/${verb}`;
    for (const override of ['', '  ', 'x'.repeat(501)]) {
      const again = await submit(manager, path, { override });
      expect(again.status).toBe(400);
      expect(again.text).toContain('id="f-override-problem"');
    }
    expect((await submit(manager, path)).text).toContain(button);
    expect((await mailingOf(manager, id)).status).toBe('created');
    expect((await submit(manager, path, { override: 'The address is in the text' })).status).toBe(303);
    expect((await mailingOf(manager, id)).status).toBe('started');
    expect(await overrides('mailing', id)).toEqual(['The address is in the text']);
    expect(await look(manager, '/audit')).toContain('The address is in the text');
    expect(await look(manager, `/mailings/${id}`)).toContain('let the mailing go out anyway');
  });

  it('of what is due offers no start, which would be refused, but to send it now', async () => {
    const manager = await api.person('manager');
    const { id } = await newMailing(manager, {
      startAt: new Date(Date.now() - 60_000).toISOString(),
      period: 'weekly',
    });
    const shown = await look(manager, `/mailings/${id}`);
    expect(shown).not.toContain(`formaction="/mailings/${id}/start"`);
    expect(shown).toContain(`formaction="/mailings/${id}/send"`);
    expect((await submit(manager, `/mailings/${id}/send`, { override: 'It has to go out' })).status).toBe(303);
    expect((await mailingOf(manager, id)).status).toBe('started');
  });

  it('of another’s mailing tells an admin that its owner has to mend it', async () => {
    const [user, admin] = [await api.person(), await api.person('admin')];
    const { id } = await newMailing(user);
    const shown = await look(admin, `/mailings/${id}`);
    expect(shown).toContain('The owner of the mailing enters it');
    expect(shown).not.toMatch(/<a href="\/sender">Enter it now/);
    const manager = await api.person('manager');
    expect(await look(manager, `/mailings/${id}`)).not.toContain('name="override"');
    expect((await submit(manager, `/mailings/${id}/start`, { override: 'I want to' })).status).toBe(403);
    expect((await submit(admin, `/mailings/${id}/start`, { override: 'Agreed with them' })).status).toBe(303);
  });

  it.each([
    ['en', 'Chosen: 2, will get it: 1. Will not get it: 1 excluded by hand.'],
    ['ru', 'Выбрано: 2, получат: 1. Не получат: исключены вручную — 1.'],
  ])('says beforehand how many get nothing, and why: %s', async (language, words) => {
    const user = await api.person();
    await rest(user, 'PATCH', '/me', { language });
    const { id, email } = await newMailing(user);
    const second = (await rest(user, 'POST', '/clients', { email: `second-${email}`, fullName: 'B' })).body.id;
    await rest(user, 'POST', `/mailings/${id}/clients`, { clientIds: [second] });
    await rest(user, 'POST', '/suppressions', { email });
    expect(await look(user, `/mailings/${id}`)).toContain(words);
    // Its last letters are going out: the numbers of the sending tell it, and who is left out later gets one still.
    await addAddress(user);
    expect((await rest(user, 'POST', `/mailings/${id}/send`)).status).toBe(202);
    const shown = await look(user, `/mailings/${id}`);
    expect(shown).toContain('id="run-live"');
    expect(shown).not.toContain(words);
  });

  it('because nobody would get it leads to who is excluded', async () => {
    const user = await api.person();
    await addAddress(user);
    const { id, email } = await newMailing(user);
    await rest(user, 'POST', '/suppressions', { email });
    expect((await submit(user, `/mailings/${id}/start`)).text).toMatch(/all recipients are excluded.*?\/suppressions/s);
  });

  it('because no letter can be made leads to the message, and nobody gets past it', async () => {
    const admin = await api.person('admin');
    await addAddress(admin);
    const { id, messageId } = await newMailing(admin);
    await api.database.affected(`UPDATE messages SET body = '{{ nothing.known }}' WHERE id = $1`, [messageId]);
    const refused = await submit(admin, `/mailings/${id}/start`, { override: 'I want to' });
    expect(refused.status).toBe(409);
    expect(refused.text).toContain(`href="/messages/${messageId}"`);
    expect(refused.text).not.toContain('name="override"');
    expect(await look(admin, `/mailings/${id}`)).not.toContain('name="override"');
  });
});

/** Started when there was an address, which is taken away then. */
async function startedBefore(of: Person, more: object = {}) {
  await addAddress(of);
  const mailing = await newMailing(of, more);
  const sent = await rest(of, 'POST', `/mailings/${mailing.id}/send`);
  await addAddress(of, '');
  return { ...mailing, runId: Number(sent.body.runId) };
}

const BLOCKED = { code: 'PREFLIGHT_BLOCKED', findings: [{ code: 'POSTAL_ADDRESS_MISSING', level: 'block' }] };

describe('a paused mailing without a postal address', () => {
  it('is not resumed, by REST or its page, until there is one or a manager says why', async () => {
    const [user, manager] = [await api.person(), await api.person('manager')];
    const { id } = await startedBefore(user, { period: 'daily' });
    await rest(user, 'POST', `/mailings/${id}/pause`);
    const refused = await rest(user, 'POST', `/mailings/${id}/resume`);
    expect([refused.status, refused.body]).toMatchObject([409, BLOCKED]);
    expect((await rest(user, 'POST', `/mailings/${id}/resume`, { override: 'I want to' })).status).toBe(403);
    const page = await submit(user, `/mailings/${id}/resume`);
    expect([page.status, page.text.includes('href="/sender"')]).toEqual([409, true]);
    expect((await mailingOf(user, id)).status).toBe('paused');

    await addAddress(user);
    expect((await rest(user, 'POST', `/mailings/${id}/resume`)).status).toBe(200);
    await addAddress(user, '');
    await rest(manager, 'POST', `/mailings/${id}/pause`);
    expect(await look(manager, `/mailings/${id}`)).toContain(`formaction="/mailings/${id}/resume"`);
    expect((await submit(manager, `/mailings/${id}/resume`, { override: 'Agreed' })).status).toBe(303);
    expect(await overrides('mailing', id)).toEqual(['Agreed']);
    expect((await mailingOf(user, id)).status).toBe('started');
  });

  it('is resumed if it is transactional, or if only nobody would get it', async () => {
    const user = await api.person();
    const why = { kind: 'transactional', transactionalReason: 'Invoices', period: 'daily' };
    const transactional = await startedBefore(user, why);
    await rest(user, 'POST', `/mailings/${transactional.id}/pause`);
    expect((await rest(user, 'POST', `/mailings/${transactional.id}/resume`)).status).toBe(200);
    const empty = await startedBefore(user, { period: 'daily' });
    await addAddress(user);
    await rest(user, 'POST', `/mailings/${empty.id}/pause`);
    await rest(user, 'POST', '/suppressions', { email: empty.email });
    expect((await rest(user, 'POST', `/mailings/${empty.id}/resume`)).status).toBe(200);
  });
});

describe('sending again to those who failed', () => {
  /** A run that is over; its only letter failed. `address` is what its letters had. */
  async function failedRun(of: Person, address: string, more: object = {}) {
    const { id, runId } = await startedBefore(of, more);
    await api.app.get(PlannerService, { strict: false }).plan(runId);
    await api.database.affected(`UPDATE deliveries SET status = 'failed', attempts = 1 WHERE run_id = $1`, [runId]);
    await api.database.affected(`UPDATE runs SET status = 'done', postal_address = $2 WHERE id = $1`, [runId, address]);
    return { id, runId };
  }
  const addressOf = async (runId: unknown) =>
    (await api.database.first<{ a: string | null }>('SELECT postal_address AS a FROM runs WHERE id = $1', [runId]))?.a;

  it('is refused by REST without a postal address; a new one stands in the letters', async () => {
    const user = await api.person();
    const { runId } = await failedRun(user, '');
    const refused = await rest(user, 'POST', `/runs/${runId}/resend-failed`);
    expect([refused.status, refused.body]).toMatchObject([409, BLOCKED]);
    await addAddress(user, 'New Street 2');
    const again = await rest(user, 'POST', `/runs/${runId}/resend-failed`);
    expect(again.status).toBe(202);
    expect(await addressOf(again.body.runId)).toBe('New Street 2');
  });

  it('goes out with the address that the run had, and without one if it is transactional', async () => {
    const user = await api.person();
    const had = await failedRun(user, 'Old Street 3');
    const again = await rest(user, 'POST', `/runs/${had.runId}/resend-failed`);
    expect([again.status, await addressOf(again.body.runId)]).toEqual([202, 'Old Street 3']);
    const invoices = await failedRun(user, '', { kind: 'transactional', transactionalReason: 'Invoices' });
    expect((await rest(user, 'POST', `/runs/${invoices.runId}/resend-failed`)).status).toBe(202);
  });

  it('is refused on the page with what to mend; an admin may say why it must go out', async () => {
    const [user, admin] = [await api.person(), await api.person('admin')];
    const { runId, id } = await failedRun(user, '');
    const path = `/runs/${runId}/resend-failed`;
    const refused = await submit(user, path);
    expect(refused.status).toBe(409);
    expect(refused.text).toContain('href="/sender"');
    expect(refused.text).not.toContain('name="override"');
    const asked = await submit(admin, path);
    expect(asked.text).toContain('Send again anyway');
    expect((await submit(admin, path, { override: '' })).status).toBe(400);
    const sent = await submit(admin, path, { override: 'It is on the paper inside' });
    expect(sent.headers.get('location')).toBe(`/mailings/${id}`);
    expect(await overrides('run', runId)).toEqual(['It is on the paper inside']);
  });
});
