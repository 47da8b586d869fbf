import type { INestApplicationContext } from '@nestjs/common';
import { RedisConnection } from '../../src/queue/redis.module';
import { type Answer, PASSWORD, startApi, type TestApi } from '../support/api';
import { messageBody } from '../support/factories';
import { Inbox } from '../support/inbox';
import { startWorker } from '../support/worker';

/** Registration, passwords and addresses, through to the letters that arrive. */

const OTHER = 'another horse battery';
let inbox: Inbox;
let api: TestApi;
let worker: INestApplicationContext;
let number = 0;

beforeAll(async () => {
  inbox = await Inbox.start();
  api = await startApi({
    smtpUrl: inbox.url,
    mailFrom: 'Gonets <gonets@example.com>',
    publicUrl: 'https://mail.example.com/',
    authAnswerMs: 300,
    sweepIntervalMs: 300,
    retryDelaysMs: [200, 200, 200],
    breakerDelaysMs: [200],
  });
  worker = await startWorker(api.config);
});

afterAll(async () => {
  await worker.close();
  await api.close();
  await inbox.close();
});

const post = (path: string, body: unknown, call = {}): Promise<Answer> =>
  api.call('POST', `/api/v1${path}`, { body, ...call });
/** Another caller's address each time, as a proxy in front would name it. */
const elsewhere = () => ({ headers: { 'x-forwarded-for': `10.0.${++number >> 8}.${number & 255}` } });
const someone = () => `someone${++number}@example.org`;
const statusOf = async (email: string) =>
  (await api.database.first<{ status: string }>('SELECT status FROM users WHERE email = $1', [email]))?.status;

async function register(extra: object = {}): Promise<{ email: string; token: string }> {
  const email = someone();
  expect((await post('/auth/register', { email, password: PASSWORD, ...extra }, elsewhere())).status).toBe(202);
  return { email, token: (await inbox.letterTo(email)).token };
}

async function member(): Promise<{ email: string; cookie: string; csrf: string }> {
  const { email, token } = await register();
  await post('/auth/confirm', { token });
  return { email, ...(await api.signIn(email)) };
}

describe('registration', () => {
  test('a letter confirms the address; before that nobody signs in', async () => {
    const { email, token } = await register({ fullName: 'Anna Bell' });
    expect((await api.signIn(email)).answer.body.code).toBe('SIGN_IN_FAILED');
    const letter = await inbox.letterTo(email);
    expect(letter.mail.subject).toBe('Confirm your address');
    expect(letter.mail.text).toContain(`https://mail.example.com/confirm?token=${token}`);
    expect(letter.mail.html).toContain(`href="https://mail.example.com/confirm?token=${token}"`);
    expect(letter.mail.headers.get('auto-submitted')).toBe('auto-generated');
    const confirmed = await post('/auth/confirm', { token });
    expect([confirmed.status, confirmed.body.status]).toEqual([200, 'active']);
    const { cookie, answer } = await api.signIn(email);
    expect(answer.status).toBe(200);
    expect((await api.call('GET', '/api/v1/me', { cookie })).body).toMatchObject({
      email,
      fullName: 'Anna Bell',
      role: 'user',
    });
  });

  test('the letter speaks the language that was asked for', async () => {
    const { email } = await register({ language: 'ru' });
    expect((await inbox.letterTo(email)).mail.subject).toBe('Подтвердите адрес');
  });

  test('a link works once, and none that is made up does', async () => {
    const { token } = await register();
    expect((await post('/auth/confirm', { token })).status).toBe(200);
    for (const wrong of [token, 'x'.repeat(43), '']) {
      expect((await post('/auth/confirm', { token: wrong })).body.code).toBe('LINK_INVALID');
    }
  });

  test("a link of one kind proves nothing of another's", async () => {
    const { token } = await register();
    expect((await post('/auth/reset', { token, password: OTHER })).body.code).toBe('LINK_INVALID');
    expect((await post('/auth/confirm-email', { token })).body.code).toBe('LINK_INVALID');
    expect((await post('/auth/confirm', { token })).status).toBe(200);
  });

  test('of two registrations that one counts whose letter is answered', async () => {
    const { email, token } = await register();
    await post('/auth/register', { email, password: OTHER });
    await inbox.letterTo(email, 2);
    await post('/auth/confirm', { token });
    expect((await api.signIn(email, OTHER)).answer.status).toBe(401);
    expect((await api.signIn(email, PASSWORD)).answer.status).toBe(200);
  });

  test('a known address gets the same answer, and its owner a letter; nothing of the account changes', async () => {
    const { email } = await member();
    const known = await post('/auth/register', { email: email.toUpperCase(), password: OTHER, fullName: 'Eve' });
    const unknown = await post('/auth/register', { email: someone(), password: OTHER, fullName: 'Eve' });
    expect([known.status, known.text]).toEqual([unknown.status, unknown.text]);
    expect((await inbox.letterTo(email, 2)).mail.subject).toBe('You have an account already');
    expect((await api.signIn(email, OTHER)).answer.status).toBe(401);
    expect((await api.signIn(email)).answer.status).toBe(200);
  });

  test.each([
    [{ email: 'a@example.org\r\nBcc: b@example.org', password: PASSWORD }, 'email'],
    [{ email: 'a@example.org\u0000', password: PASSWORD }, 'email'],
    [{ email: 'a@example.org', password: 'short' }, 'password'],
    [{ email: 'a@example.org', password: 'x'.repeat(201) }, 'password'],
    [{ email: 'a@example.org', password: 'Password123' }, 'password'],
    [{ email: 'anna.bell@example.org', password: 'AnnaBell-1990!' }, 'password'],
    [{ email: 'a@example.org', password: PASSWORD, fullName: 'A\r\nBcc: b@example.org' }, 'fullName'],
    [{ email: 'a@example.org', password: PASSWORD, role: 'admin' }, 'role'],
    [{ email: 'a@example.org', password: PASSWORD, status: 'active' }, 'status'],
    [{ email: 'a@example.org', password: { $ne: '' } }, 'password'],
  ])('refuses %j', async (body, field) => {
    const answer = await post('/auth/register', body);
    expect([answer.status, answer.body.errors[0]?.field]).toEqual([400, field]);
  });

  test('answers of sign-in, registration and reset take as long and say the same for unknown addresses', async () => {
    const { email } = await member();
    for (const [path, body] of [
      ['/auth/login', { password: 'not the password' }],
      ['/auth/register', { password: PASSWORD }],
      ['/auth/forgot', {}],
    ] as const) {
      const times: number[][] = [[], []];
      const texts = new Set<string>();
      for (let i = 0; i < 3; i++) {
        for (const [which, address] of [email, someone()].entries()) {
          const at = performance.now();
          const answer = await post(path, { ...body, email: address }, elsewhere());
          times[which]?.push(performance.now() - at);
          texts.add(`${answer.status} ${answer.text.replace(/"requestId":"[^"]*"/, '')}`);
        }
      }
      expect([path, texts.size]).toEqual([path, 1]);
      // Lower bounds only, so that a slow machine changes nothing: a hash is computed, or the answer waits, for both alike.
      const least = path === '/auth/login' ? 5 : 290;
      expect(Math.min(...times.flat())).toBeGreaterThanOrEqual(least);
    }
  });
});

