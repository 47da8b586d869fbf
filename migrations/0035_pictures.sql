-- Up Migration
-- The bytes of pictures and attachments, where no object store is set. They are compressed in themselves.
CREATE TABLE stored_objects (
  key text COLLATE "C" NOT NULL CONSTRAINT stored_objects_pkey PRIMARY KEY,
  content bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT app_now()
);
ALTER TABLE stored_objects ALTER content SET STORAGE EXTERNAL;

-- Pictures that letters show, each once, whoever has it.
CREATE TABLE media (
  -- SHA-256 of the bytes that are served, in hexadecimal.
  hash text COLLATE "C" NOT NULL CONSTRAINT media_pkey PRIMARY KEY
    CONSTRAINT media_hash_check CHECK (hash ~ '^[0-9a-f]{64}$'),
  type text NOT NULL CONSTRAINT media_type_check CHECK (type IN ('image/jpeg', 'image/png', 'image/gif')),
  width integer NOT NULL,
  height integer NOT NULL,
  size integer NOT NULL,
  -- Where its bytes are stored. Each row has a key of its own, so that removing one can't take the bytes of a later one.
  key text NOT NULL,
  -- When it was last uploaded, or a use of it began or ended.
  used_at timestamptz NOT NULL DEFAULT app_now()
);
CREATE INDEX media_used_at_idx ON media (used_at);

-- Who has which picture.
CREATE TABLE pictures (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pictures_pkey PRIMARY KEY,
  owner_id bigint NOT NULL CONSTRAINT pictures_owner_id_fkey REFERENCES users,
  hash text COLLATE "C" NOT NULL CONSTRAINT pictures_hash_fkey REFERENCES media,
  -- The name of its file.
  name text NOT NULL DEFAULT '',
  -- What stands in its place where pictures are not shown; letters begin with it.
  alt text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT app_now(),
  CONSTRAINT pictures_owner_id_hash_key UNIQUE (owner_id, hash)
);
CREATE INDEX pictures_owner_id_id_idx ON pictures (owner_id, id);
CREATE INDEX pictures_hash_idx ON pictures (hash);

-- Which pictures messages and letters of runs show; kept by triggers, so that no way of saving one can forget it. A
-- picture may be another owner's, or gone.
CREATE TABLE message_media (
  message_id bigint NOT NULL CONSTRAINT message_media_message_id_fkey REFERENCES messages ON DELETE CASCADE,
  hash text COLLATE "C" NOT NULL,
  CONSTRAINT message_media_pkey PRIMARY KEY (message_id, hash)
);
CREATE INDEX message_media_hash_idx ON message_media (hash);
CREATE TABLE run_media (
  run_id bigint NOT NULL CONSTRAINT run_media_run_id_fkey REFERENCES runs ON DELETE CASCADE,
  hash text COLLATE "C" NOT NULL,
  CONSTRAINT run_media_pkey PRIMARY KEY (run_id, hash)
);
CREATE INDEX run_media_hash_idx ON run_media (hash);

CREATE FUNCTION media_in(body text) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
  SELECT DISTINCT found[1] FROM regexp_matches(body, 'media[:/]([0-9a-f]{64})', 'g') found
$$;

CREATE FUNCTION messages_show_media() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM message_media m WHERE m.message_id = new.id AND m.hash NOT IN (SELECT media_in(new.body));
  INSERT INTO message_media (message_id, hash) SELECT new.id, media_in(new.body) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER messages_show_media_insert AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION messages_show_media();
CREATE TRIGGER messages_show_media_update AFTER UPDATE OF body ON messages FOR EACH ROW
  WHEN (old.body IS DISTINCT FROM new.body) EXECUTE FUNCTION messages_show_media();

CREATE FUNCTION runs_show_media() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO run_media (run_id, hash) SELECT new.id, media_in(new.body);
  RETURN NULL;
END $$;
CREATE TRIGGER runs_show_media AFTER INSERT ON runs FOR EACH ROW EXECUTE FUNCTION runs_show_media();

-- Changing the row makes whoever is about to remove the picture look again.
CREATE FUNCTION media_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE media SET used_at = app_now() WHERE hash = coalesce(new.hash, old.hash);
  RETURN NULL;
END $$;
CREATE TRIGGER message_media_used AFTER INSERT OR DELETE ON message_media FOR EACH ROW EXECUTE FUNCTION media_used();
CREATE TRIGGER run_media_used AFTER INSERT ON run_media FOR EACH ROW EXECUTE FUNCTION media_used();

-- Removing unused pictures has its turns as the sweep has.
INSERT INTO rounds (name, begun_at) VALUES ('media', '-infinity');

-- Down Migration
DELETE FROM rounds WHERE name = 'media';
DROP TRIGGER runs_show_media ON runs;
DROP TRIGGER messages_show_media_insert ON messages;
DROP TRIGGER messages_show_media_update ON messages;
DROP TABLE run_media, message_media, pictures, media, stored_objects;
DROP FUNCTION media_used, runs_show_media, messages_show_media, media_in;
