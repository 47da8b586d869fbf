import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../../src/config/config.module';
import { issueToken } from '../../src/features/notices/notice-tokens';
import { WebModule } from '../../src/web/web.module';
import { type Answer, PASSWORD, startApi, type TestApi } from '../support/api';
import { OIDC_CLIENT, type OidcAccount, OidcServer, throughProvider } from '../support/oidc-server';
import { enableSecondFactor } from '../support/second-factor';

let provider: OidcServer;
let api: TestApi;
let number = 0;

/** The address that the provider sends browsers back to is PUBLIC_URL's, whatever the API listens on. */
const PUBLIC_URL = 'http://gonets.example:8080';
const CALLBACK = '/sign-in/oidc/callback';
const settings = (): Partial<Config> => ({
  publicUrl: PUBLIC_URL,
  authAnswerMs: 1,
  registration: 'open',
  oidcIssuer: provider.issuer,
  oidcClientId: OIDC_CLIENT.id,
  oidcClientSecret: OIDC_CLIENT.secret,
});

beforeAll(async () => {
  provider = await OidcServer.start();
  provider.serve(PUBLIC_URL + CALLBACK);
  api = await startApi(settings(), [WebModule]);
});
afterAll(async () => {
  await api.close();
  await provider.down();
});
beforeEach(() => {
  provider.refuses = false;
});

const form = (path: string, fields: Record<string, string>, who: { cookie?: string; csrf?: string } = {}, of = api) =>
  of.call('POST', path, {
    ...who,
    // Tests come from many addresses: the limit is another test's.
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': `10.1.0.${++number % 250}` },
    body: new URLSearchParams(fields).toString(),
  });
const cookiesOf = (answer: Answer) => answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '');
const sessionOf = (answer: Answer) => cookiesOf(answer).find((cookie) => /^gonets=./.test(cookie)) ?? '';
const someone = (more: Partial<OidcAccount> = {}): OidcAccount => ({
  sub: `subject-${++number}`,
  email: `somebody${number}@example.org`,
  email_verified: true,
  name: 'Somebody',
  ...more,
});
const me = async (cookie: string, of = api) => (await of.call('GET', '/api/v1/me', { cookie })).body;
const identities = (userId: number) =>
  api.database.rows<{ issuer: string; subject: string }>('SELECT issuer, subject FROM identities WHERE user_id = $1', [
    userId,
  ]);

/** The address at the provider that a form leads to, and the cookie that knows what it must answer. */
async function setOut(fields: Record<string, string> = {}, of = api) {
  const answer = await form('/sign-in/oidc', fields, {}, of);
  return {
    answer,
    url: /url=(.*)$/.exec(answer.headers.get('refresh') ?? '')?.[1] ?? '',
    cookie: cookiesOf(answer)[0] ?? '',
  };
}

const comeBack = (url: string, cookie: string, of = api) =>
  of.call('GET', url.slice(PUBLIC_URL.length), { cookie, headers: { 'x-forwarded-for': `10.2.0.${++number % 250}` } });

/** All the way, as this account. */
async function signIn(account: OidcAccount, next = '/', of = api): Promise<Answer> {
  provider.account = account;
  const { url, cookie } = await setOut({ next }, of);
  return comeBack(await throughProvider(url, PUBLIC_URL + CALLBACK), cookie, of);
}

describe('the way there', () => {
  test('is a button on the sign-in page, only where a provider is set', async () => {
    await api.person();
    const { text } = await api.call('GET', '/sign-in');
    expect(text).toContain(`Sign in with 127.0.0.1:${provider.port}`);
    const without = await startApi({}, [WebModule]);
    await without.person();
    expect((await without.call('GET', '/sign-in')).text).not.toContain('/sign-in/oidc');
    expect((await form('/sign-in/oidc', {}, {}, without)).status).toBe(400);
    await without.close();
  });

  test('has PKCE, state and nonce, and keeps what they are held against out of sight', async () => {
    const { answer, url, cookie } = await setOut({ next: '/clients' });
    const { searchParams: query, origin } = new URL(url);
    expect([answer.status, origin]).toEqual([200, provider.issuer]);
    expect(Object.fromEntries(query)).toMatchObject({
      response_type: 'code',
      client_id: OIDC_CLIENT.id,
      redirect_uri: PUBLIC_URL + CALLBACK,
      scope: 'openid email profile',
      code_challenge_method: 'S256',
    });
    for (const name of ['state', 'nonce', 'code_challenge']) expect(query.get(name)).toMatch(/^[\w-]{43}$/);
    expect(cookie).toMatch(/^gonets_oidc=[\w-]+$/);
    expect(answer.headers.get('set-cookie')).toContain('HttpOnly; SameSite=Lax');
    expect(Buffer.from(cookie.split('=')[1] ?? '', 'base64url').toString('latin1')).not.toContain('nonce');
    expect(answer.text).not.toContain(OIDC_CLIENT.secret);
  });

  test('is taken by no page of another site', async () => {
    const answer = await api.call('POST', '/sign-in/oidc', {
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
      body: '',
    });
    expect(answer.status).toBe(403);
  });
});

