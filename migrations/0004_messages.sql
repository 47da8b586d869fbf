-- Up Migration
CREATE TABLE messages (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner_id bigint NOT NULL CONSTRAINT messages_owner_id_fkey REFERENCES users,
  subject text NOT NULL,
  body text NOT NULL,
  body_text text,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  updated_at timestamptz NOT NULL DEFAULT app_now()
);
CREATE INDEX messages_owner_id_id_idx ON messages (owner_id, id);

-- Down Migration
DROP TABLE messages;
