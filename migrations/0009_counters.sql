-- Up Migration Counters for pages, kept by triggers on deliveries and attempts in the transaction that changes the
-- rows, so that they are always right. Each backend adds to rows of its own (slot), so that workers never wait for each
-- other; queries sum over the slots.
CREATE TABLE run_counts (
  run_id bigint NOT NULL CONSTRAINT run_counts_run_id_fkey REFERENCES runs,
  slot smallint NOT NULL,
  pending integer NOT NULL DEFAULT 0,
  sending integer NOT NULL DEFAULT 0,
  deferred integer NOT NULL DEFAULT 0,
  sent integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  unknown integer NOT NULL DEFAULT 0,
  skipped integer NOT NULL DEFAULT 0,
  cancelled integer NOT NULL DEFAULT 0,
  -- Pending deliveries that were never tried: while there are some, another send is refused.
  untried integer NOT NULL DEFAULT 0,
  CONSTRAINT run_counts_pkey PRIMARY KEY (run_id, slot)
) WITH (fillfactor = 40);

-- Per quarter of an hour, because the days of all time zones begin at one: deliveries by final state, attempts by
-- status.
CREATE TABLE stats (
  mailing_id bigint NOT NULL,
  bucket_at timestamptz NOT NULL,
  slot smallint NOT NULL,
  owner_id bigint NOT NULL,
  sent integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  unknown integer NOT NULL DEFAULT 0,
  skipped integer NOT NULL DEFAULT 0,
  cancelled integer NOT NULL DEFAULT 0,
  attempts_ok integer NOT NULL DEFAULT 0,
  attempts_failed integer NOT NULL DEFAULT 0,
  attempts_unknown integer NOT NULL DEFAULT 0,
  CONSTRAINT stats_pkey PRIMARY KEY (mailing_id, bucket_at, slot)
) WITH (fillfactor = 40);
CREATE INDEX stats_owner_id_bucket_at_idx ON stats (owner_id, bucket_at);
CREATE INDEX stats_bucket_at_idx ON stats (bucket_at);

-- Per quarter of an hour, too: why deliveries failed and at which domains.
CREATE TABLE failure_stats (
  mailing_id bigint NOT NULL,
  bucket_at timestamptz NOT NULL,
  reason text NOT NULL,
  domain text NOT NULL,
  slot smallint NOT NULL,
  owner_id bigint NOT NULL,
  failed integer NOT NULL DEFAULT 0,
  CONSTRAINT failure_stats_pkey PRIMARY KEY (mailing_id, bucket_at, reason, domain, slot)
) WITH (fillfactor = 70);
CREATE INDEX failure_stats_owner_id_bucket_at_idx ON failure_stats (owner_id, bucket_at);

