import { startApi, type TestApi } from '../support/api';

/** What Prometheus is told of what comes back. */

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.close());

const metrics = async () => (await api.call('GET', '/api/v1/metrics')).text.split('\n');

test('letters that came in, what waits, what is excluded, how providers took letters: none names an owner', async () => {
  await api.database.affected(`
    INSERT INTO inbound_letters (source, envelope_from, envelope_to, digest, raw, size, received_at, judged_at, kind, failures, problem)
    SELECT source, '', 'x', sha256(n::text::bytea), 'x', 1, app_now() - ago::interval,
           CASE WHEN kind IS NOT NULL THEN app_now() END, kind, failures, problem
      FROM (VALUES (1, 'api', 'hard', '1 hour', 0, NULL), (2, 'api', 'hard', '2 hours', 0, NULL),
                   (3, 'listener', 'complaint', '1 hour', 0, NULL), (4, 'api', 'soft', '25 hours', 0, NULL),
                   (5, 'pipe', NULL, '10 minutes', 0, NULL), (6, 'pipe', NULL, '20 minutes', 2, 'failed'),
                   (7, 'pipe', NULL, '3 hours', 5, 'failed')) v(n, source, kind, ago, failures, problem)`);
  const owner = await api.person();
  await api.database.affected(
    `INSERT INTO suppressions (owner_id, listed_for, email_key, address_hash, reason, source, lifted_at, expires_at)
     SELECT NULL, $1, 'a' || n || '@x.example', address_hash('a' || n || '@x.example'), reason, 'smtp',
            CASE WHEN state = 'lifted' THEN app_now() END, CASE WHEN state = 'over' THEN app_now() - interval '1 day' END
       FROM (VALUES (1, 'hard_bounce', ''), (2, 'hard_bounce', ''), (3, 'complaint', ''), (4, 'hard_bounce', 'lifted'),
                    (5, 'hard_bounce', 'over')) v(n, reason, state)`,
    [owner.id],
  );
  await api.database.affected(
    `INSERT INTO provider_stats (owner_id, bucket_at, provider, sent, bounced, complained)
     VALUES ($1, app_now() - interval '1 hour', 'google', 10, 2, 0), (0, app_now(), 'google', 5, 0, 0),
            (0, app_now(), 'mailru', 7, 0, 1), ($1, app_now() - interval '2 days', 'google', 100, 100, 100)`,
    [owner.id],
  );
  await api.database.affected(`UPDATE provider_counting SET counted_until = app_now() - interval '1 minute'`);
  const lines = await metrics();
  for (const line of [
    'gonets_inbound_letters{kind="hard",source="api"} 2',
    'gonets_inbound_letters{kind="complaint",source="listener"} 1',
    'gonets_inbound_letters{kind="waiting",source="pipe"} 3',
    'gonets_inbound_unjudged{state="waiting"} 1',
    'gonets_inbound_unjudged{state="failed"} 1',
    'gonets_inbound_unjudged{state="given_up"} 1',
    'gonets_suppressions{reason="hard_bounce"} 2',
    'gonets_suppressions{reason="complaint"} 1',
    'gonets_provider_letters{provider="google",result="sent"} 15',
    'gonets_provider_letters{provider="google",result="bounced"} 2',
    'gonets_provider_letters{provider="mailru",result="complained"} 1',
  ])
    expect(lines).toContain(line);
  expect(lines.filter((line) => line.includes('kind="soft"'))).toEqual([]);
  const value = (name: string) => Number(lines.find((line) => line.startsWith(`${name} `))?.split(' ')[1]);
  expect(value('gonets_inbound_oldest_unjudged_seconds')).toBeGreaterThanOrEqual(1_200);
  expect(value('gonets_inbound_oldest_unjudged_seconds')).toBeLessThan(3_000);
  expect(value('gonets_provider_letters_age_seconds')).toBeGreaterThanOrEqual(60);
  expect(lines.filter((line) => line.includes('@'))).toEqual([]);
});
