import type { INestApplicationContext } from '@nestjs/common';
import type { Role } from '../../src/domain/permissions';
import { StaleUsers } from '../../src/features/users/stale-users';
import { WebModule } from '../../src/web/web.module';
import { type Answer, PASSWORD, type Person, startApi, type TestApi } from '../support/api';
import { Inbox } from '../support/inbox';
import { startWorker } from '../support/worker';

/** Inviting people while registration is closed; the links of letters; when somebody was last here. */

let inbox: Inbox;
let api: TestApi;
let worker: INestApplicationContext;
let manager: Person;
let admin: Person;
let number = 0;

beforeAll(async () => {
  inbox = await Inbox.start();
  api = await startApi(
    { smtpUrl: inbox.url, registration: 'closed', authAnswerMs: 1, publicUrl: 'https://mail.example.com' },
    [WebModule],
  );
  worker = await startWorker(api.config);
  manager = await api.person('manager', 'boss@example.org');
  admin = await api.person('admin');
});

afterAll(async () => {
  await worker.close();
  await api.close();
  await inbox.close();
});

const someone = () => `guest${++number}@example.org`;
const elsewhere = () => ({ 'x-forwarded-for': `10.2.${++number >> 8}.${number & 255}` });
const invite = (by: Person, body: object): Promise<Answer> => api.call('POST', '/api/v1/users', { ...by, body });
const accept = (token: string, more: object = {}) =>
  api.call('POST', '/api/v1/auth/accept', { body: { token, password: PASSWORD, ...more }, headers: elsewhere() });
const userOf = (email: string) =>
  api.database.first<Record<string, unknown>>(
    `SELECT id, status, role, full_name, time_zone FROM users WHERE email = $1`,
    [email],
  );
const form = (path: string, fields: Record<string, string>) =>
  api.call('POST', path, {
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html', ...elsewhere() },
    body: new URLSearchParams(fields).toString(),
  });

