-- Up Migration One row for each worker process. While its heartbeat changes, nobody takes over its claims.
CREATE TABLE workers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  host text NOT NULL,
  pid integer NOT NULL,
  version text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  stopped_at timestamptz,
  -- Why this worker can't use Redis, as it found at its last heartbeat; null while it can.
  redis_reason text
);
CREATE INDEX workers_live_idx ON workers (heartbeat_at) WHERE stopped_at IS NULL;

CREATE TABLE runs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mailing_id bigint NOT NULL CONSTRAINT runs_mailing_id_fkey REFERENCES mailings,
  owner_id bigint NOT NULL CONSTRAINT runs_owner_id_fkey REFERENCES users,
  -- The nominal instant this run is for; null for an extra run on demand and for a resend.
  occurrence_at timestamptz,
  trigger text NOT NULL CONSTRAINT runs_trigger_check CHECK (trigger IN ('schedule', 'demand', 'resend')),
  source_run_id bigint CONSTRAINT runs_source_run_id_fkey REFERENCES runs,
  idempotency_key text,
  status text NOT NULL
    CONSTRAINT runs_status_check CHECK (status IN ('planning', 'sending', 'done', 'cancelled', 'missed')),
  reason text
    CONSTRAINT runs_reason_check CHECK (reason IN ('down', 'paused', 'overlap', 'ended', 'finished')),
  -- Set while its mailing is paused: nothing is claimed or planned.
  paused_at timestamptz,
  on_unknown text NOT NULL CONSTRAINT runs_on_unknown_check CHECK (on_unknown IN ('resend', 'hold')),
  -- What is sent: the content as it was when the run began.
  subject text NOT NULL DEFAULT '',
  body text NOT NULL DEFAULT '',
  body_text text,
  -- A letter must be the same on every try, so the facts about mailing and sender that it contains are stored here,
  -- too. Nulls are filled from the mailing and the settings when the run's first letter is composed.
  mailing_name text,
  time_zone text,
  -- The sender of its letters, `Name <address@domain>`.
  sender text,
  -- The random value from which, with the client's id, Message-IDs are made: no other database makes the same ones.
  letter_key uuid,
  -- Planning pages through the audience in id order; everything up to here has its delivery.
  plan_cursor bigint NOT NULL DEFAULT 0,
  -- When the whole audience had its deliveries; null again while late joiners are planned.
  planned_at timestamptz,
  -- Nothing is claimed from here on: the mailing's end, exclusive.
  end_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  started_at timestamptz,
  finished_at timestamptz,
  -- Cancelled, and not all of its open deliveries have got their final state yet.
  closing boolean NOT NULL DEFAULT false,
  -- No open delivery of this run on the ordinary path (see deliveries) has an id up to this. Only ever raised.
  floor_id bigint NOT NULL DEFAULT 0,
  CONSTRAINT runs_mailing_id_occurrence_at_key UNIQUE (mailing_id, occurrence_at),
  CONSTRAINT runs_mailing_id_idempotency_key_key UNIQUE (mailing_id, idempotency_key)
);
CREATE INDEX runs_mailing_id_id_idx ON runs (mailing_id, id);
-- At each start the runs of the owner's last 24 hours are counted (LETTERS_PER_DAY).
CREATE INDEX runs_owner_id_created_at_idx ON runs (owner_id, created_at);
CREATE INDEX runs_live_idx ON runs (id) WHERE status IN ('planning', 'sending');
CREATE INDEX runs_mailing_id_live_idx ON runs (mailing_id) WHERE status IN ('planning', 'sending');
-- A closed run may still have deliveries to close; the sweeper goes on with it.
CREATE INDEX runs_closing_idx ON runs (id) WHERE closing;

