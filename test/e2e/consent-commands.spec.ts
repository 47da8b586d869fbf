import { cli, createTestService, createUser, type TestService } from '../support/service';

/** The commands about suppressions and links, as an operator runs them. */

let service: TestService;

beforeAll(async () => {
  service = await createTestService();
  await createUser(service.env, 'owner@example.com');
});
afterAll(() => service?.drop());

test('an address is suppressed, exported, and not taken if it is none', async () => {
  const added = await cli(service.env, ['suppress', 'Ann@Example.org', '--owner', 'owner@example.com', '--json']);
  expect(added).toMatchObject({ code: 0 });
  expect(JSON.parse(added.out)).toMatchObject({ email: 'ann@example.org' });
  const { out } = await cli(service.env, ['export-suppressions']);
  expect(out).toContain('ann@example.org,manual,,');
  const wrong = await cli(service.env, ['suppress', 'nobody', '--owner', 'owner@example.com']);
  expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('email')]);
  const stranger = await cli(service.env, ['suppress', 'ann@example.org', '--owner', 'none@example.com']);
  expect(stranger.code).toBe(1);
});

test('each new key for links has the next number', async () => {
  for (const id of [2, 3]) {
    const { out } = await cli(service.env, ['rotate-link-keys', '--json']);
    expect(JSON.parse(out)).toEqual({ id });
  }
});