describe('an invitation', () => {
  test('is a letter in the language asked for, whose link sets the password, once', async () => {
    const email = someone();
    const made = await invite(manager, { email, fullName: 'Vera', language: 'ru' });
    expect([made.status, made.body]).toMatchObject([
      201,
      {
        email,
        fullName: 'Vera',
        role: 'user',
        status: 'unconfirmed',
        invitedAt: expect.any(String) as string,
        lastSeenAt: null,
      },
    ]);
    const { mail, token } = await inbox.letterTo(email);
    expect(mail.subject).toBe('Вас приглашают в mail.example.com');
    expect(mail.text).toContain('boss@example.org приглашает вас');
    expect(mail.text).toContain(`https://mail.example.com/invitation?token=${token}`);
    expect((await api.signIn(email)).answer.status).toBe(401);
    const weak = await accept(token, { password: 'password' });
    expect([weak.status, weak.body.errors?.[0]?.field]).toEqual([400, 'password']);
    expect((await accept(token, { timeZone: 'Asia/Yerevan' })).status).toBe(200);
    expect(await userOf(email)).toMatchObject({ status: 'active', fullName: 'Vera', timeZone: 'Asia/Yerevan' });
    expect((await api.signIn(email)).answer.status).toBe(200);
    expect((await accept(token)).body.code).toBe('LINK_INVALID');
    const audited = await api.call('GET', `/api/v1/audit?objectType=user&objectId=${made.body.id}`, manager);
    expect(audited.body.items.map(({ action }) => action)).toEqual([
      'sign_in',
      'user.accept',
      'sign_in_failed',
      'user.invite',
    ]);
  });

  test.each([
    ['UTC', 'UTC'],
    ['', 'Asia/Yerevan'],
  ])('accepted in the zone %j, a browser of another one leads to %s', async (timeZone, expected) => {
    const email = someone();
    await invite(manager, { email });
    await accept((await inbox.letterTo(email)).token, { timeZone });
    const signIn = await api.call('POST', '/sign-in', {
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...elsewhere() },
      cookie: 'gonets_zone=Asia/Yerevan',
      body: new URLSearchParams({ email, password: PASSWORD }).toString(),
    });
    expect(signIn.status).toBe(303);
    expect(await userOf(email)).toMatchObject({ timeZone: expected });
  });

  test('gives a role that the one who invites may give', async () => {
    for (const role of ['manager', 'admin']) {
      expect((await invite(manager, { email: someone(), role })).status).toBe(403);
      expect((await invite(admin, { email: someone(), role })).body.role).toBe(role);
    }
    expect((await invite(await api.person(), { email: someone() })).status).toBe(403);
    const email = someone();
    await invite(admin, { email, role: 'manager' });
    // Else a manager could take away what an admin gave, or have the letter sent with it.
    expect((await invite(manager, { email })).status).toBe(403);
    expect(await userOf(email)).toMatchObject({ role: 'manager' });
  });

  test('goes to nobody who has an account, and to no address that is none', async () => {
    const taken = await invite(admin, { email: 'BOSS@example.org' });
    expect([taken.status, taken.body.code]).toEqual([409, 'EMAIL_TAKEN']);
    expect((await invite(admin, { email: 'nobody' })).body.errors?.[0]?.field).toBe('email');
    expect(await userOf('boss@example.org')).toMatchObject({ role: 'manager', status: 'active' });
  });

  test('sent again, ends the earlier link; withdrawn, leaves nothing', async () => {
    const email = someone();
    const { id } = (await invite(manager, { email })).body;
    const first = (await inbox.letterTo(email)).token;
    expect((await invite(manager, { email, fullName: 'Ada' })).body).toMatchObject({ id, fullName: 'Ada' });
    const second = (await inbox.letterTo(email, 2)).token;
    expect((await accept(first)).body.code).toBe('LINK_INVALID');
    const other = await api.person();
    const withdraw = (by: Person, of = id) => api.call('DELETE', `/api/v1/users/${of}/invitation`, by);
    expect((await withdraw(other)).status).toBe(403);
    expect((await withdraw(manager, other.id)).body.code).toBe('USER_NOT_INVITED');
    expect((await withdraw(manager)).status).toBe(204);
    expect((await accept(second)).body.code).toBe('LINK_INVALID');
    expect(await userOf(email)).toBeUndefined();
    expect((await withdraw(manager)).status).toBe(404);
  });

  test('of an admin is not withdrawn by a manager', async () => {
    const { id } = (await invite(admin, { email: someone(), role: 'admin' })).body;
    expect((await api.call('DELETE', `/api/v1/users/${id}/invitation`, manager)).status).toBe(403);
  });

  test('sent again without a role keeps the one that it gave; an explicit one replaces it', async () => {
    const email = someone();
    await invite(admin, { email, role: 'manager' });
    expect((await invite(admin, { email })).body.role).toBe('manager');
    const roles = await api.database.rows(
      `SELECT detail->>'role' AS role FROM audit_log WHERE action = 'user.invite'
          AND object_id = (SELECT id FROM users WHERE email = $1)`,
      [email],
    );
    expect(roles).toEqual([{ role: 'manager' }, { role: 'manager' }]);
    expect((await invite(admin, { email, role: 'user' })).body.role).toBe('user');
  });

  test('is kept as long as its link is good', async () => {
    const [kept, gone] = [someone(), someone()];
    for (const email of [kept, gone]) await invite(manager, { email });
    await api.database.affected(
      `UPDATE users SET created_at = now() - interval '30 days',
         invited_at = now() - CASE email WHEN $1 THEN interval '7 days' ELSE interval '9 days' END
        WHERE email = ANY($2)`,
      [kept, [kept, gone]],
    );
    await api.database.affected(`UPDATE notices SET created_at = now() - interval '7 days'`);
    await new StaleUsers(api.database, api.config).forget();
    expect([await userOf(kept), await userOf(gone)]).toEqual([expect.anything(), undefined]);
  });

  test('can not be sent without end', async () => {
    const busy = await api.person('manager');
    let last: Answer | undefined;
    for (let i = 0; i < 61; i++) last = await invite(busy, { email: 'again@example.org' });
    expect([last?.status, last?.body.code]).toEqual([429, 'RATE_LIMITED']);
  });
});

