-- Up Migration
-- Who must not get mail, what became known about a letter after it was sent, and whose letters they are.

-- The keys that sign the links in letters. A link is good for years: a key is never deleted, and only a person retires
-- one. Both these secrets belong to the database's backups; SECRET_KEY has no part in them.
CREATE TABLE link_keys (
  -- One byte of each link.
  id smallint NOT NULL CONSTRAINT link_keys_pkey PRIMARY KEY CONSTRAINT link_keys_id_check CHECK (id BETWEEN 1 AND 255),
  secret bytea NOT NULL CONSTRAINT link_keys_secret_check CHECK (octet_length(secret) = 32),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- From then on what it signed is not accepted any more.
  retired_at timestamptz
);
INSERT INTO link_keys (id, secret) VALUES (1, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- The one secret under which addresses are hashed: it is in every link, and never changes.
CREATE TABLE address_pepper (
  id boolean NOT NULL DEFAULT true CONSTRAINT address_pepper_pkey PRIMARY KEY
    CONSTRAINT address_pepper_one_check CHECK (id),
  secret bytea NOT NULL CONSTRAINT address_pepper_secret_check CHECK (octet_length(secret) = 32)
);
INSERT INTO address_pepper (secret) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- What stands for an address in links, and in the list of who must not get mail when the address itself was erased.
CREATE FUNCTION address_hash(email text) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT substr(sha256(p.secret || convert_to(lower(email COLLATE "C"), 'UTF8')), 1, 16) FROM address_pepper p
$$;

-- Addresses that get nothing, or not that mailing. Rows are never deleted: lifting one keeps it, with who did it and
-- why.
CREATE TABLE suppressions (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT suppressions_pkey PRIMARY KEY,
  -- Null: no owner of this installation may write to it.
  owner_id bigint CONSTRAINT suppressions_owner_id_fkey REFERENCES users,
  -- Null: no mailing of the owner.
  mailing_id bigint CONSTRAINT suppressions_mailing_id_fkey REFERENCES mailings,
  -- The address as it is compared; null once it was erased.
  email_key text COLLATE "C",
  address_hash bytea NOT NULL CONSTRAINT suppressions_address_hash_check CHECK (octet_length(address_hash) = 16),
  reason text NOT NULL CONSTRAINT suppressions_reason_check
    CHECK (reason IN ('unsubscribed', 'hard_bounce', 'complaint', 'manual', 'invalid')),
  detail text NOT NULL DEFAULT '',
  source text NOT NULL CONSTRAINT suppressions_source_check
    CHECK (source IN ('one_click', 'page', 'smtp', 'api', 'import', 'user', 'cli')),
  -- The letter that brought it, if one did.
  delivery_id bigint,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  expires_at timestamptz,
  lifted_at timestamptz,
  -- Null with lifted_at: by the person.
  lifted_by bigint CONSTRAINT suppressions_lifted_by_fkey REFERENCES users,
  lift_reason text,
  CONSTRAINT suppressions_scope_check CHECK (mailing_id IS NULL OR owner_id IS NOT NULL)
);
-- One of each kind for an address.
CREATE UNIQUE INDEX suppressions_live_key ON suppressions (owner_id, mailing_id, address_hash, reason)
  NULLS NOT DISTINCT WHERE lifted_at IS NULL;
-- Asked for every letter, when it is planned and when it is claimed.
CREATE INDEX suppressions_email_key_idx ON suppressions (email_key) WHERE lifted_at IS NULL;
-- Those whose address was erased, found again when somebody adds it as a client.
CREATE INDEX suppressions_erased_idx ON suppressions (address_hash) WHERE lifted_at IS NULL AND email_key IS NULL;
CREATE INDEX suppressions_owner_id_id_idx ON suppressions (owner_id, id);

-- What became known about a delivery after it was sent, beside its status, which stays.
CREATE TABLE delivery_events (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT delivery_events_pkey PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  delivery_id bigint NOT NULL,
  run_id bigint NOT NULL,
  mailing_id bigint NOT NULL,
  owner_id bigint NOT NULL,
  client_id bigint NOT NULL,
  kind text NOT NULL CONSTRAINT delivery_events_kind_check CHECK (kind IN
    ('bounced', 'soft_bounced', 'delayed', 'complained', 'unsubscribed', 'resubscribed', 'auto_replied')),
  source text NOT NULL,
  enhanced_code text,
  -- What was said, as it came.
  reply text,
  reason text
);
-- Told twice, it is known once.
CREATE UNIQUE INDEX delivery_events_delivery_id_kind_key ON delivery_events (delivery_id, kind)
  WHERE kind NOT IN ('soft_bounced', 'delayed');
CREATE INDEX delivery_events_run_id_kind_idx ON delivery_events (run_id, kind, delivery_id);
CREATE INDEX delivery_events_owner_id_id_idx ON delivery_events (owner_id, id);
CREATE INDEX delivery_events_client_id_id_idx ON delivery_events (client_id, id);

-- Whose letters a user's are, beside the address, which is the account's.
CREATE TABLE senders (
  owner_id bigint NOT NULL CONSTRAINT senders_pkey PRIMARY KEY CONSTRAINT senders_owner_id_fkey REFERENCES users,
  -- Empty: the account's.
  name text NOT NULL DEFAULT '',
  reply_to text COLLATE "C" NOT NULL DEFAULT '',
  postal_address text NOT NULL DEFAULT '',
  -- Why people get the letter, said in the standard footer; empty: its own words.
  unsubscribe_text text NOT NULL DEFAULT '',
  updated_at timestamptz NOT NULL DEFAULT app_now()
);

ALTER TABLE mailings
  ADD kind text NOT NULL DEFAULT 'marketing'
    CONSTRAINT mailings_kind_check CHECK (kind IN ('marketing', 'transactional')),
  -- Why people must get it although they unsubscribed.
  ADD transactional_reason text,
  -- Of what the service adds to its letters.
  ADD language text NOT NULL DEFAULT 'en' CONSTRAINT mailings_language_check CHECK (language IN ('en', 'ru')),
  ADD CONSTRAINT mailings_transactional_check CHECK ((kind = 'transactional') = (transactional_reason IS NOT NULL));
UPDATE mailings m SET language = u.language FROM users u WHERE u.id = m.owner_id AND u.language <> 'en';

ALTER TABLE runs
  ADD transactional boolean NOT NULL DEFAULT false,
  ADD language text NOT NULL DEFAULT 'en' CONSTRAINT runs_language_check CHECK (language IN ('en', 'ru')),
  ADD reply_to text,
  -- Null until the run's first letter: then it is the sender's, or that of the settings.
  ADD postal_address text,
  ADD unsubscribe_text text;
UPDATE runs r SET language = m.language FROM mailings m
 WHERE m.id = r.mailing_id AND m.language <> 'en' AND r.status IN ('planning', 'sending', 'done');

-- Of an import's addresses, those that get no mail of the owner.
ALTER TABLE imports ADD suppressed integer NOT NULL DEFAULT 0;

ALTER TABLE run_counts
  ADD bounced integer NOT NULL DEFAULT 0,
  ADD soft_bounced integer NOT NULL DEFAULT 0,
  ADD complained integer NOT NULL DEFAULT 0,
  ADD unsubscribed integer NOT NULL DEFAULT 0;
ALTER TABLE stats
  ADD bounced integer NOT NULL DEFAULT 0,
  ADD soft_bounced integer NOT NULL DEFAULT 0,
  ADD complained integer NOT NULL DEFAULT 0,
  ADD unsubscribed integer NOT NULL DEFAULT 0;

CREATE FUNCTION delivery_events_count() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  my_slot smallint := pg_backend_pid() % 64;
BEGIN
  INSERT INTO run_counts AS c (run_id, slot, bounced, soft_bounced, complained, unsubscribed)
  SELECT run_id, my_slot, count(*) FILTER (WHERE kind = 'bounced'), count(*) FILTER (WHERE kind = 'soft_bounced'),
         count(*) FILTER (WHERE kind = 'complained'), count(*) FILTER (WHERE kind = 'unsubscribed')
    FROM new_rows GROUP BY run_id ORDER BY run_id
  ON CONFLICT (run_id, slot) DO UPDATE SET
    bounced = c.bounced + excluded.bounced, soft_bounced = c.soft_bounced + excluded.soft_bounced,
    complained = c.complained + excluded.complained, unsubscribed = c.unsubscribed + excluded.unsubscribed;
  INSERT INTO stats AS s (mailing_id, bucket_at, slot, owner_id, bounced, soft_bounced, complained, unsubscribed)
  SELECT mailing_id, stats_bucket(created_at), my_slot, owner_id, count(*) FILTER (WHERE kind = 'bounced'),
         count(*) FILTER (WHERE kind = 'soft_bounced'), count(*) FILTER (WHERE kind = 'complained'),
         count(*) FILTER (WHERE kind = 'unsubscribed')
    FROM new_rows GROUP BY 1, 2, 4 ORDER BY 1, 2
  ON CONFLICT (mailing_id, bucket_at, slot) DO UPDATE SET
    bounced = s.bounced + excluded.bounced, soft_bounced = s.soft_bounced + excluded.soft_bounced,
    complained = s.complained + excluded.complained, unsubscribed = s.unsubscribed + excluded.unsubscribed;
  RETURN NULL;
END $$;
CREATE TRIGGER delivery_events_count_insert AFTER INSERT ON delivery_events REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION delivery_events_count();

-- Why how many of a run were skipped is counted with it. It holds nothing that changes on the ordinary way.
CREATE INDEX deliveries_skipped_idx ON deliveries (run_id, reason) WHERE off_path = 'skipped';

-- Down Migration
DROP INDEX deliveries_skipped_idx;
ALTER TABLE imports DROP suppressed;
ALTER TABLE stats DROP bounced, DROP soft_bounced, DROP complained, DROP unsubscribed;
ALTER TABLE run_counts DROP bounced, DROP soft_bounced, DROP complained, DROP unsubscribed;
ALTER TABLE runs DROP transactional, DROP language, DROP reply_to, DROP postal_address, DROP unsubscribe_text;
ALTER TABLE mailings DROP kind, DROP transactional_reason, DROP language;
DROP TABLE senders, delivery_events, suppressions;
DROP FUNCTION delivery_events_count(), address_hash(text);
DROP TABLE address_pepper, link_keys;
