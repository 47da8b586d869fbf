-- Up Migration
CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Addresses are ASCII and compared by lower(email). The collation C folds A to Z and nothing else in every database;
  -- a Turkish or Azeri collation would fold I differently. All columns of addresses have it.
  email text COLLATE "C" NOT NULL,
  full_name text NOT NULL DEFAULT '',
  password_hash text,
  role text NOT NULL DEFAULT 'user' CONSTRAINT users_role_check CHECK (role IN ('user', 'manager', 'admin')),
  -- unconfirmed: the address is not confirmed yet; waiting: confirmed, a manager has to approve the user
  status text NOT NULL DEFAULT 'active'
    CONSTRAINT users_status_check CHECK (status IN ('unconfirmed', 'waiting', 'active', 'blocked')),
  language text NOT NULL DEFAULT 'en' CONSTRAINT users_language_check CHECK (language IN ('en', 'ru')),
  time_zone text NOT NULL DEFAULT 'UTC',
  created_at timestamptz NOT NULL DEFAULT app_now(),
  updated_at timestamptz NOT NULL DEFAULT app_now()
);
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

CREATE TABLE api_tokens (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL CONSTRAINT api_tokens_user_id_fkey REFERENCES users ON DELETE CASCADE,
  name text NOT NULL,
  token_hash bytea NOT NULL CONSTRAINT api_tokens_token_hash_key UNIQUE,
  scopes text[] NOT NULL DEFAULT '{read,write}'
    CONSTRAINT api_tokens_scopes_check CHECK (scopes <@ '{read,write}' AND cardinality(scopes) > 0),
  created_at timestamptz NOT NULL DEFAULT app_now(),
  last_used_at timestamptz,
  expires_at timestamptz
);
CREATE INDEX api_tokens_user_id_idx ON api_tokens (user_id);

-- A session is identified by the SHA-256 of its cookie. Times are by the server's clock, so that tests that move
-- app_now() end no session.
CREATE TABLE sessions (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT sessions_pkey PRIMARY KEY,
  user_id bigint NOT NULL CONSTRAINT sessions_user_id_fkey REFERENCES users ON DELETE CASCADE,
  token_hash bytea NOT NULL CONSTRAINT sessions_token_hash_key UNIQUE,
  ip text NOT NULL DEFAULT '',
  user_agent text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);

-- The second factor of a user who signs in with a password: a time-based code (TOTP, RFC 6238).
CREATE TABLE second_factors (
  user_id bigint NOT NULL CONSTRAINT second_factors_pkey PRIMARY KEY
    CONSTRAINT second_factors_user_id_fkey REFERENCES users ON DELETE CASCADE,
  -- Encrypted with a key derived from SECRET_KEY.
  secret bytea NOT NULL,
  -- The time step of the last accepted code: codes of this or an earlier step are refused.
  last_step bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Null while it is being set up: sign-in does not ask for it yet.
  confirmed_at timestamptz
);

-- Recovery codes, each of which replaces a code once. They have 120 random bits, so that a plain SHA-256 protects them.
CREATE TABLE recovery_codes (
  code_hash bytea NOT NULL CONSTRAINT recovery_codes_pkey PRIMARY KEY,
  user_id bigint NOT NULL CONSTRAINT recovery_codes_user_id_fkey REFERENCES second_factors ON DELETE CASCADE
);
CREATE INDEX recovery_codes_user_id_idx ON recovery_codes (user_id);

-- Sign-ins whose password was right and that wait for a code.
CREATE TABLE sign_in_challenges (
  token_hash bytea NOT NULL CONSTRAINT sign_in_challenges_pkey PRIMARY KEY,
  user_id bigint NOT NULL CONSTRAINT sign_in_challenges_user_id_fkey REFERENCES second_factors ON DELETE CASCADE,
  -- The hash of the password that was right: the challenge is void if the password has changed since.
  password_hash text NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX sign_in_challenges_user_id_idx ON sign_in_challenges (user_id);
CREATE INDEX sign_in_challenges_expires_at_idx ON sign_in_challenges (expires_at);

-- Accounts of OpenID Connect providers that are linked to users.
CREATE TABLE identities (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT identities_pkey PRIMARY KEY,
  user_id bigint NOT NULL CONSTRAINT identities_user_id_fkey REFERENCES users ON DELETE CASCADE,
  issuer text NOT NULL,
  subject text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  CONSTRAINT identities_issuer_subject_key UNIQUE (issuer, subject),
  -- One account per user and provider, so that an address that the provider has given to somebody else does not lead
  -- into this user's account.
  CONSTRAINT identities_user_id_issuer_key UNIQUE (user_id, issuer)
);

-- Down Migration
DROP TABLE identities, sign_in_challenges, recovery_codes, second_factors, sessions, api_tokens, users;
