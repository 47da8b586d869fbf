import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { Factories } from '../support/factories';
import { cli, createTestService, createUser, type TestService } from '../support/service';

/** The commands about suppressions and links, as an operator runs them. */

let service: TestService;
let ownerId: number;

beforeAll(async () => {
  service = await createTestService();
  ownerId = (await createUser(service.env, 'owner@example.com')).id;
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

test('a mailing without a postal address is sent, and sent again, only for a reason', async () => {
  const db = new Client({ connectionString: service.database.url });
  await db.connect();
  try {
    const rows = async <T>(sql: string, params?: unknown[]) => (await db.query(sql, params)).rows as T[];
    const mailingId = await new Factories(rows).mailing({ ownerId, recipients: () => ['reader@example.org'] });
    const env = { ...service.env, SENDER_ADDRESS: '' };
    const send = (...args: string[]) => cli(env, ['send-mailing', String(mailingId), '--json', ...args]);
    const refused = await send();
    expect([refused.code, JSON.parse(refused.out)]).toMatchObject([1, { error: 'PREFLIGHT_BLOCKED' }]);
    const sent = await send('--override', 'It is in the text');
    expect(sent.code).toBe(0);
    const { runId } = JSON.parse(sent.out) as { runId: number };
    // Its letters have gone out, and one of them failed.
    await rows(
      `INSERT INTO deliveries (run_id, client_id, email, status, attempts)
       SELECT $1, client_id, 'reader@example.org', 'failed', 1 FROM mailing_clients WHERE mailing_id = $2`,
      [runId, mailingId],
    );
    await rows(`UPDATE runs SET status = 'done' WHERE id = $1`, [runId]);
    const again = await send('--failed-only');
    expect([again.code, JSON.parse(again.out)]).toMatchObject([1, { error: 'PREFLIGHT_BLOCKED' }]);
    expect((await send('--failed-only', '--override', 'As before')).code).toBe(0);
    const audited = await rows<{ why: string }>(
      `SELECT detail ->> 'why' AS why FROM audit_log WHERE action = 'mailing.override' ORDER BY id`,
    );
    expect(audited.map(({ why }) => why)).toEqual(['It is in the text', 'As before']);
  } finally {
    await db.end();
  }
});
