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

CREATE TABLE mailings (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner_id bigint NOT NULL CONSTRAINT mailings_owner_id_fkey REFERENCES users,
  name text NOT NULL DEFAULT '',
  -- Null only for a deleted mailing whose message was deleted after it.
  message_id bigint CONSTRAINT mailings_message_id_fkey REFERENCES messages,
  audience text NOT NULL CONSTRAINT mailings_audience_check CHECK (audience IN ('all', 'selected')),
  start_at timestamptz NOT NULL,
  end_at timestamptz,
  period text NOT NULL CONSTRAINT mailings_period_check CHECK (period IN ('once', 'daily', 'weekly', 'monthly')),
  time_zone text NOT NULL,
  on_unknown text NOT NULL DEFAULT 'resend'
    CONSTRAINT mailings_on_unknown_check CHECK (on_unknown IN ('resend', 'hold')),
  status text NOT NULL DEFAULT 'created'
    CONSTRAINT mailings_status_check CHECK (status IN ('created', 'started', 'paused', 'done')),
  -- Why it is in this status, if the system or a manager changed it.
  status_code text,
  status_text text,
  status_since timestamptz NOT NULL DEFAULT app_now(),
  status_by bigint CONSTRAINT mailings_status_by_fkey REFERENCES users,
  -- The first occurrence that nobody decided about yet; kept while the mailing is paused; null when none will come.
  next_run_at timestamptz,
  -- When a tick last found the due occurrence waiting behind a run on demand.
  waited_until timestamptz,
  -- Set, in the transaction that adds clients to a started mailing, to the lowest id that was added: of a client
  -- (audience all) or of mailing_clients (selected). The next tick plans from there on.
  joined_from bigint,
  selected_count integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  updated_at timestamptz NOT NULL DEFAULT app_now(),
  -- A deleted mailing is only hidden, because the ledger refers to it.
  deleted_at timestamptz,
  CONSTRAINT mailings_window_check CHECK (end_at > start_at),
  CONSTRAINT mailings_message_check CHECK (message_id IS NOT NULL OR deleted_at IS NOT NULL)
);
CREATE INDEX mailings_owner_id_id_idx ON mailings (owner_id, id) WHERE deleted_at IS NULL;
CREATE INDEX mailings_message_id_idx ON mailings (message_id) WHERE deleted_at IS NULL;
-- For ticks: mailings that are due, that have ended, that clients have joined.
CREATE INDEX mailings_next_run_at_idx ON mailings (next_run_at) WHERE status = 'started' AND deleted_at IS NULL;
CREATE INDEX mailings_end_at_idx ON mailings (end_at) WHERE status IN ('started', 'paused') AND deleted_at IS NULL;
CREATE INDEX mailings_joined_idx ON mailings (id)
  WHERE joined_from IS NOT NULL AND status = 'started' AND deleted_at IS NULL;
CREATE INDEX mailings_live_audience_idx ON mailings (owner_id)
  WHERE audience = 'all' AND status IN ('started', 'paused') AND deleted_at IS NULL;

-- Mailings that are paused because the database was restored.
CREATE INDEX mailings_restored_idx ON mailings (id) WHERE status_code = 'restored' AND deleted_at IS NULL;

CREATE TABLE mailing_clients (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT mailing_clients_id_key UNIQUE,
  mailing_id bigint NOT NULL CONSTRAINT mailing_clients_mailing_id_fkey REFERENCES mailings ON DELETE CASCADE,
  client_id bigint NOT NULL CONSTRAINT mailing_clients_client_id_fkey REFERENCES clients ON DELETE CASCADE,
  CONSTRAINT mailing_clients_pkey PRIMARY KEY (mailing_id, client_id)
);
CREATE INDEX mailing_clients_mailing_id_id_idx ON mailing_clients (mailing_id, id);
CREATE INDEX mailing_clients_client_id_idx ON mailing_clients (client_id);

CREATE FUNCTION mailing_clients_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    UPDATE mailings m SET selected_count = m.selected_count + n.n
      FROM (SELECT mailing_id, count(*)::int AS n FROM new_rows GROUP BY mailing_id) n WHERE m.id = n.mailing_id;
  ELSE
    UPDATE mailings m SET selected_count = m.selected_count - o.n
      FROM (SELECT mailing_id, count(*)::int AS n FROM old_rows GROUP BY mailing_id) o WHERE m.id = o.mailing_id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER mailing_clients_count_insert AFTER INSERT ON mailing_clients REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION mailing_clients_count();
CREATE TRIGGER mailing_clients_count_delete AFTER DELETE ON mailing_clients REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION mailing_clients_count();

-- Down Migration
DROP TABLE mailing_clients, mailings, messages;
DROP FUNCTION mailing_clients_count();