describe('somebody who comes back', () => {
  test('is found by a verified address, linked, and found by issuer and subject from then on', async () => {
    const person = await api.person();
    const account = someone({ email: person.email.toUpperCase() });
    const first = await signIn(account, '/clients?search=x');
    expect([first.status, first.headers.get('location')]).toEqual([303, '/clients?search=x']);
    expect((await me(sessionOf(first))).id).toBe(person.id);
    expect(cookiesOf(first)).toContain('gonets_oidc=');
    expect(await identities(person.id)).toEqual([{ issuer: provider.issuer, subject: account.sub }]);
    const later = await signIn({ ...account, email: 'renamed@example.org', email_verified: false });
    expect((await me(sessionOf(later))).id).toBe(person.id);
    const lines = await api.database.rows<{ action: string; detail: object }>(
      `SELECT action, detail FROM audit_log WHERE object_id = $1 AND action IN ('identity.link', 'sign_in') ORDER BY id`,
      [person.id],
    );
    expect(lines.map(({ action, detail }) => [action, detail])).toEqual([
      ['identity.link', { issuer: provider.issuer }],
      ['sign_in', { by: 'oidc', issuer: provider.issuer }],
      ['sign_in', { by: 'oidc', issuer: provider.issuer }],
    ]);
    const letters = await api.database.rows('SELECT kind, email FROM notices WHERE user_id = $1', [person.id]);
    expect(letters).toEqual([{ kind: 'sign_in_changed', email: person.email }]);
  });

  test.each([false, 'true', undefined])('with an address that is verified %j is nobody', async (email_verified) => {
    const person = await api.person();
    const answer = await signIn(
      someone({
        email: person.email,
        ...(email_verified !== undefined && { email_verified }),
        ...(email_verified === undefined && { email_verified: undefined as never }),
      }),
    );
    expect([answer.status, sessionOf(answer)]).toEqual([403, '']);
    expect(answer.text).toContain('does not say that your e-mail address is verified');
    expect(await identities(person.id)).toEqual([]);
  });

  test.each(['not an address', 'a@b@example.org', undefined])('with the address %j is nobody', async (email) => {
    const answer = await signIn(someone({ email: email as string }));
    expect([answer.status, sessionOf(answer)]).toEqual([403, '']);
  });

  test('blocked stays out, linked or not', async () => {
    const [one, other] = [await api.person(), await api.person()];
    const [account, another] = [someone({ email: one.email }), someone({ email: other.email })];
    await signIn(account);
    await api.database.affected(`UPDATE users SET status = 'blocked' WHERE id = ANY($1)`, [[one.id, other.id]]);
    for (const blocked of [account, another]) {
      const answer = await signIn(blocked);
      expect([answer.status, sessionOf(answer)]).toEqual([403, '']);
    }
    expect(await identities(other.id)).toEqual([]);
  });

  test('with the address of somebody who is linked to another account of the provider is refused', async () => {
    const person = await api.person();
    await signIn(someone({ email: person.email }));
    const answer = await signIn(someone({ email: person.email }));
    expect([answer.status, sessionOf(answer)]).toEqual([409, '']);
    expect(await identities(person.id)).toHaveLength(1);
  });

  test('who has a second factor is not linked by their address, as whoever reads their mail could be', async () => {
    const person = await api.person();
    await enableSecondFactor(api, person);
    const answer = await signIn(someone({ email: person.email }));
    expect([answer.status, sessionOf(answer), answer.text.includes('Your account has a second factor')]).toEqual([
      409,
      '',
      true,
    ]);
    expect(await identities(person.id)).toEqual([]);
  });

  test('who is linked is not asked for the second factor, which a password still is', async () => {
    const person = await api.person();
    const account = someone({ email: person.email });
    await signIn(account);
    await enableSecondFactor(api, person);
    expect((await me(sessionOf(await signIn(account)))).id).toBe(person.id);
    const login = await api.call('POST', '/api/v1/auth/login', { body: { email: person.email, password: PASSWORD } });
    expect(login.status).toBe(202);
  });

  test('is linked no more after a new password by letter, until the address links them again', async () => {
    const person = await api.person();
    const account = someone({ email: person.email });
    await signIn(account);
    const letter = await api.database.first<{ id: number }>(
      `INSERT INTO notices (kind, user_id, email, status) VALUES ('reset', $1, $2, 'sending') RETURNING id`,
      [person.id, person.email],
    );
    const token = await issueToken(api.database, letter?.id ?? 0, 'reset');
    const body = { token, password: 'a new horse entirely' };
    expect((await api.call('POST', '/api/v1/auth/reset', { body })).status).toBe(200);
    expect(await identities(person.id)).toEqual([]);
    expect((await signIn({ ...account, email_verified: false })).status).toBe(403);
    expect((await me(sessionOf(await signIn(account)))).id).toBe(person.id);
  });

  test('goes to own paths only', async () => {
    const person = await api.person();
    for (const next of ['//evil.example', 'https://evil.example/', '/\\evil.example', 'javascript:alert(1)']) {
      const answer = await signIn(someone({ email: person.email, sub: 'the same one' }), next);
      expect([next, answer.headers.get('location')]).toEqual([next, '/']);
    }
  });

  test('new: registered as the service allows', async () => {
    const account = someone({ name: 'New Person' });
    const answer = await signIn(account);
    expect(await me(sessionOf(answer))).toMatchObject({ email: account.email, fullName: 'New Person', role: 'user' });

    const approval = await startApi({ ...settings(), registration: 'approval' }, [WebModule]);
    await approval.person();
    const waits = await signIn(someone(), '/', approval);
    expect([waits.status, sessionOf(waits)]).toEqual([200, '']);
    expect(waits.text).toContain('A manager has to approve your account');
    expect(await approval.database.rows(`SELECT password_hash FROM users WHERE status = 'waiting'`)).toEqual([
      { passwordHash: null },
    ]);
    await approval.close();

    const closed = await startApi({ ...settings(), registration: 'closed' }, [WebModule]);
    const known = await closed.person();
    const refused = await signIn(someone(), '/', closed);
    expect([refused.status, sessionOf(refused)]).toEqual([403, '']);
    expect(refused.text).toContain('registration is closed');
    expect((await me(sessionOf(await signIn(someone({ email: known.email }), '/', closed)), closed)).id).toBe(known.id);
    expect(await closed.database.rows('SELECT id FROM users')).toHaveLength(1);
    await closed.close();
  });

  test('invited: with the role, unless whoever invited them may not give it any more', async () => {
    for (const registration of ['closed', 'open'] as const) {
      const of = await startApi({ ...settings(), registration }, [WebModule]);
      const [stays, blocked, demoted] = [await of.person('admin'), await of.person('admin'), await of.person('admin')];
      const invited = async (by: { token: string }) => {
        const account = someone();
        const body = { email: account.email, role: 'admin' };
        expect((await of.call('POST', '/api/v1/users', { ...by, body })).status).toBe(201);
        return account;
      };
      const [good, ...bad] = [await invited(stays), await invited(blocked), await invited(demoted)];
      for (const [{ id }, body] of [
        [blocked, { status: 'blocked' }],
        [demoted, { role: 'manager' }],
      ] as const)
        expect((await of.call('PATCH', `/api/v1/users/${id}`, { ...stays, body })).status).toBe(200);
      expect(await me(sessionOf(await signIn(good, '/', of)), of)).toMatchObject({ email: good.email, role: 'admin' });
      for (const account of bad) {
        const answer = await signIn(account, '/', of);
        const user = await of.database.first(
          'SELECT status, role, invited_at IS NULL AS is_own FROM users WHERE email = $1',
          [account.email],
        );
        if (registration === 'closed') {
          expect([answer.status, sessionOf(answer)]).toEqual([403, '']);
          expect(answer.text).toContain('registration is closed');
          expect(user).toEqual({ status: 'unconfirmed', role: 'admin', isOwn: false });
        } else {
          // As anybody else: the invitation gives nothing.
          expect(await me(sessionOf(answer), of)).toMatchObject({ email: account.email, role: 'user' });
          expect(user).toEqual({ status: 'active', role: 'user', isOwn: true });
        }
      }
      await of.close();
    }
  });

  test('takes the place of somebody who registered with the address and never proved it', async () => {
    const account = someone();
    await api.call('POST', '/api/v1/auth/register', {
      body: { email: account.email, password: 'a password of a stranger' },
    });
    const answer = await signIn(account);
    const { id } = await me(sessionOf(answer));
    expect(await api.database.rows('SELECT status, password_hash FROM users WHERE id = $1', [id])).toEqual([
      { status: 'active', passwordHash: null },
    ]);
    expect(await api.database.rows(`SELECT payload FROM notices WHERE user_id = $1 AND payload <> '{}'`, [id])).toEqual(
      [],
    );
  });
});

