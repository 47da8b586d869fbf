import { UsersService } from '../../src/features/users/users.service';
import { PlannerService } from '../../src/features/runs/planner.service';
import { ImportApplier } from '../../src/features/clients/import-applier.service';
import { Limits } from '../../src/queue/limits';
import { WebModule } from '../../src/web/web.module';
import { issueToken } from '../../src/features/notices/notice-tokens';
import { InboundJudge } from '../../src/features/inbound/inbound-judge.service';
import { PASSWORD, type Person, startApi, type TestApi } from '../support/api';
import { dsn } from '../support/inbound-letters';
import { INBOUND_SETTINGS, sentTo } from '../support/inbound-rig';

/** A Turkish collation says that `I` is another letter than `i`; the addresses of mail know nothing of that. */
let api: TestApi;
let owner: Person;

beforeAll(async () => {
  api = await startApi({ authAnswerMs: 1, ...INBOUND_SETTINGS }, [WebModule], 'tr-TR');
  owner = await api.person('user', 'INFO@IST.example.org');
});
afterAll(() => api.close());

const post = (path: string, body: unknown, who?: { token: string }) =>
  api.call('POST', `/api/v1${path}`, { body, ...(who && { token: who.token }) });
const login = (email: string, password = PASSWORD, ip = '203.0.113.1') =>
  api.call('POST', '/api/v1/auth/login', { body: { email, password }, headers: { 'x-forwarded-for': ip } });

async function importCsv(csv: string, who = owner): Promise<Record<string, unknown>> {
  const answer = await api.call('POST', '/api/v1/clients/import', {
    token: who.token,
    headers: { 'content-type': 'text/csv' },
    body: csv,
  });
  const { importId } = answer.body;
  await api.app.get(ImportApplier, { strict: false }).resume(Number(importId));
  return (await api.call('GET', `/api/v1/imports/${String(importId)}`, { token: who.token })).body;
}

it('the database is one where lower() makes another letter of I', async () => {
  expect(await api.database.first(`SELECT lower('I') AS l`)).toEqual({ l: 'ı' });
});

describe('a user is one, however the address is written', () => {
  const spellings = ['INFO@ist.example.org', 'info@ist.example.org', 'InFo@IST.EXAMPLE.ORG', ' info@ist.example.org '];

  it.each(spellings)('signs in as %j', async (email) => {
    expect((await login(email)).status).toBe(200);
  });

  it('is found by the commands', async () => {
    expect((await api.app.get(UsersService, { strict: false }).byEmail('info@ist.example.org')).id).toBe(owner.id);
  });

  it('registers once', async () => {
    const before = await api.database.first('SELECT count(*) AS n FROM users');
    for (const email of spellings) {
      expect((await post('/auth/register', { email, password: PASSWORD })).status).toBe(202);
    }
    expect(await api.database.first('SELECT count(*) AS n FROM users')).toEqual(before);
    expect(await api.database.rows(`SELECT DISTINCT kind FROM notices`)).toEqual([{ kind: 'known_address' }]);
  });

  it('is made once by the command line', async () => {
    const users = api.app.get(UsersService, { strict: false });
    await expect(users.create({ email: 'info@ist.example.org', role: 'user' })).rejects.toMatchObject({
      code: 'EMAIL_TAKEN',
    });
  });

  it('gets the letter for a new password', async () => {
    expect((await post('/auth/forgot', { email: 'info@ist.example.org' })).status).toBe(202);
    expect(await api.database.rows(`SELECT user_id FROM notices WHERE kind = 'reset'`)).toEqual([{ userId: owner.id }]);
  });

  it('is found in the list of users', async () => {
    const admin = await api.person('admin');
    for (const search of ['info@ist', 'INFO@', 'ist.example']) {
      const { body } = await api.call('GET', `/api/v1/users?search=${encodeURIComponent(search)}`, {
        token: admin.token,
      });
      expect(body.items.map((user) => user.id)).toEqual([owner.id]);
    }
  });
});

