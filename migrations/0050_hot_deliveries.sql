-- Up Migration
-- A letter changes its delivery twice: claimed, recorded. No index may hold what these two change, so that Postgres writes
-- neither change into any index (a heap-only update): a quarter of the database's work for a letter.
-- The ordinary way is pending, sending, sent, without a wait in between. Deliveries on it are found by their id: all that
-- are still open lie above the run's floor. All others stand in an index of their own, by their state.
ALTER TABLE runs
  -- No open delivery of this run that never left the ordinary way has an id up to this. Only ever raised.
  ADD COLUMN floor_id bigint NOT NULL DEFAULT 0;

-- Claims are looked for in runs that are live or closing: now a closed run is closing until its last claim has ended.
UPDATE runs r SET closing = true
 WHERE status = 'cancelled' AND EXISTS (SELECT FROM deliveries d WHERE d.run_id = r.id AND d.status = 'sending');

DROP INDEX deliveries_run_id_status_id_idx, deliveries_due_idx, deliveries_claimed_by_idx;
ALTER TABLE deliveries
  -- How often it was put off before a try, because its domain rests.
  ADD COLUMN holds smallint NOT NULL DEFAULT 0;
UPDATE deliveries SET holds = 1 WHERE status = 'deferred' AND attempts = 0;
ALTER TABLE deliveries
  ADD CONSTRAINT deliveries_holds_check CHECK (status <> 'deferred' OR attempts > 0 OR holds > 0),
  ADD COLUMN off_path text GENERATED ALWAYS AS (
    CASE WHEN status = 'sent' OR (status IN ('pending', 'sending') AND attempts = 0 AND holds = 0) THEN NULL ELSE status END) STORED;
-- Room for both changes of each row beside it; what is filled already stays as it is.
ALTER TABLE deliveries SET (fillfactor = 65);
CREATE INDEX deliveries_run_id_id_idx ON deliveries (run_id, id);
CREATE INDEX deliveries_off_path_idx ON deliveries (run_id, off_path, id) WHERE off_path IS NOT NULL;
CREATE INDEX deliveries_due_idx ON deliveries (run_id, next_attempt_at, id) WHERE next_attempt_at IS NOT NULL;

-- Planning, a million rows at once: addresses are compared as bytes, and the run, which planning holds, is not looked up
-- again for each row (runs are never deleted).
DROP INDEX deliveries_run_id_email_key;
CREATE UNIQUE INDEX deliveries_run_id_email_key ON deliveries (run_id, lower(email) COLLATE "C");
ALTER TABLE deliveries DROP CONSTRAINT deliveries_run_id_fkey;

-- The first n deliveries after an id, in id order, that are pending, or sending, in a run whose floor is given. Each half
-- comes in order from its index and ends after n.
CREATE FUNCTION open_deliveries(run bigint, floor bigint, state text, after bigint, n bigint)
  RETURNS SETOF deliveries LANGUAGE sql STABLE AS $$
  SELECT * FROM (
    (SELECT d.* FROM deliveries d WHERE d.run_id = run AND d.off_path = state AND d.id > after ORDER BY d.id LIMIT n)
    UNION ALL
    (SELECT d.* FROM deliveries d WHERE d.run_id = run AND d.off_path IS NULL AND d.status = state AND d.id > greatest(floor, after)
      ORDER BY d.id LIMIT n)) o
   ORDER BY o.id LIMIT n
$$;
CREATE FUNCTION has_open_deliveries(run bigint, floor bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM deliveries d WHERE d.run_id = run AND d.off_path IN ('pending', 'sending', 'deferred'))
      OR EXISTS (SELECT FROM deliveries d WHERE d.run_id = run AND d.off_path IS NULL AND d.status IN ('pending', 'sending') AND d.id > floor)
$$;

-- Down Migration
DROP FUNCTION open_deliveries(bigint, bigint, text, bigint, bigint), has_open_deliveries(bigint, bigint);
ALTER TABLE deliveries ADD CONSTRAINT deliveries_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs NOT VALID;
DROP INDEX deliveries_run_id_email_key;
CREATE UNIQUE INDEX deliveries_run_id_email_key ON deliveries (run_id, lower(email));
DROP INDEX deliveries_run_id_id_idx, deliveries_off_path_idx, deliveries_due_idx;
ALTER TABLE deliveries RESET (fillfactor), DROP COLUMN off_path, DROP COLUMN holds;
ALTER TABLE deliveries SET (fillfactor = 80);
CREATE INDEX deliveries_run_id_status_id_idx ON deliveries (run_id, status, id);
CREATE INDEX deliveries_due_idx ON deliveries (run_id, next_attempt_at, id) WHERE status = 'deferred';
CREATE INDEX deliveries_claimed_by_idx ON deliveries (claimed_by) WHERE status = 'sending';
ALTER TABLE runs DROP COLUMN floor_id;
