import { issueToken, withdrawTokens } from '../../src/features/notices/notice-tokens';
import { TokensService } from '../../src/features/users/tokens.service';
import { makeObjects } from '../support/objects';
import { type Answer, type Call, PASSWORD, type Person, startApi, type TestApi } from '../support/api';

/** What is under way while somebody's access ends must leave nothing behind that outlives it. No worker runs here. */

const OTHER = 'another horse battery';
let api: TestApi;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

/** What a block, a reset and a change of the password do to a user's row and to what they came by. */
const ENDS = {
  'a block': ["status = 'blocked'", 'sessions', 'api_tokens'],
  'a reset': ["password_hash = 'another'", 'sessions', 'api_tokens'],
  'a new password': ["password_hash = 'another'", 'sessions'],
} as const;

/** Makes a call that has passed the guard before `ends` is committed: it answers at once, or waits for the commit. */
async function behind(
  ends: keyof typeof ENDS,
  { id }: Person,
  [method, path, call]: [string, string, Call],
): Promise<Answer> {
  const [change, ...tables] = ENDS[ends];
  // The first use of a token is noted, and would wait in the guard.
  await api.call('GET', '/api/v1/me', { ...call, body: undefined });
  let answered = false;
  const waits = () =>
    api.database.first(
      `SELECT 1 AS waits FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
  const { answer } = await api.database.transaction(async (tx) => {
    await tx.affected(`UPDATE users SET ${change} WHERE id = $1`, [id]);
    for (const table of tables) await tx.affected(`DELETE FROM ${table} WHERE user_id = $1`, [id]);
    const calling = api.call(method, path, call).finally(() => (answered = true));
    while (!answered && !(await waits()));
    return { answer: calling };
  });
  return answer;
}

const count = async (sql: string, params: unknown[]) =>
  (await api.database.first<{ n: number }>(`SELECT count(*) AS n FROM ${sql}`, params))?.n;

describe('a token that is being made', () => {
  test.each(['a block', 'a reset', 'a new password'] as const)('with a session does not outlive %s', async (ends) => {
    const person = await api.person();
    const session = await api.signIn(person.email);
    const { answer: _, ...by } = session;
    const answer = await behind(ends, person, ['POST', '/api/v1/tokens', { ...by, body: { name: 'late' } }]);
    expect([answer.status, answer.body.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(await count(`api_tokens WHERE user_id = $1 AND name = 'late'`, [person.id])).toBe(0);
  });

  test.each(['a block', 'a reset'] as const)('with a token does not outlive %s', async (ends) => {
    const person = await api.person();
    const { token } = person;
    const answer = await behind(ends, person, ['POST', '/api/v1/tokens', { token, body: { name: 'late' } }]);
    expect([answer.status, answer.body.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(await count('api_tokens WHERE user_id = $1', [person.id])).toBe(0);
  });

  test('is not made by the operator for who is blocked', async () => {
    const person = await api.person();
    await api.database.affected(`UPDATE users SET status = 'blocked' WHERE id = $1`, [person.id]);
    await expect(api.app.get(TokensService, { strict: false }).create(person.id, { name: 'late' })).rejects.toThrow(
      'not active',
    );
  });
});

describe('a change of the account that is under way', () => {
  test.each(['a block', 'a reset', 'a new password'] as const)('sets no password behind %s', async (ends) => {
    const person = await api.person();
    const { cookie, csrf } = await api.signIn(person.email);
    const body = { currentPassword: PASSWORD, newPassword: OTHER };
    expect((await behind(ends, person, ['POST', '/api/v1/me/password', { cookie, csrf, body }])).status).toBe(401);
    if (ends !== 'a block')
      expect(await count(`users WHERE id = $1 AND password_hash = 'another'`, [person.id])).toBe(1);
  });

  test('with a token sets no password behind a new one', async () => {
    const { token, ...person } = await api.person();
    const body = { currentPassword: PASSWORD, newPassword: OTHER };
    const call = { token, body };
    expect((await behind('a new password', { ...person, token }, ['POST', '/api/v1/me/password', call])).status).toBe(
      400,
    );
    expect(await count(`users WHERE id = $1 AND password_hash = 'another'`, [person.id])).toBe(1);
  });

  test.each(['a block', 'a reset', 'a new password'] as const)(
    'writes no letter to a new address behind %s',
    async (ends) => {
      const person = await api.person();
      const { token } = person;
      const body = { email: `next-${person.email}`, password: PASSWORD };
      const answer = await behind(ends, person, ['POST', '/api/v1/me/email', { token, body }]);
      expect(answer.status).toBe(ends === 'a new password' ? 400 : 401);
      expect(await count('notices WHERE email = $1', [body.email])).toBe(0);
    },
  );
});

describe('what a manager or an admin has under way', () => {
  test('gives nobody a role behind a block', async () => {
    const [admin, friend] = [await api.person('admin'), await api.person()];
    const call = { token: admin.token, body: { role: 'admin' } };
    expect((await behind('a block', admin, ['PATCH', `/api/v1/users/${friend.id}`, call])).status).toBe(401);
    expect(await count(`users WHERE id = $1 AND role = 'user'`, [friend.id])).toBe(1);
  });

  test.each([
    ['active', 'blocked'],
    ['blocked', 'active'],
    ['waiting', 'active'],
  ])('makes nobody who is %s %s behind a block', async (from, to) => {
    const [manager, user] = [await api.person('manager'), await api.person()];
    await api.database.affected('UPDATE users SET status = $2 WHERE id = $1', [user.id, from]);
    const call = { token: manager.token, body: { status: to } };
    expect((await behind('a block', manager, ['PATCH', `/api/v1/users/${user.id}`, call])).status).toBe(401);
    expect(await count('users WHERE id = $1 AND status = $2', [user.id, from])).toBe(1);
  });
});

describe('letters that are being started', () => {
  const refused = { status: 409, body: { code: 'OWNER_BLOCKED' } };

  test('none begins behind a block, by whatever way', async () => {
    const person = await api.person();
    const { mailing, run, delivery, message } = await makeObjects(api, person);
    const done = async (delivered: string) => {
      await api.database.affected('UPDATE users SET status = $2 WHERE id = $1', [person.id, 'active']);
      await api.database.affected('UPDATE deliveries SET status = $2 WHERE id = $1', [delivery, delivered]);
      await api.database.affected(`UPDATE runs SET status = 'done' WHERE mailing_id = $1`, [mailing]);
    };
    for (const [path, delivered] of [
      [`/mailings/${mailing}/send`, 'sent'],
      [`/runs/${run}/resend-failed`, 'failed'],
      [`/deliveries/${delivery}/resend`, 'unknown'],
    ] as const) {
      await done(delivered);
      const { token } = await api.app.get(TokensService, { strict: false }).create(person.id, { name: path });
      const late = await behind('a block', person, ['POST', `/api/v1${path}`, { token }]);
      expect([path, late]).toMatchObject([path, refused]);
    }
    expect(await count(`runs WHERE mailing_id = $1 AND status <> 'done'`, [mailing])).toBe(0);
    await done('unknown');
    const { token } = await api.app.get(TokensService, { strict: false }).create(person.id, { name: 'test letter' });
    const late = await behind('a block', person, ['POST', `/api/v1/messages/${message}/test`, { token, body: {} }]);
    expect(late.status).toBe(401);
  });

  test('an unknown delivery of somebody blocked is not resent by an admin either', async () => {
    const [person, admin] = [await api.person(), await api.person('admin')];
    const { delivery, run } = await makeObjects(api, person);
    await api.call('PATCH', `/api/v1/users/${person.id}`, { ...admin, body: { status: 'blocked' } });
    await api.database.affected(`UPDATE deliveries SET status = 'unknown' WHERE id = $1`, [delivery]);
    await api.database.affected(`UPDATE runs SET status = 'done' WHERE id = $1`, [run]);
    expect(await api.call('POST', `/api/v1/deliveries/${delivery}/resend`, admin)).toMatchObject(refused);
  });

  test('a test letter that waits goes with the block', async () => {
    const [person, admin] = [await api.person(), await api.person('admin')];
    const { letter } = await makeObjects(api, person);
    await api.call('PATCH', `/api/v1/users/${person.id}`, { ...admin, body: { status: 'blocked' } });
    expect(await count(`notices WHERE id = $1 AND outcome = 'withdrawn'`, [letter])).toBe(1);
  });
});

describe('letters with a link that wait to be sent', () => {
  const states = (email: string) =>
    api.database.rows<{ status: string; outcome: string | null }>(
      'SELECT status, outcome FROM notices WHERE email = $1 ORDER BY id',
      [email],
    );
  const withdrawn = { status: 'failed', outcome: 'withdrawn' };

  test('are withdrawn by a newer request for a new address, and by a new password', async () => {
    const person = await api.person();
    const session = await api.signIn(person.email);
    const ask = (email: string) =>
      api.call('POST', '/api/v1/me/email', { ...session, body: { email, password: PASSWORD } });
    const [first, second] = [`typo-${person.email}`, `right-${person.email}`];
    await ask(first);
    await ask(second);
    expect(await states(first)).toEqual([withdrawn]);
    expect(await states(second)).toEqual([{ status: 'pending', outcome: null }]);
    await api.call('POST', '/api/v1/auth/forgot', { body: { email: person.email } });
    const body = { currentPassword: PASSWORD, newPassword: OTHER };
    expect((await api.call('POST', '/api/v1/me/password', { ...session, body })).status).toBe(200);
    expect(await states(second)).toEqual([withdrawn]);
    expect((await states(person.email))[0]).toEqual(withdrawn);
  });

  test('get no link if they are withdrawn while they are being composed', async () => {
    const person = await api.person();
    await api.call('POST', '/api/v1/auth/forgot', { body: { email: person.email } });
    await api.database.affected(`UPDATE notices SET status = 'sending' WHERE email = $1`, [person.email]);
    const letter = await api.database.first<{ id: number }>('SELECT id FROM notices WHERE email = $1', [person.email]);
    await withdrawTokens(api.database, person.id, 'reset');
    expect(await issueToken(api.database, letter?.id ?? 0, 'reset')).toBeNull();
    expect(await states(person.email)).toEqual([withdrawn]);
  });
});
