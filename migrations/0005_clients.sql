-- Up Migration
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE clients (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner_id bigint NOT NULL CONSTRAINT clients_owner_id_fkey REFERENCES users,
  email text COLLATE "C" NOT NULL,
  full_name text NOT NULL,
  comment text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT app_now(),
  updated_at timestamptz NOT NULL DEFAULT app_now()
);
CREATE UNIQUE INDEX clients_owner_id_email_key ON clients (owner_id, lower(email));
CREATE INDEX clients_email_idx ON clients (lower(email));
-- Planning pages through an owner's clients by id; lists do so too.
CREATE INDEX clients_owner_id_id_idx ON clients (owner_id, id);
-- Lists sorted by name: an owner's, and everybody's for managers.
CREATE INDEX clients_owner_id_full_name_idx ON clients (owner_id, full_name, id);
CREATE INDEX clients_full_name_idx ON clients (full_name, id);
-- For searches: names are folded by the database's collation, except that the four letters I are the same in all of
-- them.
CREATE INDEX clients_search_idx ON clients
  USING gin ((lower(translate(email || ' ' || full_name, 'İIı', 'iii') COLLATE "default")) gin_trgm_ops);

-- Counts that pages show often. The row of owner_id 0 has the number of different addresses of all owners.
CREATE TABLE client_totals (
  owner_id bigint NOT NULL CONSTRAINT client_totals_pkey PRIMARY KEY,
  clients bigint NOT NULL DEFAULT 0
);
INSERT INTO client_totals (owner_id) VALUES (0);

-- Keeps client_totals in the transaction that changes clients. Transactions that write addresses exclude each other by
-- an advisory lock, so that the number of different addresses over all owners is exact. It changes for an address that
-- no client had before the statement, or that none has after it. No joins and no sequential scans: the query plan that
-- a session keeps from its first statement must suit one row in an empty table as well as thousands among millions.
CREATE FUNCTION clients_count() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  different bigint := 0;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    PERFORM FROM (SELECT lower(email) AS address, 1 AS n FROM new_rows
                  UNION ALL SELECT lower(email), -1 FROM old_rows) r
      GROUP BY address HAVING sum(n) <> 0 LIMIT 1;
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('clients_count'));
  IF TG_OP = 'INSERT' THEN
    SELECT count(*) INTO different FROM (SELECT lower(email) AS address, count(*) AS n FROM new_rows GROUP BY 1) r
     WHERE (SELECT count(*) FROM clients c WHERE lower(c.email) = r.address) = r.n;
    INSERT INTO client_totals AS t (owner_id, clients)
    SELECT owner_id, count(*) FROM new_rows GROUP BY owner_id ORDER BY owner_id
      ON CONFLICT (owner_id) DO UPDATE SET clients = t.clients + excluded.clients;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT -count(*) INTO different FROM (SELECT DISTINCT lower(email) AS address FROM old_rows) r
     WHERE NOT EXISTS (SELECT FROM clients c WHERE lower(c.email) = r.address OFFSET 0);
    UPDATE client_totals t SET clients = t.clients - o.n
      FROM (SELECT owner_id, count(*) AS n FROM old_rows GROUP BY owner_id) o WHERE t.owner_id = o.owner_id;
  ELSE
    SELECT coalesce(sum((after > 0)::int - (after - came > 0)::int), 0) INTO different FROM (
      SELECT sum(n) AS came, (SELECT count(*) FROM clients c WHERE lower(c.email) = r.address) AS after
        FROM (SELECT lower(email) AS address, 1 AS n FROM new_rows UNION ALL SELECT lower(email), -1 FROM old_rows) r
       GROUP BY address HAVING sum(n) <> 0) changed;
  END IF;
  IF different <> 0 THEN
    UPDATE client_totals SET clients = clients + different WHERE owner_id = 0;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER clients_count_insert AFTER INSERT ON clients REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION clients_count();
CREATE TRIGGER clients_count_delete AFTER DELETE ON clients REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION clients_count();
CREATE TRIGGER clients_count_update AFTER UPDATE ON clients REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION clients_count();

-- Down Migration
DROP TABLE client_totals, clients;
DROP FUNCTION clients_count();
DROP EXTENSION pg_trgm;
