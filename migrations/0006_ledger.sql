-- Up Migration
-- Each worker process is one row; its heartbeat, on the database's clock, says that its claims are alive.
CREATE TABLE workers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  host text NOT NULL,
  pid integer NOT NULL,
  version text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  stopped_at timestamptz
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
  status text NOT NULL CONSTRAINT runs_status_check CHECK (status IN ('planning', 'sending', 'done', 'cancelled', 'missed')),
  reason text CONSTRAINT runs_reason_check CHECK (reason IN ('down', 'paused', 'overlap', 'ended', 'finished', 'deleted')),
  -- Set while its mailing is paused: nothing is claimed or planned.
  paused_at timestamptz,
  on_unknown text NOT NULL CONSTRAINT runs_on_unknown_check CHECK (on_unknown IN ('resend', 'hold')),
  -- What is sent: the content as it was when the run began.
  subject text NOT NULL DEFAULT '',
  body text NOT NULL DEFAULT '',
  body_text text,
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
  CONSTRAINT runs_mailing_id_occurrence_at_key UNIQUE (mailing_id, occurrence_at),
  CONSTRAINT runs_mailing_id_idempotency_key_key UNIQUE (mailing_id, idempotency_key)
);
CREATE INDEX runs_mailing_id_id_idx ON runs (mailing_id, id);
CREATE INDEX runs_live_idx ON runs (id) WHERE status IN ('planning', 'sending');
CREATE INDEX runs_mailing_id_live_idx ON runs (mailing_id) WHERE status IN ('planning', 'sending');
-- A closed run may still have deliveries to close; the sweeper goes on with it.
CREATE INDEX runs_closing_idx ON runs (id) WHERE closing;

-- No foreign key to clients: the ledger keeps its rows, with the address, when a client is deleted.
CREATE TABLE deliveries (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id bigint NOT NULL CONSTRAINT deliveries_run_id_fkey REFERENCES runs,
  client_id bigint NOT NULL,
  email text NOT NULL,
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
  next_attempt_at timestamptz,
  claimed_by bigint,
  marked_by bigint CONSTRAINT deliveries_marked_by_fkey REFERENCES users,
  updated_at timestamptz NOT NULL DEFAULT app_now(),
  CONSTRAINT deliveries_claim_check CHECK ((status = 'sending') = (claimed_by IS NOT NULL)),
  CONSTRAINT deliveries_due_check CHECK ((status = 'deferred') = (next_attempt_at IS NOT NULL))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
CREATE UNIQUE INDEX deliveries_run_id_email_key ON deliveries (run_id, lower(email));
CREATE UNIQUE INDEX deliveries_client_id_run_id_key ON deliveries (client_id, run_id);
CREATE INDEX deliveries_run_id_status_id_idx ON deliveries (run_id, status, id);
CREATE INDEX deliveries_due_idx ON deliveries (run_id, next_attempt_at, id) WHERE status = 'deferred';
CREATE INDEX deliveries_claimed_by_idx ON deliveries (claimed_by) WHERE status = 'sending';

CREATE TABLE attempts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  delivery_id bigint NOT NULL CONSTRAINT attempts_delivery_id_fkey REFERENCES deliveries,
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
  CONSTRAINT attempts_delivery_id_attempt_number_key UNIQUE (delivery_id, attempt_number)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
CREATE INDEX attempts_owner_id_id_idx ON attempts (owner_id, id);
CREATE INDEX attempts_mailing_id_id_idx ON attempts (mailing_id, id);
CREATE INDEX attempts_run_id_id_idx ON attempts (run_id, id);
-- Lists of a time begin and end at an id; ids grow with time.
CREATE INDEX attempts_created_at_idx ON attempts (created_at);
-- Failures are few among millions: these keep the lists filtered by status fast.
CREATE INDEX attempts_not_ok_idx ON attempts (status, id) WHERE status <> 'ok';
CREATE INDEX attempts_run_id_not_ok_idx ON attempts (run_id, status, id) WHERE status <> 'ok';
CREATE INDEX attempts_owner_id_not_ok_idx ON attempts (owner_id, status, id) WHERE status <> 'ok';
CREATE INDEX attempts_mailing_id_not_ok_idx ON attempts (mailing_id, status, id) WHERE status <> 'ok';

-- Down Migration
DROP TABLE attempts, deliveries, runs, workers;
