-- Up Migration
-- What an owner started in the last 24 hours (LETTERS_PER_DAY) is counted at each start.
CREATE INDEX runs_owner_id_created_at_idx ON runs (owner_id, created_at);

-- Down Migration
DROP INDEX runs_owner_id_created_at_idx;
