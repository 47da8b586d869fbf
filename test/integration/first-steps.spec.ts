import { WebModule } from '../../src/web/web.module';
import { type Person, startApi, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';

/** What somebody sees who has nothing yet, and what somebody does not see who has nothing of it. */

let api: TestApi;

beforeAll(async () => {
  api = await startApi({}, [WebModule]);
});
afterAll(() => api.close());

const page = async (person: Person, path: string) =>
  (await api.call('GET', path, { cookie: (await api.signIn(person.email)).cookie })).text;
const post = async (person: Person, path: string, body?: unknown) =>
  (await api.call('POST', `/api/v1${path}`, { token: person.token, ...(body !== undefined && { body }) })).body.id;

/** Each step as it is shown: whether it is ticked, and where its button leads. */
const stepsOf = (html: string) =>
  [...html.matchAll(/<li class="(done)"|<li aria-current="(step)"|<li>(?=<span class="step-mark")/g)].map(
    ([, done, step]) => done ?? step ?? 'later',
  );

test('an owner with nobody else is not named in lists, and is once there are two', async () => {
  const admin = await api.person('admin');
  await post(admin, '/messages', messageBody());
  expect(await page(admin, '/messages')).not.toMatch(/Owner: |name="ownerId"/);
  await api.person();
  expect(await page(admin, '/messages')).toMatch(/name="ownerId".*Owner: /s);
});

test('the first steps are ticked as they are done, above the figures, and gone when something goes out', async () => {
  const person = await api.person();
  const first = await page(person, '/');
  expect(stepsOf(first)).toEqual(['step', 'later', 'later']);
  expect(first.indexOf('id="first-steps"')).toBeLessThan(first.indexOf('id="home-live"'));
  expect(first).toContain('<a class="btn btn-primary" href="/clients/import">Import from a file</a>');
  // The days hold nothing yet, and are not shown empty.
  expect(first).not.toContain('id="days"');

  const message = await post(person, '/messages', messageBody());
  expect(stepsOf(await page(person, '/'))).toEqual(['step', 'done', 'later']);
  await post(person, '/clients', { email: 'a@example.org' });
  const third = await page(person, '/');
  expect(stepsOf(third)).toEqual(['done', 'done', 'step']);
  expect(third).toContain('href="/mailings/new">Make a mailing</a>');

  const mailing = await post(person, '/mailings', mailingBody(message, { period: 'daily' }));
  expect(await page(person, '/')).toContain(`href="/mailings/${mailing}">Check and send it</a>`);
  await post(person, `/mailings/${mailing}/start`);
  const done = await page(person, '/');
  expect([stepsOf(done), done.includes('id="first-steps"'), done.includes('id="days"')]).toEqual([[], false, true]);
});

test("others' first mailing ends nobody's steps but those of who sees everything", async () => {
  const [person, manager] = [await api.person(), await api.person('manager')];
  expect(await page(person, '/')).toContain('id="first-steps"');
  expect(await page(manager, '/')).not.toContain('id="first-steps"');
});

test.each(['/clients', '/messages', '/mailings', '/segments', '/forms'])(
  '%s shows what it will look like while it is empty, and not when a search finds nothing',
  async (path) => {
    const person = await api.person();
    expect(await page(person, path)).toMatch(/<div class="sketch" aria-hidden="true"><p class="hint">This is how/);
    expect(await page(person, `${path}?search=nothing`)).not.toContain('class="sketch"');
  },
);

test('columns of numbers that are all zero are left out of the list of sendings', async () => {
  const person = await api.person();
  const message = await post(person, '/messages', messageBody());
  await post(person, '/clients', { email: 'a@example.org' });
  const mailing = await post(person, '/mailings', mailingBody(message, {}));
  await post(person, `/mailings/${mailing}/send`);
  await api.database.affected(`UPDATE runs SET status = 'done', finished_at = app_now() WHERE mailing_id = $1`, [
    mailing,
  ]);
  const heads = async () =>
    [...(await page(person, `/mailings/${mailing}`)).matchAll(/<th [^>]*>([^<]*)/g)].map(([, head]) => head);
  expect(await heads()).toEqual(['Time', 'Why', 'Status', 'Sent']);
  await api.database.affected(
    `INSERT INTO run_counts (run_id, slot, failed) SELECT id, 0, 3 FROM runs WHERE mailing_id = $1`,
    [mailing],
  );
  expect(await heads()).toEqual(['Time', 'Why', 'Status', 'Sent', 'Failed']);
});
