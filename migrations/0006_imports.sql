-- Up Migration
CREATE TABLE imports (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner_id bigint NOT NULL CONSTRAINT imports_owner_id_fkey REFERENCES users,
  file_name text NOT NULL DEFAULT '',
  dry_run boolean NOT NULL DEFAULT false,
  status text NOT NULL DEFAULT 'running'
    CONSTRAINT imports_status_check CHECK (status IN ('running', 'done', 'failed')),
  reason text,
  encoding text,
  delimiter text,
  ignored_columns text[] NOT NULL DEFAULT '{}',
  -- If the file has no column for comments, those of known clients are not changed.
  has_comment boolean NOT NULL DEFAULT true,
  rows integer NOT NULL DEFAULT 0,
  added integer NOT NULL DEFAULT 0,
  updated integer NOT NULL DEFAULT 0,
  rejected integer NOT NULL DEFAULT 0,
  staged_at timestamptz,
  -- The heartbeat of the process that reads the file, by clock_timestamp(). If it is old, the process is gone.
  alive_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_at timestamptz NOT NULL DEFAULT app_now(),
  finished_at timestamptz
);
CREATE INDEX imports_owner_id_id_idx ON imports (owner_id, id);
CREATE INDEX imports_running_idx ON imports (id) WHERE status = 'running';

-- No foreign key: checking it for each of a million rows costs more than copying them. The last transaction of an
-- import deletes its rows.
CREATE TABLE import_rows (
  import_id bigint NOT NULL,
  line bigint NOT NULL,
  email text COLLATE "C" NOT NULL,
  full_name text NOT NULL,
  comment text NOT NULL,
  CONSTRAINT import_rows_pkey PRIMARY KEY (import_id, line)
);

CREATE TABLE import_errors (
  import_id bigint NOT NULL CONSTRAINT import_errors_import_id_fkey REFERENCES imports ON DELETE CASCADE,
  line bigint NOT NULL,
  field text NOT NULL,
  message text NOT NULL,
  CONSTRAINT import_errors_pkey PRIMARY KEY (import_id, line, field)
);

-- The parts of an import that are not applied yet, so that several sessions can apply it at once: a session locks a
-- chunk's row, and its transaction deletes the chunk together with its import_rows. So whatever process died, what is
-- still here is not applied.
CREATE TABLE import_chunks (
  import_id bigint NOT NULL CONSTRAINT import_chunks_import_id_fkey REFERENCES imports ON DELETE CASCADE,
  first_line bigint NOT NULL,
  last_line bigint NOT NULL,
  CONSTRAINT import_chunks_pkey PRIMARY KEY (import_id, first_line)
);

-- Down Migration
DROP TABLE import_chunks, import_errors, import_rows, imports;
