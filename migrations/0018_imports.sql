-- Up Migration
-- Imports by mapping: the file is kept for an hour, its columns are chosen, and it is read from here.
ALTER TABLE imports
  DROP CONSTRAINT imports_status_check,
  -- waiting: the file is kept, and its columns are not chosen yet.
  ADD CONSTRAINT imports_status_check CHECK (status IN ('running', 'waiting', 'done', 'failed')),
  -- When the whole file was kept in import_files; null if it is read while it comes in.
  ADD kept_at timestamptz,
  ADD file_bytes bigint NOT NULL DEFAULT 0,
  -- The encoding that its sender declared.
  ADD charset text,
  -- What is to be done with a kept file (ImportPlan).
  ADD plan jsonb,
  -- The process that reads a kept file.
  ADD reader text,
  -- How often reading it was begun since that was decided.
  ADD readings integer NOT NULL DEFAULT 0,
  -- What the columns of the file are (ImportLayout), for rejected lines.
  ADD layout jsonb,
  ADD mode text NOT NULL DEFAULT 'upsert' CONSTRAINT imports_mode_check CHECK (mode IN ('upsert', 'add', 'update')),
  -- Whether empty cells take the names of known clients away.
  ADD clears_name boolean NOT NULL DEFAULT false,
  -- The owner's fields that are in the file, and whether its empty cells take values away.
  ADD field_keys text[] NOT NULL DEFAULT '{}',
  ADD clears_fields boolean NOT NULL DEFAULT false,
  -- The tags of all rows, and those that import_rows.tags counts from 1.
  ADD all_tags bigint[] NOT NULL DEFAULT '{}',
  ADD row_tags bigint[] NOT NULL DEFAULT '{}',
  -- Rows of addresses that are known (mode add) or not known (mode update).
  ADD skipped integer NOT NULL DEFAULT 0,
  -- Rows whose status says that the address gets no mail, and how many addresses were excluded because of it.
  ADD status_rows integer NOT NULL DEFAULT 0,
  ADD newly_suppressed integer NOT NULL DEFAULT 0,
  -- The clients that it added have ids between these, and clients.import_id.
  ADD first_client_id bigint,
  ADD last_client_id bigint,
  -- Undoing: since when, how far it came (the last id that was looked at), and when it was through.
  ADD undo_at timestamptz,
  ADD undo_after bigint NOT NULL DEFAULT 0,
  ADD undone_at timestamptz,
  ADD undone integer NOT NULL DEFAULT 0,
  ADD undo_kept integer NOT NULL DEFAULT 0;
CREATE INDEX imports_kept_idx ON imports (kept_at) WHERE kept_at IS NOT NULL;
CREATE INDEX imports_undo_idx ON imports (id) WHERE undo_at IS NOT NULL AND undone_at IS NULL;

-- The import that added the client. No index: undoing goes through the owner's ids.
ALTER TABLE clients ADD import_id bigint;

-- A kept file in parts of the same length, so that any place of it can be found.
CREATE TABLE import_files (
  import_id bigint NOT NULL CONSTRAINT import_files_import_id_fkey REFERENCES imports ON DELETE CASCADE,
  part integer NOT NULL,
  bytes bytea NOT NULL,
  CONSTRAINT import_files_pkey PRIMARY KEY (import_id, part)
);
-- Tables compress well, but compressing them costs more than it saves in an hour.
ALTER TABLE import_files ALTER bytes SET STORAGE EXTERNAL;

ALTER TABLE import_rows
  ADD fields jsonb,
  ADD tags integer[],
  -- Why the address gets no mail, and in which words the file says so.
  ADD reason text,
  ADD detail text,
  -- The line was rejected, and only the exclusion of its address counts.
  ADD rejected boolean NOT NULL DEFAULT false;

-- Rejected lines as they stand in the file: a JSON array of texts. NUL is allowed in it, so it is no jsonb.
CREATE TABLE import_rejected (
  import_id bigint NOT NULL CONSTRAINT import_rejected_import_id_fkey REFERENCES imports ON DELETE CASCADE,
  line bigint NOT NULL,
  record text NOT NULL,
  CONSTRAINT import_rejected_pkey PRIMARY KEY (import_id, line)
);

-- Down Migration
DROP TABLE import_rejected, import_files;
DELETE FROM imports WHERE status = 'waiting';
ALTER TABLE import_rows DROP fields, DROP tags, DROP reason, DROP detail, DROP rejected;
ALTER TABLE clients DROP import_id;
ALTER TABLE imports
  DROP CONSTRAINT imports_status_check,
  ADD CONSTRAINT imports_status_check CHECK (status IN ('running', 'done', 'failed')),
  DROP kept_at, DROP file_bytes, DROP charset, DROP plan, DROP reader, DROP readings, DROP layout, DROP mode, DROP clears_name, DROP field_keys,
  DROP clears_fields, DROP all_tags, DROP row_tags, DROP skipped, DROP status_rows, DROP newly_suppressed,
  DROP first_client_id, DROP last_client_id, DROP undo_at, DROP undo_after, DROP undone_at, DROP undone, DROP undo_kept;