describe('an answer that does not belong to the sign-in', () => {
  async function back(change: (url: URL) => void) {
    provider.account = someone();
    const { url, cookie } = await setOut();
    const there = new URL(url);
    change(there);
    return { url: await throughProvider(there.href, PUBLIC_URL + CALLBACK), cookie };
  }
  const refused = async (url: string, cookie: string) => {
    const answer = await comeBack(url, cookie);
    expect([answer.status, sessionOf(answer)]).toEqual([400, '']);
    expect(answer.text).toContain('Start again');
  };

  test('because of its nonce', async () => {
    const { url, cookie } = await back((there) => there.searchParams.set('nonce', 'another'));
    await refused(url, cookie);
  });

  test('because of its state', async () => {
    const { url, cookie } = await back((there) => there.searchParams.set('state', 'another'));
    await refused(url, cookie);
    expect((await comeBack(url, cookie)).text).not.toContain(new URL(url).searchParams.get('code'));
  });

  test('because its ID token is signed by another key than the provider publishes', async () => {
    // One that has not read the provider's keys yet.
    const fresh = await startApi(settings(), [WebModule]);
    provider.foreignKeys = true;
    try {
      const answer = await signIn(someone(), '/', fresh);
      expect([answer.status, sessionOf(answer)]).toEqual([400, '']);
    } finally {
      provider.foreignKeys = false;
      await fresh.close();
    }
  });

  test('because of its PKCE challenge', async () => {
    const { url, cookie } = await back((there) => there.searchParams.set('code_challenge', 'a'.repeat(43)));
    await refused(url, cookie);
  });

  test('because it names another issuer', async () => {
    const { url, cookie } = await back(() => undefined);
    const other = new URL(url);
    other.searchParams.set('iss', 'https://other.example');
    await refused(other.href, cookie);
  });

  test('because another browser began it, or none', async () => {
    const [{ url }, other] = [await back(() => undefined), await setOut()];
    await refused(url, other.cookie);
    await refused(url, '');
    await refused(url, 'gonets_oidc=made-up');
  });

  test('because it was used already', async () => {
    const { url, cookie } = await back(() => undefined);
    expect((await comeBack(url, cookie)).status).toBe(303);
    await refused(url, cookie);
  });

  test('because the provider, or who was asked there, says no', async () => {
    provider.refuses = true;
    const { url, cookie } = await back(() => undefined);
    expect(url).toContain('error=access_denied');
    await refused(url, cookie);
  });

  test.each(['', '?', '?code=x', '?code=x&state=y', '?code=a&code=b&state=c', '?error=<script>'])(
    '%j',
    async (query) => {
      const { cookie } = await setOut();
      await refused(`${PUBLIC_URL}${CALLBACK}${query}`, cookie);
    },
  );
});

