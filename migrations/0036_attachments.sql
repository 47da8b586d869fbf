-- Up Migration
-- Files that letters carry, each once. They are not served to anybody who is not signed in.
CREATE TABLE attachment_files (
  -- SHA-256, in hexadecimal.
  hash text COLLATE "C" NOT NULL CONSTRAINT attachment_files_pkey PRIMARY KEY
    CONSTRAINT attachment_files_hash_check CHECK (hash ~ '^[0-9a-f]{64}$'),
  size integer NOT NULL,
  -- Where its bytes are stored, as of pictures.
  key text NOT NULL,
  used_at timestamptz NOT NULL DEFAULT app_now()
);

CREATE TABLE message_attachments (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT message_attachments_pkey PRIMARY KEY,
  message_id bigint NOT NULL CONSTRAINT message_attachments_message_id_fkey REFERENCES messages ON DELETE CASCADE,
  hash text COLLATE "C" NOT NULL CONSTRAINT message_attachments_hash_fkey REFERENCES attachment_files,
  -- The name under which its recipients get it.
  name text NOT NULL,
  type text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  CONSTRAINT message_attachments_message_id_name_key UNIQUE (message_id, name)
);
CREATE INDEX message_attachments_hash_idx ON message_attachments (hash);

-- What the letters of a run carry: the message's attachments as they were when it began.
CREATE TABLE run_attachments (
  run_id bigint NOT NULL CONSTRAINT run_attachments_run_id_fkey REFERENCES runs ON DELETE CASCADE,
  position smallint NOT NULL,
  hash text COLLATE "C" NOT NULL CONSTRAINT run_attachments_hash_fkey REFERENCES attachment_files,
  name text NOT NULL,
  type text NOT NULL,
  CONSTRAINT run_attachments_pkey PRIMARY KEY (run_id, position)
);
CREATE INDEX run_attachments_hash_idx ON run_attachments (hash);

-- By a trigger, so that every way of beginning a run takes them along: to those who failed the letters of their run go.
CREATE FUNCTION runs_take_attachments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.source_run_id IS NOT NULL THEN
    INSERT INTO run_attachments (run_id, position, hash, name, type)
    SELECT new.id, a.position, a.hash, a.name, a.type FROM run_attachments a WHERE a.run_id = new.source_run_id;
  ELSIF new.status <> 'missed' THEN
    INSERT INTO run_attachments (run_id, position, hash, name, type)
    SELECT new.id, row_number() OVER (ORDER BY a.id), a.hash, a.name, a.type
      FROM mailings m JOIN message_attachments a ON a.message_id = m.message_id WHERE m.id = new.mailing_id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER runs_take_attachments AFTER INSERT ON runs FOR EACH ROW EXECUTE FUNCTION runs_take_attachments();

CREATE FUNCTION attachment_file_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE attachment_files SET used_at = app_now() WHERE hash = coalesce(new.hash, old.hash);
  RETURN NULL;
END $$;
CREATE TRIGGER message_attachments_used AFTER INSERT OR DELETE ON message_attachments
  FOR EACH ROW EXECUTE FUNCTION attachment_file_used();

-- Down Migration
DROP TRIGGER runs_take_attachments ON runs;
DROP TABLE run_attachments, message_attachments, attachment_files;
DROP FUNCTION attachment_file_used, runs_take_attachments;