describe('an invitation is as good as the rights of whoever made it', () => {
  const change = async ({ id }: Person, body: object) =>
    expect((await api.call('PATCH', `/api/v1/users/${id}`, { ...admin, body })).status).toBe(200);
  const opens = async (token: string) =>
    (await api.call('GET', `/invitation?token=${token}`, { headers: { accept: 'text/html' } })).text.includes(
      'name="password"',
    );

  test.each<[string, Role, Role, object]>([
    ['blocked', 'admin', 'admin', { status: 'blocked' }],
    ['blocked', 'manager', 'user', { status: 'blocked' }],
    ['a manager now', 'admin', 'admin', { role: 'manager' }],
    ['a user now', 'admin', 'user', { role: 'user' }],
    ['a user now', 'manager', 'user', { role: 'user' }],
  ])('whoever is %s and was %s makes no %s', async (_now, was, role, lost) => {
    const inviter = await api.person(was);
    const email = someone();
    await invite(inviter, { email, role });
    const { token } = await inbox.letterTo(email);
    expect(await opens(token)).toBe(true);
    await change(inviter, lost);
    expect(await opens(token)).toBe(false);
    const refused = await accept(token);
    expect([refused.status, refused.body.code]).toEqual([(await accept('x'.repeat(43))).status, 'LINK_INVALID']);
    expect(await userOf(email)).toMatchObject({ status: 'unconfirmed', role });
    expect((await api.signIn(email)).answer.status).toBe(401);
    // Somebody else may still want them here.
    await invite(admin, { email });
    expect((await accept((await inbox.letterTo(email, 2)).token)).status).toBe(200);
    expect(await userOf(email)).toMatchObject({ status: 'active', role });
  });

  test('it stays good with another role that may give it, and without anybody who made it', async () => {
    const inviter = await api.person('admin');
    const [one, two] = [someone(), someone()];
    for (const email of [one, two]) await invite(inviter, { email });
    await change(inviter, { role: 'manager' });
    expect((await accept((await inbox.letterTo(one)).token)).status).toBe(200);
    await api.database.affected('UPDATE users SET invited_by = NULL WHERE email = $1', [two]);
    await change(inviter, { status: 'blocked' });
    expect((await accept((await inbox.letterTo(two)).token)).status).toBe(200);
  });

  test('an admin who changes the role of somebody invited answers for them from then on', async () => {
    const [inviter, other] = [await api.person('manager'), await api.person('admin')];
    const [one, two] = [someone(), someone()];
    for (const email of [one, two]) {
      const { id } = (await invite(inviter, { email })).body;
      const by = email === one ? admin : other;
      const body = { role: 'admin' };
      expect((await api.call('PATCH', `/api/v1/users/${id}`, { ...by, body })).status).toBe(200);
    }
    await change(other, { status: 'blocked' });
    expect((await accept((await inbox.letterTo(one)).token)).status).toBe(200);
    expect((await accept((await inbox.letterTo(two)).token)).body.code).toBe('LINK_INVALID');
  });

  test('a block that is under way is waited for', async () => {
    const inviter = await api.person('admin');
    const email = someone();
    await invite(inviter, { email, role: 'admin' });
    const { token } = await inbox.letterTo(email);
    let accepted: Promise<Answer> | undefined;
    await api.database.transaction(async (tx) => {
      await tx.affected(`UPDATE users SET status = 'blocked' WHERE id = $1`, [inviter.id]);
      accepted = accept(token);
      const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      while (!(await api.database.first(waiting))) {
        // Whoever does not wait has answered: that fails below.
        const done = await Promise.race([accepted, new Promise((resolve) => setTimeout(resolve, 20))]);
        if (done) break;
      }
    });
    expect((await accepted)?.body.code).toBe('LINK_INVALID');
    expect(await userOf(email)).toMatchObject({ status: 'unconfirmed' });
  });
});

test('whoever registers with the address of somebody invited gets no say: the invitation comes again', async () => {
  const open = await startApi({ smtpUrl: inbox.url, registration: 'open', authAnswerMs: 1 });
  const sender = await startWorker(open.config);
  const boss = await open.person('admin');
  const email = someone();
  const register = () =>
    open.call('POST', '/api/v1/auth/register', { body: { email, password: 'the password of a stranger' } });
  // Before: their link is withdrawn by the invitation.
  await register();
  const stranger = await inbox.letterTo(email);
  expect(stranger.mail.subject).toBe('Confirm your address');
  await open.call('POST', '/api/v1/users', { ...boss, body: { email, role: 'manager' } });
  await inbox.letterTo(email, 2);
  const confirm = await open.call('POST', '/api/v1/auth/confirm', { body: { token: stranger.token } });
  expect(confirm.body.code).toBe('LINK_INVALID');
  // After: no letter confirms the stranger's password.
  await register();
  const again = await inbox.letterTo(email, 3);
  expect(again.mail.subject).toMatch(/^You are invited to /);
  const accepted = await open.call('POST', '/api/v1/auth/accept', { body: { token: again.token, password: PASSWORD } });
  expect(accepted.status).toBe(200);
  expect((await open.signIn(email, 'the password of a stranger')).answer.status).toBe(401);
  expect((await open.signIn(email)).answer.status).toBe(200);
  await sender.close();
  await open.close();
});

