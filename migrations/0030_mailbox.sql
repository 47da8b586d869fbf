-- Up Migration
-- A mailbox that is read by IMAP, for letters that come back.
CREATE TABLE inbound_sources (
  -- Which mailbox, by a digest of where it is and whose.
  name text NOT NULL CONSTRAINT inbound_sources_pkey PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- As long as this stays, the numbers of letters mean the same ones (RFC 3501 2.3.1.1).
  uid_validity bigint NOT NULL DEFAULT 0,
  -- All letters up to this one were looked at, and those that are ours are kept.
  last_uid bigint NOT NULL DEFAULT 0,
  -- Those that were kept and are not put away in the mailbox yet.
  to_file bigint[] NOT NULL DEFAULT '{}',
  -- The worker that reads it, until when, by the database's clock.
  lease_worker bigint,
  lease_until timestamptz,
  -- When it was last looked at, and why it can't be (a code).
  last_ok_at timestamptz,
  last_error text,
  -- The token that the last one was exchanged for, encrypted; null as long as that of the settings is in use.
  refresh_token bytea
);
ALTER TABLE inbound_letters DROP CONSTRAINT inbound_letters_source_check,
  ADD CONSTRAINT inbound_letters_source_check CHECK (source IN ('api', 'pipe', 'listener', 'mailbox'));

-- Down Migration
UPDATE inbound_letters SET source = 'pipe' WHERE source = 'mailbox';
ALTER TABLE inbound_letters DROP CONSTRAINT inbound_letters_source_check,
  ADD CONSTRAINT inbound_letters_source_check CHECK (source IN ('api', 'pipe', 'listener'));
DROP TABLE inbound_sources;
