-- Up Migration
-- Mail providers report bounces, complaints and wishes to unsubscribe by calling a URL with a secret in it.
CREATE TABLE webhook_secrets (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT webhook_secrets_pkey PRIMARY KEY,
  provider text NOT NULL CONSTRAINT webhook_secrets_provider_check
    CHECK (provider IN ('ses', 'sendgrid', 'mailgun', 'postmark', 'brevo', 'mailjet', 'sparkpost')),
  -- SHA-256 of the secret in the URL, which is shown once.
  secret_hash bytea NOT NULL CONSTRAINT webhook_secrets_secret_hash_check CHECK (octet_length(secret_hash) = 32)
    CONSTRAINT webhook_secrets_secret_hash_key UNIQUE,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  -- What the provider signs with, sealed under SECRET_KEY; null: nothing but the secret vouches.
  signing_key bytea,
  -- Of Amazon SNS: the first topic whose subscription was confirmed. No other is taken.
  topic_arn text,
  last_used_at timestamptz,
  -- Why a call with the right secret was refused last.
  refusal text,
  refused_at timestamptz
);
CREATE INDEX webhook_secrets_provider_idx ON webhook_secrets (provider);

-- Signatures that are good for one body, as long as their time is near.
CREATE TABLE webhook_nonces (
  -- SHA-256 of the provider and what was signed.
  digest bytea NOT NULL CONSTRAINT webhook_nonces_pkey PRIMARY KEY
    CONSTRAINT webhook_nonces_digest_check CHECK (octet_length(digest) = 32),
  -- SHA-256 of what came with it: the same may come again.
  content bytea NOT NULL,
  used_at timestamptz NOT NULL DEFAULT app_now()
);
CREATE INDEX webhook_nonces_used_at_idx ON webhook_nonces (used_at);

ALTER TABLE inbound_letters
  DROP CONSTRAINT inbound_letters_source_check,
  ADD CONSTRAINT inbound_letters_source_check CHECK (source IN ('api', 'pipe', 'listener', 'mailbox',
    'ses', 'sendgrid', 'mailgun', 'postmark', 'brevo', 'mailjet', 'sparkpost')),
  DROP CONSTRAINT inbound_letters_match_by_check,
  ADD CONSTRAINT inbound_letters_match_by_check
    CHECK (match_by IN ('verp', 'message-id', 'unsubscribe-token', 'recipient'));

-- Down Migration
DELETE FROM inbound_letters WHERE source NOT IN ('api', 'pipe', 'listener', 'mailbox');
ALTER TABLE inbound_letters
  DROP CONSTRAINT inbound_letters_source_check,
  ADD CONSTRAINT inbound_letters_source_check CHECK (source IN ('api', 'pipe', 'listener', 'mailbox')),
  DROP CONSTRAINT inbound_letters_match_by_check,
  ADD CONSTRAINT inbound_letters_match_by_check CHECK (match_by IN ('verp', 'message-id', 'unsubscribe-token'));
DROP TABLE webhook_nonces, webhook_secrets;