describe('failed sign-ins count for the user, not for the spelling', () => {
  it('of any spelling, whatever it is folded to', async () => {
    const { email, id } = await api.person('user', 'victim-ii@example.org');
    const spellings = [
      email,
      email.toUpperCase(),
      'victim-İi@example.org',
      'victim-İİ@example.org',
      'victim-ıi@example.org',
      'vıctım-ii@example.org',
      'victim-ii@EXAMPLE.org',
      'vİctim-ii@example.org',
      'ｖictim-ii@example.org',
      'victim-ii@ｅxample.org',
      'victim-ii@example。org',
      '\u0009victim-ii@example.org',
      'VICTIM-II@ex\u00ADample.org',
      'victim-ii@Example.Org\u3000',
    ];
    for (let n = 0; n < 30; n++) {
      await login(spellings[n % spellings.length]!, `guess ${n} of many`, `198.51.100.${n}`);
    }
    const checked = await api.database.first<{ n: number }>(
      `SELECT count(*) AS n FROM audit_log WHERE action = 'sign_in_failed' AND object_id = $1`,
      [id],
    );
    expect(checked?.n).toBe(10);
    expect((await login(email, PASSWORD, '198.51.100.99')).status).toBe(429);
    // Another address of the same user has the same count.
    await api.database.affected(`UPDATE users SET email = 'moved@example.org' WHERE id = $1`, [id]);
    expect((await login('moved@example.org', PASSWORD, '198.51.100.98')).status).toBe(429);
    await api.app.get(Limits, { strict: false }).forgive('signInAccount', `user:${id}`);
    expect((await login('moved@example.org', PASSWORD, '198.51.100.97')).status).toBe(200);
  });

  it('of addresses that nobody has, too', async () => {
    for (let n = 0; n < 10; n++) {
      expect((await login(n % 2 ? 'NOBODY-I@example.org' : 'nobody-i@example.org', 'x', `192.0.2.${n}`)).status).toBe(
        401,
      );
    }
    expect((await login('Nobody-I@Example.org', 'x', '192.0.2.99')).status).toBe(429);
  });
});

describe('a client is one, however the address is written', () => {
  it('is taken in whatever case', async () => {
    expect((await post('/clients', { email: 'INFO@client.example.org', fullName: 'İpek IŞIK' }, owner)).status).toBe(
      201,
    );
    const again = await post('/clients', { email: 'info@client.example.org', fullName: 'B' }, owner);
    expect([again.status, again.body.code]).toEqual([409, 'EMAIL_TAKEN']);
  });

  it('is updated by an import, and one repeated in the file is rejected', async () => {
    const csv =
      'email,full_name,comment\r\ninfo@client.example.org,İpek IŞIK,one\r\nWI@x.example.org,A,\r\nwi@X.example.org,B,\r\n';
    expect(await importCsv(csv)).toMatchObject({ added: 1, updated: 1, rejected: 1 });
    const { errors } = await importCsv(csv.replace('one', 'two'));
    expect(errors).toEqual([expect.objectContaining({ line: 4, field: 'email' })]);
    expect(await api.database.rows('SELECT email, comment FROM clients ORDER BY id')).toEqual([
      { email: 'INFO@client.example.org', comment: 'two' },
      { email: 'WI@x.example.org', comment: '' },
    ]);
  });

  it('comes back unchanged from its own export', async () => {
    const { text } = await api.call('GET', '/api/v1/clients/export.csv', { token: owner.token });
    expect(
      await importCsv(text.toUpperCase().replace('EMAIL,FULL_NAME,COMMENT', 'email,full_name,comment')),
    ).toMatchObject({ added: 0, updated: 2, rejected: 0 });
  });

  it.each(['info@client', 'INFO@', 'Info@Client.Example.org', 'wI', 'ipek', 'IPEK', 'İPEK', 'ışık', 'IŞIK', 'işik'])(
    'is found by %j',
    async (search) => {
      const { body } = await api.call('GET', `/api/v1/clients?search=${encodeURIComponent(search)}`, {
        token: owner.token,
      });
      expect(body.items).toHaveLength(1);
    },
  );

  it('counts as one address of several owners', async () => {
    const other = await api.person();
    const count = () => api.database.first('SELECT clients FROM client_totals WHERE owner_id = 0');
    const before = await count();
    await post('/clients', { email: 'Info@Client.example.org', fullName: 'B' }, other);
    expect(await count()).toEqual(before);
  });

  it('is chosen for a mailing and gets one letter of a run; messages and mailings are found', async () => {
    const message = (await post('/messages', { subject: 'INFO for I', body: '<p>Hi</p>' }, owner)).body.id;
    const mailing = await post(
      '/mailings',
      { name: 'FIRST', messageId: message, audience: 'all', startAt: '2030-01-01T00:00:00Z', period: 'once' },
      owner,
    );
    for (const [path, search] of [
      ['messages', 'info for i'],
      ['mailings', 'first'],
    ]) {
      const { body } = await api.call('GET', `/api/v1/${path}?search=${encodeURIComponent(search!)}`, {
        token: owner.token,
      });
      expect(body.items).toHaveLength(1);
    }
    const run = Number((await post(`/mailings/${mailing.body.id}/send`, undefined, owner)).body.runId);
    await api.app.get(PlannerService, { strict: false }).plan(run);
    const doubled = `INSERT INTO deliveries (run_id, client_id, email) VALUES ($1, 99999, 'info@client.example.org')`;
    await expect(api.database.affected(doubled, [run])).rejects.toMatchObject({
      constraint: 'deliveries_run_id_email_key',
    });
    for (const search of ['INFO@client.example.org', 'info@CLIENT.example.org']) {
      const { body } = await api.call('GET', `/api/v1/runs/${run}/deliveries?search=${search}`, { token: owner.token });
      expect(body.items).toHaveLength(1);
    }
  });
});

