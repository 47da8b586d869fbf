-- Up Migration
-- The only clock of the calendar and of the ledger. A test database replaces this function to move time;
-- the product never does. Liveness of workers (heartbeats, leases) uses clock_timestamp() instead.
CREATE FUNCTION app_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE RETURN now();

-- Down Migration
DROP FUNCTION app_now();
