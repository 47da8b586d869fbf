-- Up Migration
-- Who did what to which object, when and from where. Rows are added and never changed.
CREATE TABLE audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_log_pkey PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Null: nobody signed in, or the operator on the command line (via = 'cli').
  actor_id bigint CONSTRAINT audit_log_actor_id_fkey REFERENCES users,
  via text NOT NULL CONSTRAINT audit_log_via_check CHECK (via IN ('session', 'token', 'cli', 'anonymous')),
  ip text,
  action text NOT NULL,
  object_type text,
  object_id bigint,
  detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_actor_id_id_idx ON audit_log (actor_id, id);
CREATE INDEX audit_log_object_idx ON audit_log (object_type, object_id, id);
CREATE INDEX audit_log_action_id_idx ON audit_log (action, id);

CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit_log is append-only';
END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only();

-- Down Migration
DROP TABLE audit_log;
DROP FUNCTION audit_log_is_append_only();
