import { seal } from '../../src/config/sealed';
import { RegistrationService } from '../../src/features/users/registration.service';
import { SecondFactorService } from '../../src/features/users/second-factor.service';
import { StaleUsers } from '../../src/features/users/stale-users';
import { Limits } from '../../src/queue/limits';
import { WebModule } from '../../src/web/web.module';
import { issueToken } from '../../src/features/notices/notice-tokens';
import { type Answer, PASSWORD, type Person, startApi, type TestApi } from '../support/api';
import { codeOf, enableSecondFactor, forgetSteps } from '../support/second-factor';

let api: TestApi;

beforeAll(async () => {
  api = await startApi({ authAnswerMs: 1 }, [WebModule]);
});
afterAll(() => api.close());

const post = (path: string, body: unknown, who: object = {}) => api.call('POST', `/api/v1${path}`, { ...who, body });
const login = async (email: string, password = PASSWORD) => {
  const answer = await post('/auth/login', { email, password });
  return { answer, challenge: String(answer.body.challenge) };
};
const answer = (challenge: string, code: string) => post('/auth/second-factor', { challenge, code });
const cookieOf = (given: Answer) => (given.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
const me = (cookie: string) => api.call('GET', '/api/v1/me', { cookie });
const lettersTo = (userId: number) =>
  api.database.rows<{ kind: string }>('SELECT kind FROM notices WHERE user_id = $1 ORDER BY id', [userId]);
const audited = async (userId: number) =>
  (
    await api.database.rows<{ action: string }>(
      `SELECT action FROM audit_log WHERE object_type = 'user' AND object_id = $1 ORDER BY id`,
      [userId],
    )
  ).map(({ action }) => action);

async function withSecondFactor(role: 'user' | 'manager' | 'admin' = 'user') {
  const person = await api.person(role);
  return { ...person, ...(await enableSecondFactor(api, person)) };
}

describe('setting up', () => {
  test('shows a secret, asks for the password and a code, and gives ten recovery codes once', async () => {
    const person = await api.person();
    const made = await post('/me/second-factor', {}, person);
    expect(made.status).toBe(201);
    const secret = String(made.body.secret);
    expect(String(made.body.uri)).toContain(`secret=${secret}`);
    const confirm = (body: object) => post('/me/second-factor/confirm', body, person);
    const code = await codeOf(api, secret);
    const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
    expect((await confirm({ password: 'not it at all', code })).body.errors[0]?.field).toBe('password');
    expect((await confirm({ password: PASSWORD, code: wrong })).body.errors[0]?.field).toBe('code');
    // Nothing is on yet: the password alone signs in.
    expect((await login(person.email)).answer.status).toBe(200);
    const done = await confirm({ password: PASSWORD, code });
    expect([done.status, (done.body.recoveryCodes as string[]).length]).toEqual([200, 10]);
    const state = await api.call('GET', '/api/v1/me/second-factor', person);
    expect(state.body).toEqual({ enabled: true, since: expect.any(String) as string, recoveryCodesLeft: 10 });
    expect((await post('/me/second-factor', {}, person)).body.code).toBe('SECOND_FACTOR_ON');
    expect((await confirm({ password: PASSWORD, code })).body.code).toBe('SECOND_FACTOR_ON');
    expect(await audited(person.id)).toEqual(
      expect.arrayContaining(['second_factor.failed', 'second_factor.enable']) as string[],
    );
  });

  test('keeps nothing readable', async () => {
    const { id, secret, recoveryCodes } = await withSecondFactor();
    const rows = JSON.stringify(
      await api.database.rows(
        `SELECT encode(secret, 'escape') AS secret, (SELECT string_agg(encode(code_hash, 'escape'), ' ') FROM recovery_codes r
           WHERE r.user_id = f.user_id) AS codes FROM second_factors f WHERE user_id = $1`,
        [id],
      ),
    );
    for (const text of [secret, ...recoveryCodes, ...recoveryCodes.map((code) => code.replaceAll('-', ''))])
      expect(rows).not.toContain(text);
  });

  test('and switching off end all other sessions, and keep API tokens', async () => {
    const person = await api.person();
    const [here, there] = [await api.signIn(person.email), await api.signIn(person.email)];
    const { secret } = await enableSecondFactor(api, { id: person.id, cookie: here.cookie, csrf: here.csrf });
    expect([(await me(here.cookie)).status, (await me(there.cookie)).status]).toEqual([200, 401]);
    expect((await api.call('GET', '/api/v1/me', person)).status).toBe(200);
    const { challenge } = await login(person.email);
    const again = await answer(challenge, await codeOf(api, secret));
    const body = { password: PASSWORD, code: await codeOf(api, secret, 1) };
    const off = await api.call('DELETE', '/api/v1/me/second-factor', { ...here, body });
    expect(off.status).toBe(204);
    expect([(await me(here.cookie)).status, (await me(cookieOf(again))).status]).toEqual([200, 401]);
    expect((await login(person.email)).answer.status).toBe(200);
  });

  test('of somebody without a password is refused', async () => {
    const person = await api.person();
    await api.database.affected('UPDATE users SET password_hash = NULL WHERE id = $1', [person.id]);
    expect((await post('/me/second-factor', {}, person)).body.code).toBe('PASSWORD_MISSING');
  });

  test('that nobody finished is forgotten after a day', async () => {
    const person = await api.person();
    await post('/me/second-factor', {}, person);
    const count = async () =>
      (await api.database.rows('SELECT FROM second_factors WHERE user_id = $1', [person.id])).length;
    await new StaleUsers(api.database, { ...api.config, sessionIdleMs: 1_000_000 }).forget();
    expect(await count()).toBe(1);
    await api.database.affected(`UPDATE second_factors SET created_at = now() - interval '2 days' WHERE user_id = $1`, [
      person.id,
    ]);
    await new StaleUsers(api.database, { ...api.config, sessionIdleMs: 1_000_000 }).forget();
    expect(await count()).toBe(0);
  });
});

describe('signing in', () => {
  test('asks for a code in a second step', async () => {
    const { email, secret } = await withSecondFactor();
    const { answer: first, challenge } = await login(email);
    expect([first.status, Object.keys(first.body).sort(), first.headers.get('set-cookie')]).toEqual([
      202,
      ['challenge', 'expiresAt'],
      null,
    ]);
    const second = await answer(challenge, await codeOf(api, secret));
    expect([second.status, Object.keys(second.body).sort()]).toEqual([200, ['csrfToken', 'expiresAt']]);
    expect((await me(cookieOf(second))).status).toBe(200);
    // The challenge was answered.
    expect((await answer(challenge, await codeOf(api, secret, 1))).body.code).toBe('SIGN_IN_OVER');
  });

  test('takes no code twice, also of two at once, and none before one that was used', async () => {
    const { id, email, secret } = await withSecondFactor();
    const code = await codeOf(api, secret);
    const challenges = await Promise.all(Array.from({ length: 4 }, async () => (await login(email)).challenge));
    const answers = await Promise.all(challenges.map((challenge) => answer(challenge, code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
    expect(answers.find(({ status }) => status === 401)?.body.code).toBe('SECOND_FACTOR_FAILED');
    const { challenge } = await login(email);
    expect((await answer(challenge, await codeOf(api, secret, -1))).status).toBe(401);
    // A wrong code leaves the challenge as it is.
    await forgetSteps(api, id);
    expect((await answer(challenge, await codeOf(api, secret))).status).toBe(200);
    expect((await audited(id)).filter((action) => action === 'second_factor.failed')).toHaveLength(4);
  });

  test('takes each recovery code once, and tells how many are left', async () => {
    const { id, email, recoveryCodes, token } = await withSecondFactor();
    const [one = '', two = ''] = recoveryCodes;
    expect((await answer((await login(email)).challenge, one.toUpperCase().replaceAll('-', ' '))).status).toBe(200);
    const { challenge } = await login(email);
    expect((await answer(challenge, one)).status).toBe(401);
    expect((await answer(challenge, two)).status).toBe(200);
    const { body } = await api.call('GET', '/api/v1/me/second-factor', { token });
    expect(body.recoveryCodesLeft).toBe(8);
    const details = await api.database.rows<{ detail: object }>(
      `SELECT detail FROM audit_log WHERE action = 'sign_in' AND actor_id = $1 ORDER BY id`,
      [id],
    );
    expect(details.map(({ detail }) => detail)).toEqual([
      { by: 'recovery_code', recoveryCodesLeft: 9 },
      { by: 'recovery_code', recoveryCodesLeft: 8 },
    ]);
  });

  test("another user's codes are worth nothing", async () => {
    const [one, other] = [await withSecondFactor(), await withSecondFactor()];
    const { challenge } = await login(one.email);
    expect((await answer(challenge, await codeOf(api, other.secret))).status).toBe(401);
    expect((await answer(challenge, other.recoveryCodes[0] ?? '')).status).toBe(401);
    // Nor is their sealed secret in this row.
    await api.database.affected(
      `UPDATE second_factors SET secret = (SELECT secret FROM second_factors WHERE user_id = $2) WHERE user_id = $1`,
      [one.id, other.id],
    );
    expect((await answer(challenge, await codeOf(api, other.secret))).status).toBe(401);
  });

  test('a challenge ends with its time, and with the password that it is of', async () => {
    const { id, email, secret } = await withSecondFactor();
    const { challenge } = await login(email);
    await api.database.affected(`UPDATE sign_in_challenges SET expires_at = now() WHERE user_id = $1`, [id]);
    expect((await answer(challenge, await codeOf(api, secret))).body.code).toBe('SIGN_IN_OVER');
    const { challenge: later } = await login(email);
    await api.database.affected(`UPDATE users SET password_hash = password_hash || 'x' WHERE id = $1`, [id]);
    expect((await answer(later, await codeOf(api, secret))).body.code).toBe('SIGN_IN_OVER');
  });

  test('a block comes before the code', async () => {
    const { id, email, secret } = await withSecondFactor();
    const { challenge } = await login(email);
    await api.database.affected(`UPDATE users SET status = 'blocked' WHERE id = $1`, [id]);
    expect((await answer(challenge, await codeOf(api, secret))).body.code).toBe('SIGN_IN_OVER');
  });

  test('a block and the end of all other sessions end the sign-ins that wait for a code', async () => {
    const admin = await api.person('admin');
    const user = await withSecondFactor();
    const first = await login(user.email);
    for (const status of ['blocked', 'active'])
      expect((await api.call('PATCH', `/api/v1/users/${user.id}`, { ...admin, body: { status } })).status).toBe(200);
    expect((await answer(first.challenge, user.recoveryCodes[0] ?? '')).body.code).toBe('SIGN_IN_OVER');
    const second = await login(user.email);
    const session = await answer((await login(user.email)).challenge, user.recoveryCodes[1] ?? '');
    const who = { cookie: cookieOf(session), csrf: String(session.body.csrfToken) };
    expect((await api.call('DELETE', '/api/v1/me/sessions', who)).status).toBe(204);
    expect((await answer(second.challenge, user.recoveryCodes[2] ?? '')).body.code).toBe('SIGN_IN_OVER');
  });

  test('codes are tried ten times for a user, whatever the challenge', async () => {
    const { id, email, secret } = await withSecondFactor();
    const challenges = await Promise.all(Array.from({ length: 3 }, async () => (await login(email)).challenge));
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await answer(challenges[i % 3] ?? '', 'wrong')).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429]);
    expect((await answer(challenges[0] ?? '', await codeOf(api, secret))).status).toBe(429);
    await api.app.get(Limits, { strict: false }).forgive('secondFactorUser', id);
    expect((await answer(challenges[0] ?? '', await codeOf(api, secret))).status).toBe(200);
  });

  test('a new password by a letter does not go round it', async () => {
    const { id, email, secret } = await withSecondFactor();
    const letter = await api.database.first<{ id: number }>(
      `INSERT INTO notices (kind, user_id, email, status) VALUES ('reset', $1, $2, 'sending') RETURNING id`,
      [id, email],
    );
    const token = await issueToken(api.database, letter?.id ?? 0, 'reset');
    await api.app.get(RegistrationService, { strict: false }).reset(token ?? '', 'a new horse entirely', { ip: '::1' });
    const { answer: first, challenge } = await login(email, 'a new horse entirely');
    expect(first.status).toBe(202);
    expect((await answer(challenge, await codeOf(api, secret))).status).toBe(200);
  });

  test('with another SECRET_KEY the app is no use, and recovery codes are', async () => {
    const { email, secret, recoveryCodes, id } = await withSecondFactor();
    const sealed = seal('another key of at least 32 characters', 'second-factor', secret, String(id));
    await api.database.affected('UPDATE second_factors SET secret = $2 WHERE user_id = $1', [id, sealed]);
    const { challenge } = await login(email);
    expect((await answer(challenge, await codeOf(api, secret))).status).toBe(401);
    expect((await answer(challenge, recoveryCodes[0] ?? '')).status).toBe(200);
  });
});

describe('changing it', () => {
  test('asks for password and code, also a recovery code', async () => {
    const { secret, recoveryCodes, token } = await withSecondFactor();
    const off = (body: object) => api.call('DELETE', '/api/v1/me/second-factor', { token, body });
    expect((await off({ password: PASSWORD, code: '' })).body.errors[0]?.field).toBe('code');
    expect((await off({ password: 'x', code: await codeOf(api, secret) })).body.errors[0]?.field).toBe('password');
    const renewed = await post(
      '/me/second-factor/recovery-codes',
      { password: PASSWORD, code: recoveryCodes[0] },
      { token },
    );
    expect(renewed.status).toBe(200);
    const anew = renewed.body.recoveryCodes as string[];
    expect(new Set([...anew, ...recoveryCodes]).size).toBe(20);
    expect((await off({ password: PASSWORD, code: recoveryCodes[1] })).status).toBe(400);
    expect((await off({ password: PASSWORD, code: anew[9] })).status).toBe(204);
    expect((await off({ password: PASSWORD, code: anew[8] })).body.code).toBe('SECOND_FACTOR_OFF');
  });
});

describe('resetting it for somebody else', () => {
  const reset = (who: Person, id: number) => api.call('DELETE', `/api/v1/users/${id}/second-factor`, who);

  test('is for managers of users, and for admins of all others', async () => {
    const [user, manager, admin] = [
      await withSecondFactor(),
      await withSecondFactor('manager'),
      await withSecondFactor('admin'),
    ];
    const [boss, chief] = [await api.person('manager'), await api.person('admin')];
    const { challenge } = await login(user.email);
    const session = await answer((await login(user.email)).challenge, await codeOf(api, user.secret));
    expect((await reset(user, user.id)).status).toBe(403);
    expect((await reset(boss, manager.id)).status).toBe(403);
    expect((await reset(boss, admin.id)).status).toBe(403);
    expect((await reset(admin, admin.id)).status).toBe(403);
    expect((await reset(boss, user.id)).status).toBe(204);
    expect((await reset(boss, user.id)).body.code).toBe('SECOND_FACTOR_OFF');
    expect((await reset(boss, 999_999)).status).toBe(404);
    expect((await reset(chief, manager.id)).status).toBe(204);
    expect((await me(cookieOf(session))).status).toBe(401);
    expect((await answer(challenge, user.recoveryCodes[0] ?? '')).body.code).toBe('SIGN_IN_OVER');
    expect((await login(user.email)).answer.status).toBe(200);
    // Of being switched on, and of being reset.
    expect(await lettersTo(user.id)).toEqual([{ kind: 'sign_in_changed' }, { kind: 'sign_in_changed' }]);
    expect(
      await api.database.rows(
        `SELECT actor_id FROM audit_log WHERE action = 'second_factor.reset' AND object_id = $1`,
        [user.id],
      ),
    ).toEqual([{ actorId: boss.id }]);
    const { items } = (await api.call('GET', '/api/v1/users?limit=200', chief)).body;
    const shown = (id: number) => items.find((item) => item.id === id)?.secondFactor;
    expect([shown(user.id), shown(manager.id), shown(admin.id)]).toEqual([false, false, true]);
  });
});

describe('the pages', () => {
  const form = (path: string, fields: Record<string, string>, who: { cookie?: string; csrf?: string } = {}) =>
    api.call('POST', path, {
      ...who,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    });
  const cookies = (given: Answer) => given.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '');

  test('ask for the code on a page of its own, with nothing secret in its address', async () => {
    const { email, secret } = await withSecondFactor();
    const first = await form('/sign-in', { email, password: PASSWORD, next: '/clients?search=x' });
    expect([first.status, first.headers.get('location')]).toEqual([303, '/sign-in/code?next=%2Fclients%3Fsearch%3Dx']);
    const [challenge = ''] = cookies(first);
    expect(challenge).toMatch(/^gonets_challenge=[\w-]{43}$/);
    expect(first.headers.get('set-cookie')).toContain('HttpOnly; SameSite=Lax');
    expect((await api.call('GET', '/sign-in/code')).headers.get('location')).toBe('/sign-in');
    const shown = await api.call('GET', '/sign-in/code?next=/clients', { cookie: challenge });
    expect(shown.text).toContain('autocomplete="one-time-code"');
    const wrong = await form('/sign-in/code', { code: '000', next: '/clients' }, { cookie: challenge });
    expect([wrong.status, wrong.text.includes('name="next" value="/clients"')]).toEqual([409, true]);
    const right = { code: await codeOf(api, secret), next: '//evil.example' };
    const second = await form('/sign-in/code', right, { cookie: challenge });
    expect([second.status, second.headers.get('location')]).toEqual([303, '/']);
    const session = cookies(second).find((cookie) => cookie.startsWith('gonets=')) ?? '';
    expect(cookies(second)).toContain('gonets_challenge=');
    expect((await me(session)).status).toBe(200);
    const late = await form('/sign-in/code', { code: await codeOf(api, secret, 1) }, { cookie: challenge });
    expect([late.status, late.text.includes('Start again')]).toEqual([409, true]);
    expect(cookies(late)).toContain('gonets_challenge=');
  });

  test('remind managers and admins on the home page, until it is on', async () => {
    const home = async (email: string) => {
      const { cookie } = await api.signIn(email);
      return (await api.call('GET', '/', { cookie })).text.includes('Set up a second factor');
    };
    const [user, manager, admin] = [await api.person(), await api.person('manager'), await api.person('admin')];
    expect([await home(user.email), await home(manager.email), await home(admin.email)]).toEqual([false, true, true]);
    const missing = (viewer: Person, role: 'user' | 'manager' | 'admin') =>
      api.app.get(SecondFactorService, { strict: false }).isMissing({ userId: viewer.id, role });
    await enableSecondFactor(api, admin);
    expect([await missing(admin, 'admin'), await missing(manager, 'manager'), await missing(user, 'user')]).toEqual([
      false,
      true,
      false,
    ]);
    await api.database.affected('UPDATE users SET password_hash = NULL WHERE id = $1', [manager.id]);
    expect(await missing(manager, 'manager')).toBe(false);
  });

  test('show a secret and codes only as the answer to the POST that made them', async () => {
    const person = await api.person();
    const { cookie, csrf } = await api.signIn(person.email);
    const made = await form('/account/second-factor', {}, { cookie, csrf });
    const secret = /id="secret"[^>]*>\s*([A-Z2-7 ]+)/.exec(made.text)?.[1]?.replaceAll(' ', '') ?? '';
    expect([made.status, made.text.includes('<svg class="qr-code"')]).toEqual([200, true]);
    expect((await api.call('GET', '/account/second-factor', { cookie })).text).not.toContain('id="secret"');
    const bad = await form('/account/second-factor/confirm', { password: PASSWORD, code: '1' }, { cookie, csrf });
    expect([bad.status, bad.text.includes('id="secret"')]).toEqual([400, true]);
    const fields = { password: PASSWORD, code: await codeOf(api, secret) };
    const done = await form('/account/second-factor/confirm', fields, { cookie, csrf });
    const codes = /id="recovery-codes"[^>]*>([^<]+)/.exec(done.text)?.[1]?.trim().split('\n') ?? [];
    expect(codes).toHaveLength(10);
    const page = await api.call('GET', '/account/second-factor', { cookie });
    expect([page.text.includes(codes[0] ?? ''), page.text.includes('Recovery codes left')]).toEqual([false, true]);
    const off = { password: PASSWORD, code: codes[0] ?? '' };
    const gone = await form('/account/second-factor/off', off, { cookie, csrf });
    expect([gone.status, gone.headers.get('location')]).toEqual([303, '/account/second-factor']);
  });
});
