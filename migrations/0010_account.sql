-- Up Migration The state of the SMTP account (at present one, id 1). If it is broken, sending stops and no delivery
-- loses a try.
CREATE TABLE accounts (
  id smallint NOT NULL CONSTRAINT accounts_pkey PRIMARY KEY,
  -- open: sending; waiting: broken for now, one probe at retry_at; parked: until its settings change or an admin
  -- resumes it
  state text NOT NULL DEFAULT 'open' CONSTRAINT accounts_state_check CHECK (state IN ('open', 'waiting', 'parked')),
  reason text,
  detail text,
  -- The refusal that all recipients got and because of which the account rests, as in attempts.refusal.
  refusal text,
  -- Failures in a row; picks the waiting time.
  step integer NOT NULL DEFAULT 0,
  -- Permanent refusals in a row; a few of them park the account.
  strikes integer NOT NULL DEFAULT 0,
  retry_at timestamptz,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Changes at every transition, so that only one of several workers makes it.
  version bigint NOT NULL DEFAULT 0,
  -- Of the settings that the state belongs to, without secrets; with other settings the state is reset.
  fingerprint text NOT NULL DEFAULT ''
);
INSERT INTO accounts (id) VALUES (1);

CREATE TABLE account_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id smallint NOT NULL CONSTRAINT account_log_account_id_fkey REFERENCES accounts,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  event text NOT NULL,
  reason text,
  detail text
);

CREATE TABLE domain_rests (
  domain text NOT NULL CONSTRAINT domain_rests_pkey PRIMARY KEY,
  until_at timestamptz NOT NULL,
  detail text NOT NULL DEFAULT ''
);

-- When the calendar's tick and the sweep last began, by the database's clock: whichever worker finds one due takes it.
CREATE TABLE rounds (
  name text PRIMARY KEY,
  begun_at timestamptz NOT NULL
);
INSERT INTO rounds (name, begun_at) VALUES ('tick', '-infinity'), ('sweep', '-infinity');

-- Down Migration
DROP TABLE rounds, domain_rests, account_log, accounts;
