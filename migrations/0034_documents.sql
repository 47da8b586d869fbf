-- Up Migration
-- What a message of blocks was written as; null: it is HTML. Its body and its text part are made from it, so all that
-- sends letters reads what it did before, also processes of the previous release.
ALTER TABLE messages
  ADD document jsonb CONSTRAINT messages_document_check CHECK (jsonb_typeof(document) = 'object'),
  -- How its owner calls it; empty: it is called by its subject.
  ADD name text NOT NULL DEFAULT '';

DROP TRIGGER messages_content_changed ON messages;
CREATE TRIGGER messages_content_changed
  BEFORE UPDATE OF name, subject, body, body_text, document, version ON messages
  FOR EACH ROW WHEN ((old.name, old.subject, old.body, old.body_text, old.document, old.version)
    IS DISTINCT FROM (new.name, new.subject, new.body, new.body_text, new.document, new.version))
  EXECUTE FUNCTION content_changed();

-- A process of the previous release knows no documents: the HTML that it saves is what was written.
CREATE FUNCTION messages_body_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  new.document := NULL;
  RETURN new;
END $$;
CREATE TRIGGER messages_body_written BEFORE UPDATE OF body, body_text ON messages
  FOR EACH ROW WHEN (old.document IS NOT NULL AND old.document = new.document
    AND coalesce(current_setting('gonets.document', true), '') = ''
    AND (old.body, old.body_text) IS DISTINCT FROM (new.body, new.body_text))
  EXECUTE FUNCTION messages_body_written();

-- Down Migration
DROP TRIGGER messages_body_written ON messages;
DROP FUNCTION messages_body_written();
DROP TRIGGER messages_content_changed ON messages;
CREATE TRIGGER messages_content_changed BEFORE UPDATE OF subject, body, body_text, version ON messages
  FOR EACH ROW WHEN ((old.subject, old.body, old.body_text, old.version)
    IS DISTINCT FROM (new.subject, new.body, new.body_text, new.version))
  EXECUTE FUNCTION content_changed();
ALTER TABLE messages DROP document, DROP name;
