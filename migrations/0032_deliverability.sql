-- Up Migration
-- What became of letters by mailbox provider. It is counted by a worker, behind the letters (ProviderCounts), so that
-- sending costs nothing more. Only that worker writes here, under a lock of the row in provider_counting.

-- Who takes the mail of a domain, as its MX says.
CREATE TABLE domain_providers (
  domain text COLLATE "C" NOT NULL CONSTRAINT domain_providers_pkey PRIMARY KEY,
  -- Null until it is known.
  provider text,
  -- The host that said so; null if none did.
  mx text,
  -- How often DNS did not answer.
  tries smallint NOT NULL DEFAULT 0,
  checked_at timestamptz,
  next_check_at timestamptz NOT NULL DEFAULT app_now()
);
CREATE INDEX domain_providers_next_check_at_idx ON domain_providers (next_check_at);

-- Per quarter of an hour, as in stats.
CREATE TABLE provider_stats (
  owner_id bigint NOT NULL,
  bucket_at timestamptz NOT NULL,
  provider text NOT NULL,
  -- Answers to letters: taken; refused for good; refused for now.
  sent integer NOT NULL DEFAULT 0,
  refused integer NOT NULL DEFAULT 0,
  deferred integer NOT NULL DEFAULT 0,
  -- What became known afterwards, by the time at which it did.
  bounced integer NOT NULL DEFAULT 0,
  soft_bounced integer NOT NULL DEFAULT 0,
  complained integer NOT NULL DEFAULT 0,
  CONSTRAINT provider_stats_pkey PRIMARY KEY (owner_id, bucket_at, provider)
);
CREATE INDEX provider_stats_bucket_at_idx ON provider_stats (bucket_at);

-- The same of domains whose provider is not known yet; then it moves to provider_stats.
CREATE TABLE domain_stats (
  domain text COLLATE "C" NOT NULL,
  owner_id bigint NOT NULL,
  bucket_at timestamptz NOT NULL,
  sent integer NOT NULL DEFAULT 0,
  refused integer NOT NULL DEFAULT 0,
  deferred integer NOT NULL DEFAULT 0,
  bounced integer NOT NULL DEFAULT 0,
  soft_bounced integer NOT NULL DEFAULT 0,
  complained integer NOT NULL DEFAULT 0,
  CONSTRAINT domain_stats_pkey PRIMARY KEY (domain, owner_id, bucket_at)
);
CREATE INDEX domain_stats_owner_id_bucket_at_idx ON domain_stats (owner_id, bucket_at);

-- How far attempts are counted: all with an id up to counted_to. Ids are given out before their rows are committed, so
-- those up to seen_to are counted only when all transactions are over that had begun to write when it was seen.
CREATE TABLE provider_counting (
  id smallint NOT NULL DEFAULT 1 CONSTRAINT provider_counting_pkey PRIMARY KEY
    CONSTRAINT provider_counting_id_check CHECK (id = 1),
  counted_to bigint NOT NULL,
  seen_to bigint NOT NULL,
  -- Of pg_current_snapshot() when seen_to was seen; null: never.
  seen_xmax xid8,
  seen_at timestamptz,
  -- What happened until then is counted.
  counted_until timestamptz
);
INSERT INTO provider_counting (counted_to, seen_to)
SELECT first.id, first.id FROM (SELECT coalesce(
  (SELECT id - 1 FROM attempts WHERE created_at > app_now() - interval '90 days' ORDER BY created_at, id LIMIT 1),
  (SELECT max(id) FROM attempts), 0) AS id) first;

-- Attempts whose answer became known late, and events: few, so that each is named until it is counted.
CREATE TABLE uncounted_attempts (id bigint NOT NULL CONSTRAINT uncounted_attempts_pkey PRIMARY KEY);
CREATE TABLE uncounted_events (id bigint NOT NULL CONSTRAINT uncounted_events_pkey PRIMARY KEY);

CREATE FUNCTION attempts_uncounted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO uncounted_attempts VALUES (NEW.id) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER attempts_uncounted AFTER UPDATE OF status ON attempts FOR EACH ROW
  WHEN (OLD.status = 'unknown' AND NEW.status <> 'unknown') EXECUTE FUNCTION attempts_uncounted();

CREATE FUNCTION delivery_events_uncounted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO uncounted_events VALUES (NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER delivery_events_uncounted AFTER INSERT ON delivery_events FOR EACH ROW
  WHEN (NEW.kind IN ('bounced', 'soft_bounced', 'complained')) EXECUTE FUNCTION delivery_events_uncounted();
INSERT INTO uncounted_events SELECT id FROM delivery_events
  WHERE created_at > app_now() - interval '90 days' AND kind IN ('bounced', 'soft_bounced', 'complained');

-- Down Migration
DROP TRIGGER delivery_events_uncounted ON delivery_events;
DROP TRIGGER attempts_uncounted ON attempts;
DROP FUNCTION delivery_events_uncounted(), attempts_uncounted();
DROP TABLE uncounted_events, uncounted_attempts, provider_counting, domain_stats, provider_stats, domain_providers;
