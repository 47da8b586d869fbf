-- Up Migration
-- What is done to many clients at once, in the background. A job goes on where its cursor stands, whatever died.
CREATE TABLE bulk_jobs (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT bulk_jobs_pkey PRIMARY KEY,
  owner_id bigint NOT NULL CONSTRAINT bulk_jobs_owner_id_fkey REFERENCES users,
  action text NOT NULL
    CONSTRAINT bulk_jobs_action_check CHECK (action IN ('tag', 'untag', 'delete', 'suppress')),
  -- Of tag and untag.
  tag_ids bigint[] NOT NULL DEFAULT '{}',
  -- To whom: these clients, in id order, or those whom a filter finds (features/clients/client-list.ts).
  client_ids bigint[],
  filter jsonb,
  -- Clients with greater ids came after the job.
  last_id bigint NOT NULL,
  -- The last client that was looked at.
  cursor_id bigint NOT NULL DEFAULT 0,
  -- How many there were when it began; null if they were not counted. How many it was done to.
  total integer,
  done integer NOT NULL DEFAULT 0,
  status text NOT NULL DEFAULT 'running'
    CONSTRAINT bulk_jobs_status_check CHECK (status IN ('running', 'done', 'stopped')),
  created_at timestamptz NOT NULL DEFAULT app_now(),
  finished_at timestamptz,
  CONSTRAINT bulk_jobs_clients_check CHECK ((client_ids IS NULL) <> (filter IS NULL)),
  CONSTRAINT bulk_jobs_finished_check CHECK ((status = 'running') = (finished_at IS NULL))
);
CREATE INDEX bulk_jobs_owner_id_id_idx ON bulk_jobs (owner_id, id);
CREATE INDEX bulk_jobs_running_idx ON bulk_jobs (id) WHERE status = 'running';

-- Down Migration
DROP TABLE bulk_jobs;
