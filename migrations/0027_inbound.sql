-- Up Migration
-- Letters that come back: bounces, complaints, automatic answers, wishes to unsubscribe.
CREATE TABLE inbound_letters (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT inbound_letters_pkey PRIMARY KEY,
  received_at timestamptz NOT NULL DEFAULT app_now(),
  -- The way by which it came in.
  source text NOT NULL CONSTRAINT inbound_letters_source_check CHECK (source IN ('api', 'pipe', 'listener')),
  -- Empty for the null sender.
  envelope_from text NOT NULL,
  envelope_to text NOT NULL,
  -- SHA-256 of recipient and letter: one that comes in again is the same.
  digest bytea NOT NULL CONSTRAINT inbound_letters_digest_check CHECK (octet_length(digest) = 32)
    CONSTRAINT inbound_letters_digest_key UNIQUE,
  -- The letter as it came, without what exceeds 256 KB; deleted with the row after INBOUND_KEEP_DAYS.
  raw bytea NOT NULL CONSTRAINT inbound_letters_raw_check CHECK (octet_length(raw) <= 262144),
  -- Of the whole letter, in bytes.
  size integer NOT NULL,
  subject text NOT NULL DEFAULT '',
  -- Null until it is judged, and again when somebody asks for that.
  judged_at timestamptz,
  -- How often judging it failed, and why it did last.
  failures smallint NOT NULL DEFAULT 0,
  problem text,
  -- What it is, and why; null until it is judged.
  kind text CONSTRAINT inbound_letters_kind_check
    CHECK (kind IN ('hard', 'soft', 'complaint', 'unsubscribe', 'auto-reply', 'ignore')),
  reason text,
  -- What it was judged by.
  basis text,
  -- The client's address that it is about.
  address text,
  enhanced_code text,
  reply text,
  blame text CONSTRAINT inbound_letters_blame_check CHECK (blame IN ('recipient', 'sender')),
  -- The delivery that it is about, whose that is, and what says so.
  match_by text CONSTRAINT inbound_letters_match_by_check
    CHECK (match_by IN ('verp', 'message-id', 'unsubscribe-token')),
  delivery_id bigint,
  owner_id bigint CONSTRAINT inbound_letters_owner_id_fkey REFERENCES users,
  CONSTRAINT inbound_letters_judged_check CHECK (judged_at IS NULL OR kind IS NOT NULL)
);
-- Those that wait to be judged; a handful.
CREATE INDEX inbound_letters_waiting_idx ON inbound_letters (id) WHERE judged_at IS NULL;
CREATE INDEX inbound_letters_received_at_idx ON inbound_letters (received_at);
CREATE INDEX inbound_letters_owner_id_id_idx ON inbound_letters (owner_id, id);
CREATE INDEX inbound_letters_kind_id_idx ON inbound_letters (kind, id);
CREATE INDEX inbound_letters_delivery_id_idx ON inbound_letters (delivery_id) WHERE delivery_id IS NOT NULL;

-- How often letters to an address came back for a while. Some time after the last one there is no row any more.
CREATE TABLE address_health (
  -- The address as it is compared.
  email_key text COLLATE "C" NOT NULL CONSTRAINT address_health_pkey PRIMARY KEY,
  -- The days of the last 30 on which one came back, oldest first, in UTC.
  days date[] NOT NULL,
  -- Whether on one of them it was for another reason than a full mailbox.
  not_only_full boolean NOT NULL,
  last_bounce_at timestamptz NOT NULL,
  last_reply text NOT NULL DEFAULT ''
);
CREATE INDEX address_health_last_bounce_at_idx ON address_health (last_bounce_at);

ALTER TABLE delivery_events
  -- Whose fault it was, of a letter that came back.
  ADD blame text CONSTRAINT delivery_events_blame_check CHECK (blame IN ('recipient', 'sender')),
  -- The letter that brought it; that is deleted some time.
  ADD inbound_id bigint;

ALTER TABLE suppressions DROP CONSTRAINT suppressions_source_check, ADD CONSTRAINT suppressions_source_check
  CHECK (source IN ('one_click', 'page', 'smtp', 'api', 'import', 'user', 'cli', 'mailto', 'inbound'));
-- Those of the last hour are counted again and again while mail servers refuse letters, at once or later.
CREATE INDEX suppressions_bounced_idx ON suppressions (created_at) WHERE source IN ('smtp', 'inbound');
DROP INDEX suppressions_smtp_idx;

ALTER TABLE api_tokens DROP CONSTRAINT api_tokens_scopes_check, ADD CONSTRAINT api_tokens_scopes_check
  CHECK (scopes <@ '{read,write,inbound}' AND cardinality(scopes) > 0);

-- Down Migration
UPDATE api_tokens SET scopes = array_remove(scopes, 'inbound') WHERE scopes <> '{inbound}';
DELETE FROM api_tokens WHERE scopes = '{inbound}';
ALTER TABLE api_tokens DROP CONSTRAINT api_tokens_scopes_check, ADD CONSTRAINT api_tokens_scopes_check
  CHECK (scopes <@ '{read,write}' AND cardinality(scopes) > 0);
CREATE INDEX suppressions_smtp_idx ON suppressions (created_at) WHERE source = 'smtp';
DROP INDEX suppressions_bounced_idx;
UPDATE suppressions SET source = CASE WHEN source = 'mailto' THEN 'one_click' ELSE 'smtp' END
 WHERE source IN ('mailto', 'inbound');
ALTER TABLE suppressions DROP CONSTRAINT suppressions_source_check, ADD CONSTRAINT suppressions_source_check
  CHECK (source IN ('one_click', 'page', 'smtp', 'api', 'import', 'user', 'cli'));
ALTER TABLE delivery_events DROP blame, DROP inbound_id;
DROP TABLE address_health, inbound_letters;