describe('passwords', () => {
  test('a forgotten one is set anew by a letter, once; all sessions and API tokens end', async () => {
    const { email, cookie, csrf } = await member();
    const { token: apiToken } = (await post('/tokens', { name: 'robot' }, { cookie, csrf })).body;
    expect((await post('/auth/forgot', { email })).status).toBe(202);
    const { token, mail } = await inbox.letterTo(email, 2);
    expect(mail.text).toContain('https://mail.example.com/reset?token=');
    expect((await post('/auth/reset', { token, password: 'short' })).status).toBe(400);
    expect((await post('/auth/reset', { token, password: OTHER })).status).toBe(200);
    expect((await post('/auth/reset', { token, password: PASSWORD })).body.code).toBe('LINK_INVALID');
    expect((await api.call('GET', '/api/v1/me', { cookie })).status).toBe(401);
    expect((await api.call('GET', '/api/v1/me', { token: apiToken })).status).toBe(401);
    expect((await api.signIn(email, OTHER)).answer.status).toBe(200);
    expect((await inbox.letterTo(email, 3)).mail.subject).toBe('Your password was changed');
  });

  test('the own address is none, however one comes to it; the link is left', async () => {
    const { email, ...here } = await member();
    const own = `${email.split('@')[0]}`.toUpperCase();
    const change = await post('/me/password', { currentPassword: PASSWORD, newPassword: own }, here);
    expect(change.body.errors).toMatchObject([
      { field: 'newPassword', message: expect.stringMatching(/own e-mail/) as string },
    ]);
    await post('/auth/forgot', { email });
    const { token } = await inbox.letterTo(email, 2);
    const reset = await post('/auth/reset', { token, password: own });
    expect(reset.body.errors).toMatchObject([
      { field: 'password', message: expect.stringMatching(/own e-mail/) as string },
    ]);
    expect((await post('/auth/reset', { token, password: OTHER })).status).toBe(200);
  });

  test('a new one withdraws the link to a new address, whoever asked for that', async () => {
    const { email, ...session } = await member();
    const thief = someone();
    await post('/me/email', { email: thief, password: PASSWORD }, session);
    const { token } = await inbox.letterTo(thief);
    await post('/auth/forgot', { email });
    const reset = await inbox.letterTo(email, 2);
    expect((await post('/auth/reset', { token: reset.token, password: OTHER })).status).toBe(200);
    expect((await post('/auth/confirm-email', { token })).body.code).toBe('LINK_INVALID');
  });

  test('a link that is too old sets nothing', async () => {
    const { email } = await member();
    await post('/auth/forgot', { email });
    const { token } = await inbox.letterTo(email, 2);
    await api.database.affected(`UPDATE notice_tokens SET expires_at = now() - interval '1 second'`);
    expect((await post('/auth/reset', { token, password: OTHER })).body.code).toBe('LINK_INVALID');
  });

  test('a change needs the present one, keeps this session and API tokens, and ends the other sessions', async () => {
    const { email, ...here } = await member();
    const { token } = (await post('/tokens', { name: 'robot' }, here)).body;
    const other = await api.signIn(email);
    const change = (currentPassword: string) => post('/me/password', { currentPassword, newPassword: OTHER }, here);
    expect((await change('not the password')).body.errors[0]?.field).toBe('currentPassword');
    expect((await change(PASSWORD)).status).toBe(200);
    expect((await api.call('GET', '/api/v1/me', here)).status).toBe(200);
    expect((await api.call('GET', '/api/v1/me', other)).status).toBe(401);
    expect((await api.call('GET', '/api/v1/me', { token })).status).toBe(200);
    expect((await inbox.letterTo(email, 2)).mail.text).toContain('API tokens');
    expect((await api.signIn(email)).answer.status).toBe(401);
    expect((await api.signIn(email, OTHER)).answer.status).toBe(200);
  });
});