-- No foreign keys: the ledger keeps its rows, with the address, when a client is deleted; runs, which planning holds,
-- are never deleted, and looking one up again for each of a million rows costs.
--
-- A letter updates its delivery twice: claimed, recorded. No index may contain the columns that these change, so that
-- Postgres updates no index (a heap-only update): that saves a quarter of the database's work for a letter. The
-- ordinary path is pending, sending, sent, without a wait in between. Deliveries on it are found by their id: all that
-- are still open lie above the run's floor. All others are in an index of their own, by their state (off_path).
CREATE TABLE deliveries (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id bigint NOT NULL,
  client_id bigint NOT NULL,
  email text COLLATE "C" NOT NULL,
  status text NOT NULL DEFAULT 'pending' CONSTRAINT deliveries_status_check
    CHECK (status IN ('pending', 'sending', 'deferred', 'sent', 'failed', 'unknown', 'skipped', 'cancelled')),
  reason text,
  -- SMTP transactions so far; the next attempt has number attempts + 1.
  attempts smallint NOT NULL DEFAULT 0,
  -- Tries that count against the retry policy.
  tries smallint NOT NULL DEFAULT 0,
  -- Connections lost before the dot, and replies lost after it.
  breaks smallint NOT NULL DEFAULT 0,
  lost_replies smallint NOT NULL DEFAULT 0,
  -- How often it was deferred before a try, because its domain rests.
  rests smallint NOT NULL DEFAULT 0,
  next_attempt_at timestamptz,
  claimed_by bigint,
  -- Of a claim: whether the mail server may have been told of it. False only from a claim under the policy `hold` until
  -- a connection is ready for its letter. No index may contain it, because it changes with each claim.
  offered boolean NOT NULL DEFAULT true,
  -- The user who marked it as sent; 0 is the operator on the command line.
  marked_by bigint,
  updated_at timestamptz NOT NULL DEFAULT app_now(),
  -- Null on the ordinary path.
  off_path text GENERATED ALWAYS AS (
    CASE WHEN status = 'sent' OR (status IN ('pending', 'sending') AND attempts = 0 AND rests = 0) THEN NULL
         ELSE status END
  ) STORED,
  CONSTRAINT deliveries_claim_check CHECK ((status = 'sending') = (claimed_by IS NOT NULL)),
  CONSTRAINT deliveries_due_check CHECK ((status = 'deferred') = (next_attempt_at IS NOT NULL)),
  CONSTRAINT deliveries_rests_check CHECK (status <> 'deferred' OR attempts > 0 OR rests > 0)
  -- The fill factor leaves room in each page for both updates of its rows.
) WITH (fillfactor = 65, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
CREATE UNIQUE INDEX deliveries_run_id_email_key ON deliveries (run_id, lower(email));
CREATE UNIQUE INDEX deliveries_client_id_run_id_key ON deliveries (client_id, run_id);
CREATE INDEX deliveries_run_id_id_idx ON deliveries (run_id, id);
CREATE INDEX deliveries_off_path_idx ON deliveries (run_id, off_path, id) WHERE off_path IS NOT NULL;
CREATE INDEX deliveries_due_idx ON deliveries (run_id, next_attempt_at, id) WHERE next_attempt_at IS NOT NULL;

-- The first n deliveries of a run after an id, in id order, that are in this state (pending or sending); the run's
-- floor is given. Both parts of the UNION read their index in order and end after n rows.
CREATE FUNCTION open_deliveries(run bigint, floor bigint, state text, after bigint, n bigint)
  RETURNS SETOF deliveries LANGUAGE sql STABLE AS $$
  SELECT * FROM (
    (SELECT d.* FROM deliveries d WHERE d.run_id = run AND d.off_path = state AND d.id > after ORDER BY d.id LIMIT n)
    UNION ALL
    (SELECT d.* FROM deliveries d
      WHERE d.run_id = run AND d.off_path IS NULL AND d.status = state AND d.id > greatest(floor, after)
      ORDER BY d.id LIMIT n)) o
   ORDER BY o.id LIMIT n
$$;
CREATE FUNCTION has_open_deliveries(run bigint, floor bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM deliveries d WHERE d.run_id = run AND d.off_path IN ('pending', 'sending', 'deferred'))
      OR EXISTS (SELECT FROM deliveries d
          WHERE d.run_id = run AND d.off_path IS NULL AND d.status IN ('pending', 'sending') AND d.id > floor)
$$;

-- No foreign key to deliveries: an attempt is written only by the statement that has just moved its delivery, and
-- deliveries are never deleted. Checking the key would cost a fifth of the database's time for a letter.
CREATE TABLE attempts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  delivery_id bigint NOT NULL,
  run_id bigint NOT NULL,
  mailing_id bigint NOT NULL,
  owner_id bigint NOT NULL,
  client_id bigint NOT NULL,
  worker_id bigint NOT NULL,
  attempt_number smallint NOT NULL,
  status text NOT NULL CONSTRAINT attempts_status_check CHECK (status IN ('ok', 'failed', 'unknown')),
  reason text,
  reply_code smallint,
  enhanced_code text,
  server_response text NOT NULL DEFAULT '',
  duration_ms integer,
  -- The fingerprint of a refusal that names no recipient. If all recipients get the same, the account is to blame, and
  -- the deliveries that got it since the last success are pending again, also if the worker that counted them has died.
  refusal text,
  CONSTRAINT attempts_delivery_id_attempt_number_key UNIQUE (delivery_id, attempt_number)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
CREATE INDEX attempts_owner_id_id_idx ON attempts (owner_id, id);
CREATE INDEX attempts_mailing_id_id_idx ON attempts (mailing_id, id);
CREATE INDEX attempts_run_id_id_idx ON attempts (run_id, id);
-- For lists of a time range: the ids at which it begins and ends.
CREATE INDEX attempts_created_at_idx ON attempts (created_at);
-- Failures are few among millions: these keep the lists filtered by status fast.
CREATE INDEX attempts_not_ok_idx ON attempts (status, id) WHERE status <> 'ok';
CREATE INDEX attempts_run_id_not_ok_idx ON attempts (run_id, status, id) WHERE status <> 'ok';
CREATE INDEX attempts_owner_id_not_ok_idx ON attempts (owner_id, status, id) WHERE status <> 'ok';
CREATE INDEX attempts_mailing_id_not_ok_idx ON attempts (mailing_id, status, id) WHERE status <> 'ok';
CREATE INDEX attempts_refusal_idx ON attempts (refusal, id) WHERE refusal IS NOT NULL;

-- The Message-IDs of a mail server's log while a run is reconciled with it. Each reconciliation has its own rows (job).
-- The table is unlogged because reconciling can be repeated.
CREATE UNLOGGED TABLE accepted_letters (
  job uuid NOT NULL,
  -- The part of a Message-ID before the @.
  id text NOT NULL,
  added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT accepted_letters_pkey PRIMARY KEY (job, id)
);

-- Down Migration
DROP TABLE accepted_letters, attempts;
DROP FUNCTION open_deliveries(bigint, bigint, text, bigint, bigint), has_open_deliveries(bigint, bigint);
DROP TABLE deliveries, runs, workers;
