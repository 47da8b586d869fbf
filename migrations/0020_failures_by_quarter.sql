-- Up Migration
-- Why deliveries failed is counted per quarter of an hour, as all else is: the days of India and Nepal begin at half past
-- and at a quarter to. Rows of whole hours stay as they are. A delivery that failed before this migration and leaves that
-- state after it is taken back in another row than it was counted in; their sum, which is all that is read, is right.
CREATE OR REPLACE FUNCTION deliveries_count_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  my_slot smallint := pg_backend_pid() % 64;
BEGIN
  INSERT INTO run_counts AS c (run_id, slot, pending, sending, deferred, sent, failed, unknown, skipped, cancelled, untried)
  SELECT run_id, my_slot,
         coalesce(sum(d) FILTER (WHERE status = 'pending'), 0), coalesce(sum(d) FILTER (WHERE status = 'sending'), 0),
         coalesce(sum(d) FILTER (WHERE status = 'deferred'), 0), coalesce(sum(d) FILTER (WHERE status = 'sent'), 0),
         coalesce(sum(d) FILTER (WHERE status = 'failed'), 0), coalesce(sum(d) FILTER (WHERE status = 'unknown'), 0),
         coalesce(sum(d) FILTER (WHERE status = 'skipped'), 0), coalesce(sum(d) FILTER (WHERE status = 'cancelled'), 0),
         coalesce(sum(d) FILTER (WHERE attempts = 0 AND status IN ('pending', 'sending')), 0)
    FROM (SELECT run_id, status, attempts, 1 AS d FROM new_rows UNION ALL SELECT run_id, status, attempts, -1 FROM old_rows) x
   GROUP BY run_id ORDER BY run_id
  ON CONFLICT (run_id, slot) DO UPDATE SET
    pending = c.pending + excluded.pending, sending = c.sending + excluded.sending, deferred = c.deferred + excluded.deferred,
    sent = c.sent + excluded.sent, failed = c.failed + excluded.failed, unknown = c.unknown + excluded.unknown,
    skipped = c.skipped + excluded.skipped, cancelled = c.cancelled + excluded.cancelled, untried = c.untried + excluded.untried;

  -- What follows counts final states; a claim, half of all updates, touches none.
  IF NOT EXISTS (SELECT FROM new_rows WHERE status IN ('sent', 'failed', 'unknown', 'skipped', 'cancelled'))
     AND NOT EXISTS (SELECT FROM old_rows WHERE status IN ('sent', 'failed', 'unknown', 'skipped', 'cancelled')) THEN
    RETURN NULL;
  END IF;

  -- A delivery that leaves a final state (marked or sent again by hand) is taken back where it was counted.
  INSERT INTO stats AS s (mailing_id, bucket_at, slot, owner_id, sent, failed, unknown, skipped, cancelled)
  SELECT r.mailing_id, x.bucket_at, my_slot, r.owner_id,
         coalesce(sum(d) FILTER (WHERE x.status = 'sent'), 0), coalesce(sum(d) FILTER (WHERE x.status = 'failed'), 0),
         coalesce(sum(d) FILTER (WHERE x.status = 'unknown'), 0), coalesce(sum(d) FILTER (WHERE x.status = 'skipped'), 0),
         coalesce(sum(d) FILTER (WHERE x.status = 'cancelled'), 0)
    FROM (SELECT run_id, status, stats_bucket(updated_at) AS bucket_at, 1 AS d FROM new_rows
          UNION ALL SELECT run_id, status, stats_bucket(updated_at), -1 FROM old_rows) x
    JOIN runs r ON r.id = x.run_id
   WHERE x.status IN ('sent', 'failed', 'unknown', 'skipped', 'cancelled')
   GROUP BY 1, 2, 4 ORDER BY 1, 2
  ON CONFLICT (mailing_id, bucket_at, slot) DO UPDATE SET sent = s.sent + excluded.sent, failed = s.failed + excluded.failed,
    unknown = s.unknown + excluded.unknown, skipped = s.skipped + excluded.skipped, cancelled = s.cancelled + excluded.cancelled;

  IF NOT EXISTS (SELECT FROM new_rows WHERE status = 'failed') AND NOT EXISTS (SELECT FROM old_rows WHERE status = 'failed') THEN
    RETURN NULL;
  END IF;

  INSERT INTO failure_stats AS f (mailing_id, bucket_at, reason, domain, slot, owner_id, failed)
  SELECT r.mailing_id, x.bucket_at, x.reason, x.domain, my_slot, r.owner_id, sum(d)
    FROM (SELECT run_id, stats_bucket(updated_at) AS bucket_at, coalesce(reason, 'unknown') AS reason,
                 lower(split_part(email, '@', 2)) AS domain, 1 AS d FROM new_rows WHERE status = 'failed'
          UNION ALL SELECT run_id, stats_bucket(updated_at), coalesce(reason, 'unknown'),
                 lower(split_part(email, '@', 2)), -1 FROM old_rows WHERE status = 'failed') x
    JOIN runs r ON r.id = x.run_id
   GROUP BY 1, 2, 3, 4, 6 ORDER BY 1, 2, 3, 4
  ON CONFLICT (mailing_id, bucket_at, reason, domain, slot) DO UPDATE SET failed = f.failed + excluded.failed;
  RETURN NULL;
