-- Up Migration
-- What is left of an import, in pieces that several sessions apply at once: whoever locks a chunk's row has it. Its
-- transaction deletes it together with its import_rows, so what is still here is not applied, whoever died.
CREATE TABLE import_chunks (
  import_id bigint NOT NULL CONSTRAINT import_chunks_import_id_fkey REFERENCES imports ON DELETE CASCADE,
  first_line bigint NOT NULL,
  last_line bigint NOT NULL,
  CONSTRAINT import_chunks_pkey PRIMARY KEY (import_id, first_line)
);
-- Imports under way are cut into chunks when they go on.
DELETE FROM import_rows r USING imports i WHERE i.id = r.import_id AND r.line <= i.applied_line;
ALTER TABLE imports DROP COLUMN applied_line;

-- Down Migration
-- Rows that are applied are gone, so going on from the first line applies the others.
ALTER TABLE imports ADD COLUMN applied_line bigint NOT NULL DEFAULT 0;
DROP TABLE import_chunks;
