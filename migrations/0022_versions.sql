-- Up Migration
-- Two people, or two windows, may change the same thing: each change of what is typed raises its version, and whoever
-- saves says which version they began with. Triggers do it, so that changes by processes of the previous release count.

CREATE FUNCTION content_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  new.version := old.version + 1;
  -- Set by those who change something for a user, in their transaction.
  new.updated_by := nullif(current_setting('gonets.user_id', true), '')::bigint;
  RETURN new;
END $$;

-- updated_by is a user's id, or null for others: imports, the previous release. No foreign key: whoever deletes a user
-- who never confirmed would read all clients for it.
ALTER TABLE messages ADD version integer NOT NULL DEFAULT 1, ADD updated_by bigint;
CREATE TRIGGER messages_content_changed BEFORE UPDATE OF subject, body, body_text, version ON messages
  FOR EACH ROW WHEN ((old.subject, old.body, old.body_text, old.version)
    IS DISTINCT FROM (new.subject, new.body, new.body_text, new.version))
  EXECUTE FUNCTION content_changed();

-- What its calendar and its status do to a mailing is no change of its content.
ALTER TABLE mailings ADD version integer NOT NULL DEFAULT 1, ADD updated_by bigint;
CREATE TRIGGER mailings_content_changed
  BEFORE UPDATE OF name, message_id, audience, start_at, end_at, period, time_zone, on_unknown, kind,
    transactional_reason, language, segment_id, exclude_segment_id, version ON mailings
  FOR EACH ROW WHEN ((old.name, old.message_id, old.audience, old.start_at, old.end_at, old.period, old.time_zone,
      old.on_unknown, old.kind, old.transactional_reason, old.language, old.segment_id, old.exclude_segment_id, old.version)
    IS DISTINCT FROM (new.name, new.message_id, new.audience, new.start_at, new.end_at, new.period, new.time_zone,
      new.on_unknown, new.kind, new.transactional_reason, new.language, new.segment_id, new.exclude_segment_id, new.version))
  EXECUTE FUNCTION content_changed();

ALTER TABLE segments ADD version integer NOT NULL DEFAULT 1, ADD updated_by bigint;
CREATE TRIGGER segments_content_changed BEFORE UPDATE OF name, filter, version ON segments
  FOR EACH ROW WHEN ((old.name, old.filter, old.version) IS DISTINCT FROM (new.name, new.filter, new.version))
  EXECUTE FUNCTION content_changed();

ALTER TABLE clients ADD version integer NOT NULL DEFAULT 1, ADD updated_by bigint;
CREATE TRIGGER clients_content_changed BEFORE UPDATE OF email, full_name, comment, fields, version ON clients
  FOR EACH ROW WHEN ((old.email, old.full_name, old.comment, old.fields, old.version)
    IS DISTINCT FROM (new.email, new.full_name, new.comment, new.fields, new.version))
  EXECUTE FUNCTION content_changed();

ALTER TABLE signup_forms ADD version integer NOT NULL DEFAULT 1, ADD updated_by bigint;
CREATE TRIGGER signup_forms_content_changed
  BEFORE UPDATE OF name, language, title, intro, thanks, consent_text, redirect_url, double_opt_in, full_name, fields,
    required_fields, allowed_origins, version ON signup_forms
  FOR EACH ROW WHEN ((old.name, old.language, old.title, old.intro, old.thanks, old.consent_text, old.redirect_url,
      old.double_opt_in, old.full_name, old.fields, old.required_fields, old.allowed_origins, old.version)
    IS DISTINCT FROM (new.name, new.language, new.title, new.intro, new.thanks, new.consent_text, new.redirect_url,
      new.double_opt_in, new.full_name, new.fields, new.required_fields, new.allowed_origins, new.version))
  EXECUTE FUNCTION content_changed();

ALTER TABLE senders ADD version integer NOT NULL DEFAULT 1, ADD updated_by bigint;
CREATE TRIGGER senders_content_changed
  BEFORE UPDATE OF name, reply_to, postal_address, unsubscribe_text, version ON senders
  FOR EACH ROW WHEN ((old.name, old.reply_to, old.postal_address, old.unsubscribe_text, old.version)
    IS DISTINCT FROM (new.name, new.reply_to, new.postal_address, new.unsubscribe_text, new.version))
  EXECUTE FUNCTION content_changed();

-- What somebody has typed into a form and not saved yet.
CREATE TABLE form_drafts (
  user_id bigint NOT NULL CONSTRAINT form_drafts_user_id_fkey REFERENCES users ON DELETE CASCADE,
  -- The path of the form's page: '/messages/7', '/messages/new'.
  page text COLLATE "C" NOT NULL,
  -- The form's fields by name, with the version of the object that it was opened with.
  fields jsonb NOT NULL,
  kept_at timestamptz NOT NULL DEFAULT app_now(),
  CONSTRAINT form_drafts_pkey PRIMARY KEY (user_id, page)
);
CREATE INDEX form_drafts_kept_at_idx ON form_drafts (kept_at);

-- Down Migration
DROP TABLE form_drafts;
DROP TRIGGER messages_content_changed ON messages;
DROP TRIGGER mailings_content_changed ON mailings;
DROP TRIGGER segments_content_changed ON segments;
DROP TRIGGER clients_content_changed ON clients;
DROP TRIGGER signup_forms_content_changed ON signup_forms;
DROP TRIGGER senders_content_changed ON senders;
DROP FUNCTION content_changed();
ALTER TABLE messages DROP version, DROP updated_by;
ALTER TABLE mailings DROP version, DROP updated_by;
ALTER TABLE segments DROP version, DROP updated_by;
ALTER TABLE clients DROP version, DROP updated_by;
ALTER TABLE signup_forms DROP version, DROP updated_by;
ALTER TABLE senders DROP version, DROP updated_by;
