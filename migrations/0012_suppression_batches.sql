-- Up Migration
-- Suppressions that belong together, so that they can be undone together: the lines of a file, and addresses that a
-- mail server suddenly refused and that were therefore not suppressed.
CREATE TABLE suppression_batches (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT suppression_batches_pkey PRIMARY KEY,
  kind text NOT NULL CONSTRAINT suppression_batches_kind_check CHECK (kind IN ('import', 'outage')),
  created_at timestamptz NOT NULL DEFAULT app_now(),
  -- Whose file; null for an outage.
  owner_id bigint CONSTRAINT suppression_batches_owner_id_fkey REFERENCES users,
  file_name text NOT NULL DEFAULT '',
  -- Of the file's lines: all, those that suppressed an address, those whose address was suppressed for the same reason
  -- before, those that say themselves that the address gets mail, and those that can't be used.
  rows integer NOT NULL DEFAULT 0,
  added integer NOT NULL DEFAULT 0,
  known integer NOT NULL DEFAULT 0,
  ignored integer NOT NULL DEFAULT 0,
  rejected integer NOT NULL DEFAULT 0,
  ignored_columns text[] NOT NULL DEFAULT '{}',
  -- Of the rejected lines the first: their numbers, fields and problems.
  problems jsonb NOT NULL DEFAULT '[]',
  -- Null while the file comes in.
  complete_at timestamptz,
  -- Of an outage: the recipients' domain, or null for all domains together.
  domain text COLLATE "C",
  -- How many addresses were refused for good within an hour, when it was seen last, and how many letters were taken.
  refused integer NOT NULL DEFAULT 0,
  accepted integer NOT NULL DEFAULT 0,
  -- Until then such a refusal suppresses nobody there.
  until timestamptz,
  -- What somebody decided: the addresses get mail, or they are suppressed after all.
  decision text CONSTRAINT suppression_batches_decision_check CHECK (decision IN ('undone', 'suppressed')),
  decided_at timestamptz,
  decided_by bigint CONSTRAINT suppression_batches_decided_by_fkey REFERENCES users,
  CONSTRAINT suppression_batches_kind_columns_check
    CHECK ((kind = 'import') = (owner_id IS NOT NULL) AND (kind = 'outage') = (until IS NOT NULL)),
  CONSTRAINT suppression_batches_decided_check CHECK ((decision IS NULL) = (decided_at IS NULL))
);
-- One open question about each domain.
CREATE UNIQUE INDEX suppression_batches_open_key ON suppression_batches (domain) NULLS NOT DISTINCT
  WHERE kind = 'outage' AND decision IS NULL;

ALTER TABLE suppressions
  ADD batch_id bigint CONSTRAINT suppressions_batch_id_fkey REFERENCES suppression_batches;
CREATE INDEX suppressions_batch_id_idx ON suppressions (batch_id) INCLUDE (lifted_at, lift_reason)
  WHERE batch_id IS NOT NULL;
-- Whose list it stands in: its owner's; one that binds everybody in that of the owner whose letter brought it, or in
-- none but the managers'. Others see it with their client of that address.
ALTER TABLE suppressions ADD listed_for bigint CONSTRAINT suppressions_listed_for_fkey REFERENCES users;
UPDATE suppressions s SET listed_for = coalesce(s.owner_id,
  (SELECT r.owner_id FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = s.delivery_id));
DROP INDEX suppressions_owner_id_id_idx;
CREATE INDEX suppressions_listed_for_id_idx ON suppressions (listed_for, id) WHERE lifted_at IS NULL;
CREATE INDEX suppressions_listed_for_reason_id_idx ON suppressions (listed_for, reason, id) WHERE lifted_at IS NULL;
CREATE INDEX suppressions_lifted_idx ON suppressions (listed_for, id) WHERE lifted_at IS NOT NULL;
-- As clients are searched.
CREATE INDEX suppressions_search_idx ON suppressions
  USING gin ((lower(translate(email_key, 'İIı', 'iii') COLLATE "default")) gin_trgm_ops);
-- Those of the last hour are counted again and again while mail servers refuse letters.
CREATE INDEX suppressions_smtp_idx ON suppressions (created_at) WHERE source = 'smtp';

-- The lines of files that are coming in. A crash of the database empties it; the uploads under way then fail.
CREATE UNLOGGED TABLE suppression_rows (
  batch_id bigint NOT NULL,
  line integer NOT NULL,
  email_key text COLLATE "C" NOT NULL,
  reason text NOT NULL,
  detail text NOT NULL,
  since timestamptz
);
CREATE INDEX suppression_rows_batch_id_idx ON suppression_rows (batch_id);

-- Down Migration
DROP TABLE suppression_rows;
DROP INDEX suppressions_search_idx;
ALTER TABLE suppressions DROP batch_id, DROP listed_for;
CREATE INDEX suppressions_owner_id_id_idx ON suppressions (owner_id, id);
DROP INDEX suppressions_smtp_idx;
DROP TABLE suppression_batches;
