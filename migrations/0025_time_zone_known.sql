-- Up Migration
-- Whether a user chose their time zone, or their browser named it. One that nobody named is replaced by the browser's at
-- the next sign-in. Processes of the release before do not know the column: what they write counts as not named, so a
-- zone other than the default is never replaced.
ALTER TABLE users ADD COLUMN time_zone_known boolean NOT NULL DEFAULT false;
UPDATE users SET time_zone_known = true WHERE time_zone <> 'UTC';

-- Down Migration
ALTER TABLE users DROP COLUMN time_zone_known;
