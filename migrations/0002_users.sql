-- Up Migration
CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL,
  full_name text NOT NULL DEFAULT '',
  password_hash text,
  role text NOT NULL DEFAULT 'user' CONSTRAINT users_role_check CHECK (role IN ('user', 'manager', 'admin')),
  -- unconfirmed: the address is not proved yet; waiting: proved, a manager has to let them in
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

-- Down Migration
DROP TABLE api_tokens, users;
