-- Up Migration The clock of the calendar and of the ledger. Tests replace this function to move time; the product never
-- does. Heartbeats and leases of workers use clock_timestamp() instead.
CREATE FUNCTION app_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE RETURN now();

-- The identity of this database. A restored dump and a cloned database have other OIDs, of the database or its tables;
-- another server has another system identifier. If this row differs from the present values, the database was restored
-- and does not know what was sent since.
CREATE TABLE database_identity (
  one boolean NOT NULL DEFAULT true CONSTRAINT database_identity_pkey PRIMARY KEY
    CONSTRAINT database_identity_one_check CHECK (one),
  -- Null if the server does not reveal it.
  system_identifier bigint,
  database_oid bigint NOT NULL,
  table_oid bigint NOT NULL
);

CREATE FUNCTION present_identity(OUT system_identifier bigint, OUT database_oid bigint, OUT table_oid bigint)
  LANGUAGE plpgsql STABLE AS $$
BEGIN
  SELECT oid::bigint INTO database_oid FROM pg_database WHERE datname = current_database();
  table_oid := 'database_identity'::regclass::oid::bigint;
  SELECT c.system_identifier INTO system_identifier FROM pg_control_system() c;
EXCEPTION WHEN insufficient_privilege OR undefined_function THEN
  system_identifier := NULL;
END $$;

-- Down Migration
DROP FUNCTION present_identity();
DROP TABLE database_identity;
DROP FUNCTION app_now();
