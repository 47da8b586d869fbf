import { Client } from 'pg';
import { cli, createTestService, createUser, type TestService } from '../support/service';

let service: TestService;

beforeAll(async () => {
  service = await createTestService();
});
afterAll(() => service.drop());

test('the operator resets the second factor of somebody who is locked out, and of nobody else', async () => {
  const { id } = await createUser(service.env, 'admin@example.org', 'admin');
  const client = new Client({ connectionString: service.database.url });
  await client.connect();
  await client.query(`INSERT INTO second_factors (user_id, secret, confirmed_at) VALUES ($1, 'x', now())`, [id]);
  const reset = (...args: string[]) => cli(service.env, ['users', 'reset-second-factor', ...args]);
  expect((await reset()).code).toBe(2);
  expect((await reset('--email', 'nobody@example.org')).code).toBe(1);
  const done = await reset('--email', 'ADMIN@example.org', '--json');
  expect([done.code, done.err, JSON.parse(done.out)]).toEqual([0, '', { id, email: 'admin@example.org' }]);
  expect((await client.query('SELECT FROM second_factors')).rowCount).toBe(0);
  const again = await reset('--email', 'admin@example.org', '--json');
  expect([again.code, (JSON.parse(again.out) as { error: string }).error]).toEqual([1, 'SECOND_FACTOR_OFF']);
  const { rows } = await client.query<{ via: string; actor_id: number | null }>(
    `SELECT via, actor_id FROM audit_log WHERE action = 'second_factor.reset'`,
  );
  expect(rows).toEqual([{ via: 'cli', actor_id: null }]);
  await client.end();
});
