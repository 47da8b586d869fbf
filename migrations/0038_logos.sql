-- Up Migration
-- A logo is a use of its picture like any other: when it begins or ends counts, and who is about to remove the picture
-- looks again.
CREATE FUNCTION logo_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.logo IS DISTINCT FROM old.logo THEN
    UPDATE media SET used_at = app_now()
      WHERE hash IN (SELECT media_in(new.logo) UNION ALL SELECT media_in(old.logo));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER senders_logo_used AFTER INSERT OR UPDATE OF logo OR DELETE ON senders
  FOR EACH ROW EXECUTE FUNCTION logo_used();

-- Down Migration
DROP TRIGGER senders_logo_used ON senders;
DROP FUNCTION logo_used;
