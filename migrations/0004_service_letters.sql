-- Up Migration
-- The service's own letters, and what became of them. No letter's text is kept: it is made when the letter is sent.
CREATE TABLE service_letters (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT service_letters_pkey PRIMARY KEY,
  kind text NOT NULL CONSTRAINT service_letters_kind_check CHECK (kind IN
    ('confirm', 'known_address', 'reset', 'change_email', 'email_changed', 'password_changed', 'sign_in_changed',
     'let_in', 'test')),
  user_id bigint NOT NULL CONSTRAINT service_letters_user_id_fkey REFERENCES users ON DELETE CASCADE,
  email text COLLATE "C" NOT NULL,
  -- What the kind needs: the password's hash that a confirmation puts into force, a test letter's content.
  payload jsonb NOT NULL DEFAULT '{}',
  status text NOT NULL DEFAULT 'pending'
    CONSTRAINT service_letters_status_check CHECK (status IN ('pending', 'sending', 'sent', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  outcome text,
  last_response text,
  next_attempt_at timestamptz DEFAULT now(),
  claimed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  -- Of which the letter's Message-ID is made, the same on every try.
  letter_key uuid NOT NULL DEFAULT gen_random_uuid()
);
CREATE INDEX service_letters_open_idx ON service_letters (id) WHERE status IN ('pending', 'sending');
CREATE INDEX service_letters_user_id_idx ON service_letters (user_id);

-- What a link in a letter proves; made when the letter is composed, so that nothing but the letter holds the token.
CREATE TABLE letter_tokens (
  token_hash bytea NOT NULL CONSTRAINT letter_tokens_pkey PRIMARY KEY,
  letter_id bigint NOT NULL CONSTRAINT letter_tokens_letter_id_fkey REFERENCES service_letters ON DELETE CASCADE,
  expires_at timestamptz NOT NULL
);
CREATE INDEX letter_tokens_letter_id_idx ON letter_tokens (letter_id);

-- Down Migration
DROP TABLE letter_tokens, service_letters;
