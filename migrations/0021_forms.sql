-- Up Migration
-- Forms by which people sign themselves up, and what they agreed to.

-- Null: the owner brought the address, or its person confirmed it. Until then it gets no mailing.
ALTER TABLE clients ADD unconfirmed_since timestamptz;
CREATE INDEX clients_unconfirmed_idx ON clients (owner_id, id) WHERE unconfirmed_since IS NOT NULL;

CREATE TABLE signup_forms (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT signup_forms_pkey PRIMARY KEY,
  owner_id bigint NOT NULL CONSTRAINT signup_forms_owner_id_fkey REFERENCES users,
  -- Names it in its public address.
  token text COLLATE "C" NOT NULL CONSTRAINT signup_forms_token_key UNIQUE,
  -- For its owner; people see the title.
  name text NOT NULL,
  language text NOT NULL CONSTRAINT signup_forms_language_check CHECK (language IN ('en', 'ru')),
  title text NOT NULL,
  intro text NOT NULL DEFAULT '',
  thanks text NOT NULL DEFAULT '',
  consent_text text NOT NULL DEFAULT '',
  redirect_url text,
  double_opt_in boolean NOT NULL DEFAULT true,
  full_name text NOT NULL DEFAULT 'optional'
    CONSTRAINT signup_forms_full_name_check CHECK (full_name IN ('hidden', 'optional', 'required')),
  -- The keys of the owner's fields that it asks for, in this order, and of those that must be filled in.
  fields text[] NOT NULL DEFAULT '{}',
  required_fields text[] NOT NULL DEFAULT '{}',
  -- From which sites scripts may send it.
  allowed_origins text[] NOT NULL DEFAULT '{}',
  -- How often it was sent, also by those who never confirmed: their sign-ups are forgotten.
  came_in integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  updated_at timestamptz NOT NULL DEFAULT app_now(),
  closed_at timestamptz,
  -- Hidden; the sign-ups that came by it are still shown with what their people agreed to.
  deleted_at timestamptz
);
CREATE INDEX signup_forms_owner_id_id_idx ON signup_forms (owner_id, id);

CREATE TABLE signup_form_tags (
  form_id bigint NOT NULL CONSTRAINT signup_form_tags_form_id_fkey REFERENCES signup_forms ON DELETE CASCADE,
  tag_id bigint NOT NULL CONSTRAINT signup_form_tags_tag_id_fkey REFERENCES tags ON DELETE CASCADE,
  -- A topic is offered and given to those who choose it; other tags are given to everybody.
  is_topic boolean NOT NULL,
  CONSTRAINT signup_form_tags_pkey PRIMARY KEY (form_id, tag_id, is_topic)
);
CREATE INDEX signup_form_tags_tag_id_idx ON signup_form_tags (tag_id);

-- What came in by a form: the record of what a person agreed to. Those that nobody confirms are deleted when they
-- expire.
CREATE TABLE signups (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT signups_pkey PRIMARY KEY,
  form_id bigint NOT NULL CONSTRAINT signups_form_id_fkey REFERENCES signup_forms,
  owner_id bigint NOT NULL CONSTRAINT signups_owner_id_fkey REFERENCES users,
  email text COLLATE "C" NOT NULL,
  full_name text NOT NULL DEFAULT '',
  fields jsonb NOT NULL DEFAULT '{}' CONSTRAINT signups_fields_check CHECK (jsonb_typeof(fields) = 'object'),
  -- The tags that were chosen, and their names as they were shown.
  topic_ids bigint[] NOT NULL DEFAULT '{}',
  topics text[] NOT NULL DEFAULT '{}',
  -- As it was shown.
  consent_text text NOT NULL,
  -- The caller's address, and the site whose page sent the form.
  ip text NOT NULL,
  origin text,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  expires_at timestamptz NOT NULL,
  confirmed_at timestamptz,
  confirmed_ip text,
  client_id bigint CONSTRAINT signups_client_id_fkey REFERENCES clients ON DELETE SET NULL
);
CREATE INDEX signups_form_id_id_idx ON signups (form_id, id);
CREATE INDEX signups_owner_id_email_idx ON signups (owner_id, lower(email));
CREATE INDEX signups_client_id_idx ON signups (client_id) WHERE client_id IS NOT NULL;
CREATE INDEX signups_expires_at_idx ON signups (expires_at) WHERE confirmed_at IS NULL;

ALTER TABLE notices DROP CONSTRAINT notices_kind_check, ADD CONSTRAINT notices_kind_check CHECK (kind IN
  ('confirm', 'known_address', 'reset', 'change_email', 'email_changed', 'password_changed', 'sign_in_changed',
   'let_in', 'test', 'signup'));
-- They are deleted some time after their links expired: most go to people who are nobody's clients yet.
CREATE INDEX notices_signup_created_at_idx ON notices (created_at) WHERE kind = 'signup';

-- Down Migration
DROP INDEX notices_signup_created_at_idx;
DELETE FROM notices WHERE kind = 'signup';
ALTER TABLE notices DROP CONSTRAINT notices_kind_check, ADD CONSTRAINT notices_kind_check CHECK (kind IN
  ('confirm', 'known_address', 'reset', 'change_email', 'email_changed', 'password_changed', 'sign_in_changed',
   'let_in', 'test'));
DROP TABLE signups, signup_form_tags, signup_forms;
ALTER TABLE clients DROP unconfirmed_since;
