-- Up Migration
-- What letters of blocks look like; empty: as everybody's do.
ALTER TABLE senders
  -- A picture of a document: 'media:<hash>', or an https address.
  ADD logo text NOT NULL DEFAULT '',
  ADD accent text NOT NULL DEFAULT '' CONSTRAINT senders_accent_check CHECK (accent ~ '^(#[0-9a-f]{6})?$'),
  ADD background text NOT NULL DEFAULT '' CONSTRAINT senders_background_check CHECK (background ~ '^(#[0-9a-f]{6})?$'),
  ADD font text NOT NULL DEFAULT '';

DROP TRIGGER senders_content_changed ON senders;
CREATE TRIGGER senders_content_changed
  BEFORE UPDATE OF name, reply_to, postal_address, unsubscribe_text, logo, accent, background, font, version ON senders
  FOR EACH ROW WHEN ((old.name, old.reply_to, old.postal_address, old.unsubscribe_text, old.logo, old.accent,
      old.background, old.font, old.version)
    IS DISTINCT FROM (new.name, new.reply_to, new.postal_address, new.unsubscribe_text, new.logo, new.accent,
      new.background, new.font, new.version))
  EXECUTE FUNCTION content_changed();

-- Down Migration
DROP TRIGGER senders_content_changed ON senders;
CREATE TRIGGER senders_content_changed
  BEFORE UPDATE OF name, reply_to, postal_address, unsubscribe_text, version ON senders
  FOR EACH ROW WHEN ((old.name, old.reply_to, old.postal_address, old.unsubscribe_text, old.version)
    IS DISTINCT FROM (new.name, new.reply_to, new.postal_address, new.unsubscribe_text, new.version))
  EXECUTE FUNCTION content_changed();
ALTER TABLE senders DROP logo, DROP accent, DROP background, DROP font;
