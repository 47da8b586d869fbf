import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  expect(out).toContain('ann@example.org,manual,owner,,');
  const wrong = await cli(service.env, ['suppress', 'nobody', '--owner', 'owner@example.com']);
  expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('email')]);
  const stranger = await cli(service.env, ['suppress', 'ann@example.org', '--owner', 'none@example.com']);
  expect(stranger.code).toBe(1);
});

test('a file of addresses is taken whole or not at all, and comes back from the export', async () => {
  const path = join(tmpdir(), `suppressions-${process.pid}.csv`);
  writeFileSync(path, 'email,reason\nben@example.org,bounce\nnot an address,bounce\nann@example.org,manual\n');
  const { code, out } = await cli(service.env, ['import-suppressions', path, '--owner', 'owner@example.com', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({ batchId: 1, rows: 3, added: 1, known: 1, ignored: 0, rejected: 1 });
  expect((await cli(service.env, ['export-suppressions'])).out).toContain('ben@example.org,hard_bounce,owner,,');
  writeFileSync(path, 'name\nben\n');
  const wrong = await cli(service.env, ['import-suppressions', path, '--owner', 'owner@example.com']);
  expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('email')]);
  const missing = await cli(service.env, ['import-suppressions', `${path}.none`, '--owner', 'owner@example.com']);
  expect([missing.code, missing.err]).toEqual([1, expect.stringContaining('no such file')]);
});

test('each new key for links has the next number', async () => {
  for (const id of [2, 3]) {
    const { out } = await cli(service.env, ['rotate-link-keys', '--json']);
    expect(JSON.parse(out)).toEqual({ id });
  }
});
