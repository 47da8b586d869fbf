/** What `pages` looks at. */
import { cli, round, say } from './stage.mjs';

/** Of each client: ten fields, and three of the owner's thirty tags; one in a hundred has `rare`. */
const FIELDS = ['city', 'company', 'phone', 'plan', 'born', 'since', 'orders', 'total', 'vip', 'source'];
const TAGS = 30;
const TYPES = { born: 'date', since: 'date', orders: 'number', total: 'number', vip: 'boolean' };

/** Three owners: nine tenths, almost a tenth, a few; ninety days of runs; four in a hundred attempts failed. */
export async function fill(stage, clients, attempts) {
  const kept = await stage.first("SELECT obj_description('clients'::regclass) AS tokens");
  if (kept.tokens) return JSON.parse(kept.tokens);
  const tokens = {};
  for (const [name, role] of [
    ['big', 'user'],
    ['middle', 'user'],
    ['small', 'user'],
    ['manager', 'manager'],
  ]) {
    const email = `${name}@example.org`;
    await cli(stage, 'create-user', '--email', email, '--role', role, '--json');
    const { token } = JSON.parse(await cli(stage, 'create-token', '--email', email, '--name', 'bench', '--json'));
    if (name !== 'middle') tokens[name] = token;
  }
  const filling = await stage.pool.connect();
  try {
    // Triggers and foreign keys are passed by; the counters they keep are made at the end.
    await filling.query('SET session_replication_role = replica');
    await filling.query('SET synchronous_commit = off');
    const step = async (what, sql, params) => {
      say(what);
      await filling.query(sql, params);
    };
    // Built once at the end, which is several times as fast.
    await filling.query("SET maintenance_work_mem = '512MB'");
    const { rows: indexes } = await filling.query(
      `SELECT indexname, indexdef FROM pg_indexes i WHERE tablename IN ('clients', 'client_tags', 'deliveries', 'attempts')
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = i.indexname)`,
    );
    for (const { indexname } of indexes) await filling.query(`DROP INDEX ${indexname}`);
    await step(
      `making ${round(clients)} clients`,
      `INSERT INTO clients (owner_id, email, full_name, fields)
       SELECT CASE WHEN n % 1000 = 0 THEN 3 WHEN n % 10 = 1 THEN 2 ELSE 1 END, 'client-' || n || '@example' || n % 1000 || '.net',
              (ARRAY['Anna','Boris','Clara','Dmitri','Elena','Fyodor','Greta','Hugo'])[1 + n % 8] || ' ' || md5(n::text),
              jsonb_build_object('city', 'city ' || n % 100, 'company', 'company ' || n % 5000, 'phone', '+7900' || n, 'plan', 'plan ' || n % 5,
                'born', to_char(date '1950-01-01' + n % 20000, 'YYYY-MM-DD'), 'since', to_char(date '2015-01-01' + n % 4000, 'YYYY-MM-DD'),
                'orders', n % 40, 'total', n % 10000, 'vip', n % 50 = 0, 'source', 'source ' || n % 12)
         FROM generate_series(1, $1::int) n`,
      [clients],
    );
    await step(
      'fields, tags, segments',
      `WITH f AS (INSERT INTO client_fields (owner_id, key, label, type, position)
              SELECT u.id, key, initcap(key), coalesce($1::jsonb->>key, 'text'), n FROM users u, unnest($2::text[]) WITH ORDINALITY AS k (key, n)),
        s AS (INSERT INTO segments (owner_id, name, filter)
              SELECT id, 'From city 7', '{"all":[{"field":"fields.city","op":"is","value":"city 7"}]}'::jsonb FROM users)
       INSERT INTO tags (owner_id, name) SELECT u.id, CASE g WHEN 0 THEN 'rare' ELSE 'tag ' || g END FROM users u, generate_series(0, $3::int) g
        ORDER BY u.id, g`,
      [TYPES, FIELDS, TAGS],
    );
    await step(
      'tags of clients',
      `INSERT INTO client_tags (tag_id, client_id)
       SELECT (c.owner_id - 1) * ($1::int + 1) + 2 + (c.id * 7 + k * 11) % $1::int, c.id FROM clients c, generate_series(0, 2) k
       UNION ALL SELECT (c.owner_id - 1) * ($1::int + 1) + 1, c.id FROM clients c WHERE c.id % 100 = 0`,
      [TAGS],
    );
    await step(
      'messages, mailings, runs',
      `WITH m AS (INSERT INTO messages (owner_id, subject, body) SELECT id, 'A subject', '<p>A body</p>' FROM users WHERE role = 'user' RETURNING id, owner_id),
        s AS (INSERT INTO mailings (owner_id, name, message_id, audience, start_at, period, time_zone, status)
              SELECT m.owner_id, 'mailing ' || g, m.id, 'all', now() - interval '90 days', 'daily', 'UTC', 'done' FROM m, generate_series(1, 20) g RETURNING id, owner_id)
       INSERT INTO runs (mailing_id, owner_id, trigger, status, on_unknown, subject, body, planned_at, started_at, finished_at, occurrence_at)
       SELECT id, owner_id, 'schedule', 'done', 'resend', 'A subject', '<p>A body</p>', now(), now(), now(), now() - id * interval '1 day' FROM s`,
    );
    const [{ n: runsOfBig }] = (await filling.query('SELECT count(*) AS n FROM runs WHERE owner_id = 1')).rows;
    const perRun = Math.ceil((attempts * 0.9) / runsOfBig);
    const runs = (await filling.query('SELECT id, owner_id FROM runs ORDER BY id')).rows;
    for (const [i, { id, owner_id: owner }] of runs.entries()) {
      const share = owner === 1 ? perRun : owner === 2 ? Math.ceil(perRun / 9) : 1_000;
      await step(
        `deliveries of run ${i + 1} of ${runs.length}`,
        `INSERT INTO deliveries (run_id, client_id, email, status, reason, attempts, tries, updated_at)
         SELECT $1::bigint, c.id, c.email, CASE WHEN c.id % 25 = 0 THEN 'failed' ELSE 'sent' END,
                CASE WHEN c.id % 25 = 0 THEN 'mailbox_unknown' END, 1, 1, now() - (61 - $1::bigint::int) * interval '1 day'
           FROM clients c WHERE c.owner_id = $2 ORDER BY c.id LIMIT $3`,
        [id, owner, share],
      );
      await filling.query(
        `INSERT INTO attempts (created_at, delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status, reason, reply_code, server_response, duration_ms)
         SELECT d.updated_at, d.id, d.run_id, r.mailing_id, r.owner_id, d.client_id, 1, 1, CASE WHEN d.status = 'sent' THEN 'ok' ELSE 'failed' END,
                d.reason, CASE WHEN d.status = 'sent' THEN 250 ELSE 550 END, '250 2.0.0 Ok: queued as 4ZzYyXx', 12
           FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.run_id = $1 ORDER BY d.id`,
        [id],
      );
    }
    await step('counters', 'UPDATE tags t SET clients = (SELECT count(*) FROM client_tags WHERE tag_id = t.id)');
    await step(
      'counters',
      `INSERT INTO client_totals (owner_id, clients) SELECT owner_id, count(*) FROM clients GROUP BY 1`,
    );
    await filling.query('UPDATE client_totals SET clients = $1 WHERE owner_id = 0', [clients]);
    await filling.query(
      `INSERT INTO run_counts (run_id, slot, sent, failed) SELECT run_id, 0, count(*) FILTER (WHERE status = 'sent'),
              count(*) FILTER (WHERE status = 'failed') FROM deliveries GROUP BY 1`,
    );
    await filling.query(
      `INSERT INTO stats (mailing_id, bucket_at, slot, owner_id, sent, failed, attempts_ok, attempts_failed)
       SELECT a.mailing_id, stats_bucket(a.created_at) + b * interval '15 minutes', s, a.owner_id, 1, 0, count(*) FILTER (WHERE status = 'ok') / 640,
              count(*) FILTER (WHERE status = 'failed') / 640
         FROM attempts a, generate_series(0, 9) b, generate_series(0, 63) s GROUP BY 1, 2, 3, 4`.replace(
        'FROM attempts a,',
        `FROM (SELECT mailing_id, owner_id, created_at, status FROM attempts WHERE id % 1000 = 0) a,`,
      ),
    );
    await filling.query(
      `INSERT INTO failure_stats (mailing_id, bucket_at, reason, domain, slot, owner_id, failed)
       SELECT r.mailing_id, date_trunc('hour', d.updated_at, 'UTC'), d.reason, split_part(d.email, '@', 2), 0, r.owner_id, count(*)
         FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.status = 'failed' GROUP BY 1, 2, 3, 4, 6`,
    );
    for (const { indexname, indexdef } of indexes) await step(`index ${indexname}`, indexdef);
    await step('VACUUM ANALYZE', 'VACUUM ANALYZE');
  } finally {
    filling.release(true);
  }
  // A database that is kept says by this that it is whole, and how to get in.
  await stage.query(`COMMENT ON TABLE clients IS ${"'"}${JSON.stringify(tokens)}${"'"}`);
  return tokens;
}