describe('a new address', () => {
  test('counts when it is proved; the old one is told', async () => {
    const { email, ...session } = await member();
    const next = someone();
    expect((await post('/me/email', { email: next, password: 'wrong password' }, session)).status).toBe(400);
    expect((await post('/me/email', { email: next, password: PASSWORD }, session)).status).toBe(202);
    const { token } = await inbox.letterTo(next);
    expect((await api.signIn(email)).answer.status).toBe(200);
    expect((await post('/auth/confirm-email', { token })).status).toBe(200);
    expect((await api.signIn(next)).answer.status).toBe(200);
    expect((await api.signIn(email)).answer.status).toBe(401);
    expect((await inbox.letterTo(email, 2)).mail.subject).toBe('The address of your account was changed');
  });

  test("that is another's gets the same answer, and the other a letter", async () => {
    const { email: taken } = await member();
    const { email, ...session } = await member();
    expect((await post('/me/email', { email: taken, password: PASSWORD }, session)).status).toBe(202);
    expect((await inbox.letterTo(taken, 2)).mail.subject).toBe('You have an account already');
    expect(await statusOf(email)).toBe('active');
  });
});

describe("the service's letters", () => {
  test('a server that has no time gets them later', async () => {
    const { email } = await member();
    inbox.refuse = 2;
    await post('/auth/forgot', { email });
    expect((await inbox.letterTo(email, 2)).token).not.toBe('');
    expect(inbox.refuse).toBe(0);
  });

  test('neither queue nor database holds a token or a password', async () => {
    const { email, token } = await register();
    const { rows } = await api.database.dataSource
      .query<{ rows: string }[]>(
        `SELECT jsonb_build_object('letters', (SELECT jsonb_agg(l) FROM notices l), 'tokens', (SELECT jsonb_agg(t) FROM notice_tokens t),
         'users', (SELECT jsonb_agg(u) FROM users u), 'sessions', (SELECT jsonb_agg(s) FROM sessions s),
         'audit', (SELECT jsonb_agg(a) FROM audit_log a))::text AS rows`,
      )
      .then(([row]) => row ?? { rows: '' });
    expect(rows).toContain(email);
    expect(rows).not.toContain(token);
    expect(rows).not.toContain(PASSWORD);
  });

  test('a test letter of a message goes to its writer, whose page shows what became of it', async () => {
    const person = await api.person();
    const message = await post('/messages', { subject: 'Hi {{ client.fullName }}', body: '<p>Hi</p>' }, person);
    const sent = await post(`/messages/${message.body.id}/test`, {}, person);
    expect(sent.status).toBe(202);
    expect((await inbox.letterTo(person.email)).mail.subject).toBe('Hi Anna Example');
    const stranger = await api.person();
    const path = `/api/v1/messages/test-letters/${String(sent.body.letterId)}`;
    expect((await api.call('GET', path, stranger)).status).toBe(404);
    for (let state = ''; state !== 'sent';) state = String((await api.call('GET', path, person)).body.status);
  });

  test('test letters to others are at most twenty an hour', async () => {
    const person = await api.person();
    const { body } = await post('/messages', messageBody(), person);
    const statuses: number[] = [];
    for (let i = 0; i < 21; i++)
      statuses.push((await post(`/messages/${body.id}/test`, { to: `other${i}@example.net` }, person)).status);
    expect(statuses).toEqual([...Array<number>(20).fill(202), 429]);
    expect((await post(`/messages/${body.id}/test`, {}, person)).status).toBe(202);
  });

  test('test letters to oneself are at most three hundred an hour, for everybody waits behind them', async () => {
    const person = await api.person();
    const { body } = await post('/messages', messageBody(), person);
    const redis = api.app.get(RedisConnection, { strict: false });
    await redis.client.set(redis.key(`limit:testLetterSelf:${person.id}`), 299, 'EX', 3_600);
    const test = (to?: string) => post(`/messages/${body.id}/test`, to === undefined ? {} : { to }, person);
    expect((await test()).status).toBe(202);
    expect((await test()).body.code).toBe('RATE_LIMITED');
    expect((await test(person.email.toUpperCase())).status).toBe(429);
    expect((await test('other@example.net')).status).toBe(202);
  });
});
