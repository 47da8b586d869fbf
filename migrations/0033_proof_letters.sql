-- Up Migration
-- Letters that the service sends to itself, through the SMTP account, to see what its relay does to letters.
CREATE TABLE proof_letters (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT proof_letters_pkey PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  user_id bigint NOT NULL CONSTRAINT proof_letters_user_id_fkey REFERENCES users,
  -- By which its text is known again.
  proof_key uuid NOT NULL DEFAULT gen_random_uuid(),
  -- Of the settings that it proves.
  settings text NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CONSTRAINT proof_letters_state_check
    CHECK (state IN ('waiting', 'sending', 'sent', 'refused', 'returned', 'bounced')),
  -- Its recipient and envelope sender, and the link by which it would be left.
  address text,
  unsubscribe_url text,
  sent_at timestamptz,
  -- What the mail server answered, or what a report says about it.
  response text,
  returned_at timestamptz,
  -- The way by which it came back.
  source text,
  -- What was found: [{ check, result, detail }].
  checks jsonb,
  -- What receivers on the way say about it (Authentication-Results).
  receivers text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX proof_letters_waiting_idx ON proof_letters (id) WHERE state = 'waiting';

-- Down Migration
DROP TABLE proof_letters;
