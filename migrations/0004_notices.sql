-- Up Migration
-- Notices: what the service writes on its own account, and what became of it. No text is kept: it is made when the
-- notice is sent.
CREATE TABLE notices (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT notices_pkey PRIMARY KEY,
  kind text NOT NULL CONSTRAINT notices_kind_check CHECK (kind IN
    ('confirm', 'known_address', 'reset', 'change_email', 'email_changed', 'password_changed', 'sign_in_changed',
     'let_in', 'test')),
  user_id bigint NOT NULL CONSTRAINT notices_user_id_fkey REFERENCES users ON DELETE CASCADE,
  email text COLLATE "C" NOT NULL,
  -- What the kind needs: the password's hash that takes effect with the confirmation, a test notice's content.
  payload jsonb NOT NULL DEFAULT '{}',
  status text NOT NULL DEFAULT 'pending'
    CONSTRAINT notices_status_check CHECK (status IN ('pending', 'sending', 'sent', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  outcome text,
  last_response text,
  next_attempt_at timestamptz DEFAULT now(),
  claimed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  -- The Message-ID is made of it, so that it is the same on every try.
  notice_key uuid NOT NULL DEFAULT gen_random_uuid()
);
CREATE INDEX notices_open_idx ON notices (id) WHERE status IN ('pending', 'sending');
CREATE INDEX notices_user_id_idx ON notices (user_id);

-- What a link in a notice proves. Made when the notice is composed, so that the token itself is nowhere but in the
-- notice.
CREATE TABLE notice_tokens (
  token_hash bytea NOT NULL CONSTRAINT notice_tokens_pkey PRIMARY KEY,
  notice_id bigint NOT NULL CONSTRAINT notice_tokens_notice_id_fkey REFERENCES notices ON DELETE CASCADE,
  expires_at timestamptz NOT NULL
);
CREATE INDEX notice_tokens_notice_id_idx ON notice_tokens (notice_id);

-- Down Migration
DROP TABLE notice_tokens, notices;