describe('without a provider that answers', () => {
  const unavailable = (answer: Answer) => {
    expect([answer.status, answer.headers.get('retry-after'), sessionOf(answer)]).toEqual([503, '5', '']);
    expect(answer.text).toContain('cannot be reached right now');
    expect(answer.text).toContain('name="password"');
  };

  test('the service starts, says so, and goes on when it is back', async () => {
    await provider.down();
    const alone = await startApi(settings(), [WebModule]);
    await alone.person();
    try {
      unavailable((await setOut({}, alone)).answer);
    } finally {
      await provider.up();
    }
    expect((await setOut({}, alone)).answer.status).toBe(200);
    await alone.close();
  });

  test('half-way, too', async () => {
    provider.account = someone();
    const { url, cookie } = await setOut();
    const callback = await throughProvider(url, PUBLIC_URL + CALLBACK);
    await provider.down();
    try {
      unavailable(await comeBack(callback, cookie));
    } finally {
      await provider.up();
    }
  });

  test.each([
    ['HTML', '<html>', 'text/html'],
    ['no JSON', '{', 'application/json'],
    ['the metadata of another', '{"issuer":"https://other.example"}', 'application/json'],
    ['next to nothing', '{}', 'application/json'],
    ['nothing at all', null, ''],
  ])('%s is no answer', async (_, body, type) => {
    const wrong = createServer((__, response) => {
      // It takes the question, and is silent: the time limit ends that.
      if (body !== null) response.setHeader('content-type', type).end(body);
    });
    await new Promise<void>((done) => wrong.listen(0, '127.0.0.1', done));
    const issuer = `http://127.0.0.1:${(wrong.address() as AddressInfo).port}`;
    const other = await startApi({ ...settings(), oidcIssuer: issuer }, [WebModule]);
    await other.person();
    unavailable((await setOut({}, other)).answer);
    await other.close();
    wrong.closeAllConnections();
    wrong.close();
  });

  test('a secret that the provider does not know is a setting that is wrong', async () => {
    const other = await startApi({ ...settings(), oidcClientSecret: 'wrong' }, [WebModule]);
    await other.person();
    unavailable(await signIn(someone(), '/', other));
    await other.close();
  });
});