END $$;

-- Down Migration
CREATE OR REPLACE FUNCTION deliveries_count_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  my_slot smallint := pg_backend_pid() % 64;
BEGIN
  INSERT INTO run_counts AS c (run_id, slot, pending, sending, deferred, sent, failed, unknown, skipped, cancelled, untried)
  SELECT run_id, my_slot,
         coalesce(sum(d) FILTER (WHERE status = 'pending'), 0), coalesce(sum(d) FILTER (WHERE status = 'sending'), 0),
         coalesce(sum(d) FILTER (WHERE status = 'deferred'), 0), coalesce(sum(d) FILTER (WHERE status = 'sent'), 0),
         coalesce(sum(d) FILTER (WHERE status = 'failed'), 0), coalesce(sum(d) FILTER (WHERE status = 'unknown'), 0),
         coalesce(sum(d) FILTER (WHERE status = 'skipped'), 0), coalesce(sum(d) FILTER (WHERE status = 'cancelled'), 0),
         coalesce(sum(d) FILTER (WHERE attempts = 0 AND status IN ('pending', 'sending')), 0)
    FROM (SELECT run_id, status, attempts, 1 AS d FROM new_rows UNION ALL SELECT run_id, status, attempts, -1 FROM old_rows) x
   GROUP BY run_id ORDER BY run_id
  ON CONFLICT (run_id, slot) DO UPDATE SET
    pending = c.pending + excluded.pending, sending = c.sending + excluded.sending, deferred = c.deferred + excluded.deferred,
    sent = c.sent + excluded.sent, failed = c.failed + excluded.failed, unknown = c.unknown + excluded.unknown,
    skipped = c.skipped + excluded.skipped, cancelled = c.cancelled + excluded.cancelled, untried = c.untried + excluded.untried;

  -- What follows counts final states; a claim, half of all updates, touches none.
  IF NOT EXISTS (SELECT FROM new_rows WHERE status IN ('sent', 'failed', 'unknown', 'skipped', 'cancelled'))
     AND NOT EXISTS (SELECT FROM old_rows WHERE status IN ('sent', 'failed', 'unknown', 'skipped', 'cancelled')) THEN
    RETURN NULL;
  END IF;

  -- A delivery that leaves a final state (marked or sent again by hand) is taken back where it was counted.
  INSERT INTO stats AS s (mailing_id, bucket_at, slot, owner_id, sent, failed, unknown, skipped, cancelled)
  SELECT r.mailing_id, x.bucket_at, my_slot, r.owner_id,
         coalesce(sum(d) FILTER (WHERE x.status = 'sent'), 0), coalesce(sum(d) FILTER (WHERE x.status = 'failed'), 0),
         coalesce(sum(d) FILTER (WHERE x.status = 'unknown'), 0), coalesce(sum(d) FILTER (WHERE x.status = 'skipped'), 0),
         coalesce(sum(d) FILTER (WHERE x.status = 'cancelled'), 0)
    FROM (SELECT run_id, status, stats_bucket(updated_at) AS bucket_at, 1 AS d FROM new_rows
          UNION ALL SELECT run_id, status, stats_bucket(updated_at), -1 FROM old_rows) x
    JOIN runs r ON r.id = x.run_id
   WHERE x.status IN ('sent', 'failed', 'unknown', 'skipped', 'cancelled')
   GROUP BY 1, 2, 4 ORDER BY 1, 2
  ON CONFLICT (mailing_id, bucket_at, slot) DO UPDATE SET sent = s.sent + excluded.sent, failed = s.failed + excluded.failed,
    unknown = s.unknown + excluded.unknown, skipped = s.skipped + excluded.skipped, cancelled = s.cancelled + excluded.cancelled;

  IF NOT EXISTS (SELECT FROM new_rows WHERE status = 'failed') AND NOT EXISTS (SELECT FROM old_rows WHERE status = 'failed') THEN
    RETURN NULL;
  END IF;

  INSERT INTO failure_stats AS f (mailing_id, bucket_at, reason, domain, slot, owner_id, failed)
  SELECT r.mailing_id, x.bucket_at, x.reason, x.domain, my_slot, r.owner_id, sum(d)
    FROM (SELECT run_id, date_trunc('hour', updated_at, 'UTC') AS bucket_at, coalesce(reason, 'unknown') AS reason,
                 lower(split_part(email, '@', 2)) AS domain, 1 AS d FROM new_rows WHERE status = 'failed'
          UNION ALL SELECT run_id, date_trunc('hour', updated_at, 'UTC'), coalesce(reason, 'unknown'),
                 lower(split_part(email, '@', 2)), -1 FROM old_rows WHERE status = 'failed') x
    JOIN runs r ON r.id = x.run_id
   GROUP BY 1, 2, 3, 4, 6 ORDER BY 1, 2, 3, 4
  ON CONFLICT (mailing_id, bucket_at, reason, domain, slot) DO UPDATE SET failed = f.failed + excluded.failed;
  RETURN NULL;
END $$;
