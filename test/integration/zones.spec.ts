import { WebModule } from '../../src/web/web.module';
import { type Answer, PASSWORD, type Person, startApi, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';

/** All times of a page are in its reader's time zone, which is taken from the browser, or chosen. */

let api: TestApi;

beforeAll(async () => {
  api = await startApi({ authAnswerMs: 1 }, [WebModule]);
});
afterAll(() => api.close());

const form = (fields: Record<string, string>, cookie: string) => ({
  cookie,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString(),
});
const signIn = ({ email }: Person, zone: string) =>
  api.call('POST', '/sign-in', form({ email, password: PASSWORD }, `gonets_zone=${zone}`));
const zoneOf = async ({ token }: Person) => (await api.call('GET', '/api/v1/me', { token })).body.timeZone;
const choose = ({ token }: Person, timeZone: string) => api.call('PATCH', '/api/v1/me', { token, body: { timeZone } });
const flashOf = ({ headers }: Answer) => /gonets_flash=(\w+)/.exec(headers.getSetCookie().join())?.[1];

describe('the zone of the browser', () => {
  test('is taken at the first sign-in, said so, and not replaced by that of another browser', async () => {
    const person = await api.person();
    const first = await signIn(person, 'asia/yerevan');
    expect([first.status, await zoneOf(person), flashOf(first)]).toEqual([303, 'Asia/Yerevan', 'zoneTaken']);
    const second = await signIn(person, 'Europe/Paris');
    expect([second.status, await zoneOf(person), flashOf(second)]).toEqual([303, 'Asia/Yerevan', undefined]);
  });

  test('does not replace one that was chosen, UTC neither', async () => {
    const person = await api.person();
    await choose(person, 'UTC');
    expect(flashOf(await signIn(person, 'Asia/Yerevan'))).toBeUndefined();
    expect(await zoneOf(person)).toBe('UTC');
  });

  test('does not replace one that the release before has written', async () => {
    const person = await api.person();
    await api.database.affected(`UPDATE users SET time_zone = 'Asia/Tokyo' WHERE id = $1`, [person.id]);
    await signIn(person, 'Asia/Yerevan');
    expect(await zoneOf(person)).toBe('Asia/Tokyo');
  });

  test.each(['', 'Mars/Olympus', '+03:00', `Europe/${'x'.repeat(3_000)}`])(
    'is ignored if it is %.20p',
    async (zone) => {
      const person = await api.person();
      expect((await signIn(person, zone)).status).toBe(303);
      expect(await zoneOf(person)).toBe('UTC');
      await signIn(person, 'Asia/Yerevan');
      expect(await zoneOf(person)).toBe('Asia/Yerevan');
    },
  );
});

test('a zone is typed, by its city too, and one that does not exist is named at its field', async () => {
  const person = await api.person();
  const { cookie, csrf } = await api.signIn(person.email);
  const save = (timeZone: string) => api.call('POST', '/account', form({ _csrf: csrf, timeZone }, cookie));
  expect((await save('new york')).status).toBe(303);
  expect(await zoneOf(person)).toBe('America/New_York');
  const wrong = await save('Nowhere');
  expect(wrong.status).toBe(400);
  expect(wrong.text).toMatch(/<input [^>]*value="Nowhere"[^>]*aria-invalid="true"[^>]*list="time-zones"/);
  expect(wrong.text).toContain('There is no such time zone.');
  expect(wrong.text).toMatch(/<datalist id="time-zones">.*<option value="Europe\/Athens">/s);
  expect(await zoneOf(person)).toBe('America/New_York');
});

describe('a mailing of another zone', () => {
  const startAt = '2030-01-02T09:00';
  let person: Person;
  let session: { cookie: string; csrf: string };
  let messageId: number;
  let id: number;

  beforeAll(async () => {
    person = await api.person();
    const by = { token: person.token };
    await choose(person, 'Europe/Moscow');
    session = await api.signIn(person.email);
    await api.call('POST', '/api/v1/clients', { ...by, body: { email: 'c@example.org', fullName: 'C' } });
    messageId = (await api.call('POST', '/api/v1/messages', { ...by, body: messageBody() })).body.id;
    const schedule = { startAt: `${startAt}:00+09:00`, timeZone: 'Asia/Tokyo', period: 'daily' };
    id = (await api.call('POST', '/api/v1/mailings', { ...by, body: mailingBody(messageId, schedule) })).body.id;
    await api.call('POST', `/api/v1/mailings/${id}/start`, by);
  });
  const page = async (path: string) => (await api.call('GET', path, session)).text;

  test('is shown in the zone of the reader, and its own zone is named once, where its schedule is', async () => {
    // 09:00 in Tokyo is 03:00 in Moscow.
    const shown = await page(`/mailings/${id}`);
    expect(shown).toContain('Wed, 2 Jan 2030, 03:00');
    expect(shown.match(/Asia\/Tokyo/g)).toHaveLength(1);
    expect(shown).not.toContain('09:00');
    for (const path of ['/', '/mailings']) {
      const text = await page(path);
      expect([path, text.includes('Wed, 2 Jan 2030, 03:00'), text.includes('Tokyo')]).toEqual([path, true, false]);
    }
  });

  test('is not named where it is the reader’s', async () => {
    await choose(person, 'Asia/Tokyo');
    const shown = await page(`/mailings/${id}`);
    expect(shown).toContain('Wed, 2 Jan 2030, 09:00');
    expect(shown).toContain('Times are in Asia/Tokyo');
    expect(shown.match(/Asia\/Tokyo/g)).toHaveLength(1);
    await choose(person, 'Europe/Moscow');
  });

  test('is foretold in the zone of the reader, and the form says which is which', async () => {
    const ask = (timeZone: string) =>
      page(`/mailings/schedule?${new URLSearchParams({ startAt, period: 'daily', timeZone }).toString()}`);
    const other = await ask('tokyo');
    expect(other).toContain('Wed, 2 Jan 2030, 03:00');
    expect(other).toContain('These times are in Europe/Moscow, your time zone. The schedule follows Asia/Tokyo.');
    const own = await ask('Europe/Moscow');
    expect([own.includes('Wed, 2 Jan 2030, 09:00'), own.includes('The schedule follows')]).toEqual([true, false]);
    expect(await ask('Tokio')).toContain('There is no such time zone.');
  });

  test('is not saved as one of UTC when the zone is misspelt', async () => {
    const values = { messageId: String(messageId), audience: 'all', period: 'daily', startAt };
    const save = (timeZone: string) =>
      api.call('POST', `/mailings/${id}/edit`, form({ _csrf: session.csrf, ...values, timeZone }, session.cookie));
    const wrong = await save('Tokio');
    expect([wrong.status, wrong.text.includes('There is no such time zone.')]).toEqual([400, true]);
    expect((await save('tokyo')).status).toBe(303);
    const { body } = await api.call('GET', `/api/v1/mailings/${id}`, { token: person.token });
    expect([body.timeZone, new Date(String(body.startAt)).toISOString()]).toEqual([
      'Asia/Tokyo',
      '2030-01-02T00:00:00.000Z',
    ]);
  });
});