describe("the account's page", () => {
  const link = async (who: { cookie: string; csrf: string }, fields: Record<string, string>) => {
    const answer = await form('/account/provider/link', fields, who);
    const url = /url=(.*)$/.exec(answer.headers.get('refresh') ?? '')?.[1] ?? '';
    return { answer, url, trip: cookiesOf(answer).find((cookie) => cookie.startsWith('gonets_oidc=')) ?? '' };
  };

  test('links and unlinks an account, whatever its address, after the password', async () => {
    const person = await api.person();
    const who = await api.signIn(person.email);
    expect((await link(who, { password: 'wrong' })).answer.status).toBe(400);
    provider.account = someone({ email_verified: false });
    const { url, trip } = await link(who, { password: PASSWORD });
    const callback = await throughProvider(url, PUBLIC_URL + CALLBACK);
    const done = await comeBack(callback, `${trip}; ${who.cookie}`);
    expect([done.status, done.headers.get('location')]).toEqual([303, '/account/provider']);
    expect(await identities(person.id)).toEqual([{ issuer: provider.issuer, subject: provider.account.sub }]);
    expect((await me(sessionOf(await signIn(provider.account)))).id).toBe(person.id);

    const shown = await api.call('GET', '/account/provider', { cookie: who.cookie });
    const action = /formaction="(\/account\/provider\/\d+\/unlink)"/.exec(shown.text)?.[1] ?? '';
    const stranger = await api.person();
    const other = await api.signIn(stranger.email);
    expect((await form(action, { password: PASSWORD }, other)).status).toBe(404);
    expect((await form(action, { password: 'wrong' }, who)).status).toBe(400);
    expect((await form(action, { password: PASSWORD }, who)).status).toBe(303);
    expect(await identities(person.id)).toEqual([]);
  });

  test('links to the session that asked for it, and to no other', async () => {
    const [one, other] = [await api.person(), await api.person()];
    const [who, thief] = [await api.signIn(one.email), await api.signIn(other.email)];
    provider.account = someone();
    const { url, trip } = await link(who, { password: PASSWORD });
    const callback = await throughProvider(url, PUBLIC_URL + CALLBACK);
    expect((await comeBack(callback, `${trip}; ${thief.cookie}`)).status).toBe(400);
    expect([await identities(one.id), await identities(other.id)]).toEqual([[], []]);
    const again = await link(who, { password: PASSWORD });
    const back = await throughProvider(again.url, PUBLIC_URL + CALLBACK);
    expect((await comeBack(back, again.trip)).status).toBe(400);
    expect(await identities(one.id)).toEqual([]);
  });

  test("refuses another user's account, and asks for the code where the second factor is on", async () => {
    const [one, other] = [await api.person(), await api.person()];
    const account = someone({ email: other.email });
    await signIn(account);
    const who = await api.signIn(one.email);
    const { url, trip } = await link(who, { password: PASSWORD });
    const taken = await comeBack(await throughProvider(url, PUBLIC_URL + CALLBACK), `${trip}; ${who.cookie}`);
    expect([taken.status, taken.text.includes('Sign-in with another service')]).toEqual([409, true]);
    const { recoveryCodes } = await enableSecondFactor(api, { id: one.id, cookie: who.cookie, csrf: who.csrf });
    expect((await link(who, { password: PASSWORD })).answer.status).toBe(400);
    expect((await link(who, { password: PASSWORD, code: recoveryCodes[0] ?? '' })).answer.status).toBe(200);
  });

  test('leaves somebody without a password their only way in', async () => {
    const account = someone();
    const cookie = sessionOf(await signIn(account));
    const shown = await api.call('GET', '/account/provider', { cookie });
    expect(shown.text).toContain('Your account has no password');
    const csrf = /name="_csrf" value="([^"]+)"/.exec(shown.text)?.[1] ?? '';
    const { id } = (await api.database.first<{ id: number }>('SELECT id FROM identities WHERE subject = $1', [
      account.sub,
    ]))!;
    expect((await form(`/account/provider/${id}/unlink`, { password: '' }, { cookie, csrf })).status).toBe(409);
  });
});