CREATE FUNCTION stats_bucket(t timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN date_bin('15 minutes', t, timestamptz '2000-01-01 00:00:00+00');

CREATE FUNCTION deliveries_count_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  my_slot smallint := pg_backend_pid() % 64;
BEGIN
  INSERT INTO run_counts AS c (run_id, slot, pending, skipped, untried)
  SELECT run_id, my_slot, count(*) FILTER (WHERE status = 'pending'), count(*) FILTER (WHERE status = 'skipped'),
         count(*) FILTER (WHERE status = 'pending')
    FROM new_rows GROUP BY run_id ORDER BY run_id
  ON CONFLICT (run_id, slot) DO UPDATE SET
    pending = c.pending + excluded.pending, skipped = c.skipped + excluded.skipped,
    untried = c.untried + excluded.untried;
  IF NOT EXISTS (SELECT FROM new_rows WHERE status = 'skipped') THEN
    RETURN NULL;
  END IF;
  INSERT INTO stats AS s (mailing_id, bucket_at, slot, owner_id, skipped)
  SELECT r.mailing_id, stats_bucket(n.updated_at), my_slot, r.owner_id, count(*)
    FROM new_rows n JOIN runs r ON r.id = n.run_id WHERE n.status = 'skipped' GROUP BY 1, 2, 4 ORDER BY 1, 2
  ON CONFLICT (mailing_id, bucket_at, slot) DO UPDATE SET skipped = s.skipped + excluded.skipped;
  RETURN NULL;
END $$;

CREATE FUNCTION deliveries_count_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  my_slot smallint := pg_backend_pid() % 64;
BEGIN
  INSERT INTO run_counts AS c
    (run_id, slot, pending, sending, deferred, sent, failed, unknown, skipped, cancelled, untried)
  SELECT run_id, my_slot,
         coalesce(sum(d) FILTER (WHERE status = 'pending'), 0), coalesce(sum(d) FILTER (WHERE status = 'sending'), 0),
         coalesce(sum(d) FILTER (WHERE status = 'deferred'), 0), coalesce(sum(d) FILTER (WHERE status = 'sent'), 0),
         coalesce(sum(d) FILTER (WHERE status = 'failed'), 0), coalesce(sum(d) FILTER (WHERE status = 'unknown'), 0),
         coalesce(sum(d) FILTER (WHERE status = 'skipped'), 0), coalesce(sum(d) FILTER (WHERE status = 'cancelled'), 0),
         coalesce(sum(d) FILTER (WHERE attempts = 0 AND status IN ('pending', 'sending')), 0)
    FROM (SELECT run_id, status, attempts, 1 AS d FROM new_rows
          UNION ALL SELECT run_id, status, attempts, -1 FROM old_rows) x
   GROUP BY run_id ORDER BY run_id
  ON CONFLICT (run_id, slot) DO UPDATE SET
    pending = c.pending + excluded.pending, sending = c.sending + excluded.sending,
    deferred = c.deferred + excluded.deferred, sent = c.sent + excluded.sent, failed = c.failed + excluded.failed,
    unknown = c.unknown + excluded.unknown, skipped = c.skipped + excluded.skipped,
    cancelled = c.cancelled + excluded.cancelled, untried = c.untried + excluded.untried;

  -- The following counts final states; claims, half of all updates, end here.
  IF NOT EXISTS (SELECT FROM new_rows WHERE status IN ('sent', 'failed', 'unknown', 'skipped', 'cancelled'))
     AND NOT EXISTS (SELECT FROM old_rows WHERE status IN ('sent', 'failed', 'unknown', 'skipped', 'cancelled')) THEN
    RETURN NULL;
  END IF;

  -- A delivery that leaves a final state (marked or sent again by hand) is subtracted where it was counted.
  INSERT INTO stats AS s (mailing_id, bucket_at, slot, owner_id, sent, failed, unknown, skipped, cancelled)
  SELECT r.mailing_id, x.bucket_at, my_slot, r.owner_id,
         coalesce(sum(d) FILTER (WHERE x.status = 'sent'), 0),
         coalesce(sum(d) FILTER (WHERE x.status = 'failed'), 0),
         coalesce(sum(d) FILTER (WHERE x.status = 'unknown'), 0),
         coalesce(sum(d) FILTER (WHERE x.status = 'skipped'), 0),
         coalesce(sum(d) FILTER (WHERE x.status = 'cancelled'), 0)
    FROM (SELECT run_id, status, stats_bucket(updated_at) AS bucket_at, 1 AS d FROM new_rows
          UNION ALL SELECT run_id, status, stats_bucket(updated_at), -1 FROM old_rows) x
    JOIN runs r ON r.id = x.run_id
   WHERE x.status IN ('sent', 'failed', 'unknown', 'skipped', 'cancelled')
   GROUP BY 1, 2, 4 ORDER BY 1, 2
  ON CONFLICT (mailing_id, bucket_at, slot) DO UPDATE SET
    sent = s.sent + excluded.sent, failed = s.failed + excluded.failed, unknown = s.unknown + excluded.unknown,
    skipped = s.skipped + excluded.skipped, cancelled = s.cancelled + excluded.cancelled;

  IF NOT EXISTS (SELECT FROM new_rows WHERE status = 'failed')
     AND NOT EXISTS (SELECT FROM old_rows WHERE status = 'failed') THEN
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

CREATE FUNCTION attempts_count() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  my_slot smallint := pg_backend_pid() % 64;
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO stats AS s (mailing_id, bucket_at, slot, owner_id, attempts_ok, attempts_failed, attempts_unknown)
    SELECT mailing_id, stats_bucket(created_at), my_slot, owner_id, count(*) FILTER (WHERE status = 'ok'),
           count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'unknown')
      FROM new_rows GROUP BY 1, 2, 4 ORDER BY 1, 2
    ON CONFLICT (mailing_id, bucket_at, slot) DO UPDATE SET
      attempts_ok = s.attempts_ok + excluded.attempts_ok,
      attempts_failed = s.attempts_failed + excluded.attempts_failed,
      attempts_unknown = s.attempts_unknown + excluded.attempts_unknown;
  ELSE
    INSERT INTO stats AS s (mailing_id, bucket_at, slot, owner_id, attempts_ok, attempts_failed, attempts_unknown)
    SELECT mailing_id, stats_bucket(created_at), my_slot, owner_id, coalesce(sum(d) FILTER (WHERE status = 'ok'), 0),
           coalesce(sum(d) FILTER (WHERE status = 'failed'), 0), coalesce(sum(d) FILTER (WHERE status = 'unknown'), 0)
      FROM (SELECT mailing_id, created_at, owner_id, status, 1 AS d FROM new_rows
            UNION ALL SELECT mailing_id, created_at, owner_id, status, -1 FROM old_rows) x
     GROUP BY 1, 2, 4 ORDER BY 1, 2
    ON CONFLICT (mailing_id, bucket_at, slot) DO UPDATE SET
      attempts_ok = s.attempts_ok + excluded.attempts_ok,
      attempts_failed = s.attempts_failed + excluded.attempts_failed,
      attempts_unknown = s.attempts_unknown + excluded.attempts_unknown;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER deliveries_count_insert AFTER INSERT ON deliveries REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION deliveries_count_insert();
CREATE TRIGGER deliveries_count_update AFTER UPDATE ON deliveries
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION deliveries_count_update();
CREATE TRIGGER attempts_count_insert AFTER INSERT ON attempts REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION attempts_count();
CREATE TRIGGER attempts_count_update AFTER UPDATE ON attempts REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION attempts_count();

-- Down Migration
DROP TRIGGER deliveries_count_insert ON deliveries;
DROP TRIGGER deliveries_count_update ON deliveries;
DROP TRIGGER attempts_count_insert ON attempts;
DROP TRIGGER attempts_count_update ON attempts;
DROP FUNCTION deliveries_count_insert(), deliveries_count_update(), attempts_count(), stats_bucket(timestamptz);
DROP TABLE failure_stats, stats, run_counts;
