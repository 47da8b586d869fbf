-- Up Migration
-- What an owner knows of clients beyond name and address, and the ways to choose among them.

-- The fields that an owner defined. Their values stand in clients.fields, by key.
CREATE TABLE client_fields (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT client_fields_pkey PRIMARY KEY,
  owner_id bigint NOT NULL CONSTRAINT client_fields_owner_id_fkey REFERENCES users,
  key text COLLATE "C" NOT NULL,
  label text NOT NULL,
  type text NOT NULL
    CONSTRAINT client_fields_type_check CHECK (type IN ('text', 'number', 'date', 'boolean', 'choice')),
  -- Of a choice: the values on offer, in this order.
  options text[] NOT NULL DEFAULT '{}',
  position integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  -- An archived field keeps its values, but is not offered any more.
  archived_at timestamptz,
  CONSTRAINT client_fields_options_check CHECK ((type = 'choice') = (cardinality(options) > 0))
);
CREATE UNIQUE INDEX client_fields_owner_id_key_key ON client_fields (owner_id, lower(key));

-- By the field's key: a text, a number, true or false, a day as 'YYYY-MM-DD'. A field without a value is absent. The
-- rules of the fields (domain/client-fields.ts) allow less than this constraint.
ALTER TABLE clients ADD fields jsonb NOT NULL DEFAULT '{}'
  CONSTRAINT clients_fields_check CHECK (jsonb_typeof(fields) = 'object' AND octet_length(fields::text) <= 16384);
-- Names are optional from now on.
ALTER TABLE clients ALTER full_name SET DEFAULT '';

CREATE TABLE tags (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT tags_pkey PRIMARY KEY,
  owner_id bigint NOT NULL CONSTRAINT tags_owner_id_fkey REFERENCES users,
  name text NOT NULL,
  -- A topic: people may choose it and leave it themselves.
  public boolean NOT NULL DEFAULT false,
  -- Kept by the triggers of client_tags.
  clients integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT app_now()
);
-- Names are compared as searches compare them.
CREATE UNIQUE INDEX tags_owner_id_name_key ON tags (owner_id, (lower(translate(name, 'İIı', 'iii') COLLATE "default")));

CREATE TABLE client_tags (
  tag_id bigint NOT NULL CONSTRAINT client_tags_tag_id_fkey REFERENCES tags ON DELETE CASCADE,
  client_id bigint NOT NULL CONSTRAINT client_tags_client_id_fkey REFERENCES clients ON DELETE CASCADE,
  CONSTRAINT client_tags_pkey PRIMARY KEY (tag_id, client_id)
);
CREATE INDEX client_tags_client_id_idx ON client_tags (client_id, tag_id);

-- Tags are counted in the transaction that puts or takes them, in the order of their ids, so that two of these can't
-- wait for each other.
CREATE FUNCTION client_tags_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM FROM tags WHERE id IN (SELECT tag_id FROM new_rows) ORDER BY id FOR NO KEY UPDATE;
    UPDATE tags t SET clients = t.clients + n.n
      FROM (SELECT tag_id, count(*)::int AS n FROM new_rows GROUP BY tag_id) n WHERE t.id = n.tag_id;
  ELSE
    PERFORM FROM tags WHERE id IN (SELECT tag_id FROM old_rows) ORDER BY id FOR NO KEY UPDATE;
    UPDATE tags t SET clients = t.clients - o.n
      FROM (SELECT tag_id, count(*)::int AS n FROM old_rows GROUP BY tag_id) o WHERE t.id = o.tag_id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER client_tags_count_insert AFTER INSERT ON client_tags REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION client_tags_count();
CREATE TRIGGER client_tags_count_delete AFTER DELETE ON client_tags REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION client_tags_count();

-- Down Migration
DROP TABLE client_tags, tags;
DROP FUNCTION client_tags_count();
ALTER TABLE clients DROP fields, ALTER full_name DROP DEFAULT;
DROP TABLE client_fields;