describe('the link of a letter', () => {
  test('that was used or is unknown says so when it is opened, and opening it uses nothing', async () => {
    const email = someone();
    await invite(manager, { email });
    const { token } = await inbox.letterTo(email);
    const look = (path: string, of: string) =>
      api.call('GET', `${path}?token=${of}`, { headers: { accept: 'text/html' } });
    for (let i = 0; i < 2; i++) expect((await look('/invitation', token)).text).toContain('name="password"');
    // The link of one kind opens nothing of another.
    for (const path of ['/reset', '/confirm', '/confirm-email']) {
      const answer = await look(path, token);
      expect([path, answer.status, answer.text.includes('This link does not work any more')]).toEqual([
        path,
        200,
        true,
      ]);
      expect(answer.text).not.toContain('method="post"');
    }
    const done = await form('/invitation', { token, password: PASSWORD, fullName: 'Guest' });
    expect([done.status, done.headers.get('location')]).toEqual([303, '/sign-in']);
    expect(await userOf(email)).toMatchObject({ status: 'active', fullName: 'Guest' });
    const used = (await look('/invitation', token)).text;
    expect(used).toContain('This link does not work any more');
    expect(used).not.toContain('name="password"');
    // The same words for a link that never was one.
    const withoutAddress = (text: string) => text.replace(/token%3D[\w-]+/g, '');
    expect(withoutAddress((await look('/invitation', 'x'.repeat(43))).text)).toBe(withoutAddress(used));
  });

  test('to a new password offers to send another one', async () => {
    const email = someone();
    await invite(manager, { email });
    await accept((await inbox.letterTo(email)).token);
    await api.call('POST', '/api/v1/auth/forgot', { body: { email }, headers: elsewhere() });
    const { token } = await inbox.letterTo(email, 2);
    const look = async () => (await api.call('GET', `/reset?token=${token}`)).text;
    expect(await look()).toContain('name="password"');
    await api.database.affected(`UPDATE notice_tokens SET expires_at = now() - interval '1 second'`);
    const text = await look();
    expect(text).toContain('This link does not work any more');
    expect(text).toContain('href="/forgot"');
  });
});

describe('the last visit', () => {
  const seen = async (id: number) => (await api.call('GET', `/api/v1/users/${id}`, manager)).body.lastSeenAt as string;

  test('stays known when the sessions are gone, and is noted at most once a minute', async () => {
    const person = await api.person();
    expect(await seen(person.id)).toBeNull();
    const { cookie } = await api.signIn(person.email);
    const first = await seen(person.id);
    expect(Date.now() - Date.parse(first)).toBeLessThan(60_000);
    await api.call('GET', '/api/v1/me', { cookie });
    expect(await seen(person.id)).toBe(first);
    await api.database.affected(`UPDATE users SET last_seen_at = now() - interval '2 hours' WHERE id = $1`, [
      person.id,
    ]);
    await api.database.affected(`UPDATE sessions SET last_seen_at = now() - interval '2 hours'`);
    await api.call('GET', '/api/v1/me', { cookie });
    expect(Date.parse(await seen(person.id))).toBeGreaterThanOrEqual(Date.parse(first));
    await api.database.affected('DELETE FROM sessions WHERE user_id = $1', [person.id]);
    expect(await seen(person.id)).not.toBeNull();
  });

  test('waits for nobody who holds the row of the user', async () => {
    const person = await api.person();
    const { cookie } = await api.signIn(person.email);
    await api.database.affected(`UPDATE sessions SET last_seen_at = now() - interval '2 hours'`);
    await api.database.affected(`UPDATE users SET last_seen_at = now() - interval '2 hours' WHERE id = $1`, [
      person.id,
    ]);
    await api.database.transaction(async (tx) => {
      await tx.first('SELECT id FROM users WHERE id = $1 FOR SHARE', [person.id]);
      expect((await api.call('GET', '/api/v1/me', { cookie })).status).toBe(200);
    });
  });
});