describe('what is said of an address counts, however it is written', () => {
  const suppressed = (email: string) =>
    api.database.rows(
      `SELECT s.reason FROM clients c JOIN suppressions s ON s.email_key = lower(c.email) WHERE c.email = $1`,
      [email],
    );

  it.each([
    ['5.1.1', 'hard_bounce'],
    ['abuse', 'complaint'],
    ['leave', 'unsubscribed'],
  ])('by a letter that comes back: %s', async (said, reason) => {
    const [letter] = await sentTo(api, owner.id, [`INFO-${said}@IST.example.org`]);
    const { email, returnPair } = letter!;
    const complaint = said === 'abuse' && { type: 'message/feedback-report', status_part: 'Feedback-Type: abuse\r\n' };
    const raw =
      said === 'leave'
        ? `From: ${email}\r\nSubject: unsubscribe\r\n\r\n`
        : dsn({ final: `rfc822; ${email.toLowerCase()}`, ...(complaint || { status: said }) }).toString();
    const to = said === 'leave' ? returnPair.unsubscribe : returnPair.bounce;
    const admin = await api.person('admin');
    const path = `/api/v1/inbound?to=${encodeURIComponent(to)}&from=${said === 'leave' ? encodeURIComponent(email) : ''}`;
    const headers = { 'content-type': 'message/rfc822' };
    const { body } = await api.call('POST', path, { token: admin.token, body: raw, headers });
    await api.app.get(InboundJudge, { strict: false }).judge(Number(body.id));
    expect(await suppressed(email)).toEqual([{ reason }]);
  });

  it('is forgotten with its person, also where nobody knows which letter it was about', async () => {
    const admin = await api.person('admin');
    const [letter] = await sentTo(api, owner.id, ['INFO-GONE@IST.example.org']);
    const raw = 'From: a@b.example\r\nSubject: hello\r\n\r\n';
    await api.call('POST', `/api/v1/inbound?to=news%40news.example.org&from=INFO-GONE%40IST.example.org`, {
      token: admin.token,
      body: raw,
      headers: { 'content-type': 'message/rfc822' },
    });
    const about = `SELECT id FROM inbound_letters WHERE envelope_from = 'INFO-GONE@IST.example.org'`;
    expect(await api.database.rows(about)).toHaveLength(1);
    const path = `/api/v1/clients/${letter!.clientId}/erase`;
    expect((await api.call('POST', path, { token: owner.token })).status).toBe(200);
    expect(await api.database.rows(about)).toEqual([]);
  });

  it('by a file of clients', async () => {
    await importCsv('email,full_name,status\r\nINFO-FILE@ist.example.org,A,unsubscribed\r\n');
    expect(await suppressed('INFO-FILE@ist.example.org')).toEqual([{ reason: 'unsubscribed' }]);
  });

  it('by a form, whose letter is confirmed', async () => {
    const form = (await post('/forms', { name: 'F', title: 'News', consentText: '' }, owner)).body;
    for (const email of ['INFO-NEW@ist.example.org', 'INFO@client.example.org']) {
      expect((await post(`/forms/${String(form.token)}`, { email })).status).toBe(202);
      const [notice] = await api.database.rows<{ id: number }>(
        `UPDATE notices SET status = 'sending' WHERE kind = 'signup' AND email = $1 RETURNING id`,
        [email],
      );
      const token = (await issueToken(api.database, notice!.id, 'signup'))!;
      const answer = await api.call('POST', '/f/confirm', {
        body: `token=${token}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect(answer.status).toBe(200);
      expect(
        await api.database.rows('SELECT unconfirmed_since FROM clients WHERE owner_id = $1 AND email = $2', [
          owner.id,
          email,
        ]),
      ).toEqual([{ unconfirmedSince: null }]);
    }
  });
});
