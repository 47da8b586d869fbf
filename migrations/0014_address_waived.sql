-- Up Migration
-- A manager or admin has let a mailing start although its letters have no postal address: its occurrences go out, too,
-- and the scheduler does not pause it for that.
ALTER TABLE mailings ADD COLUMN address_waived boolean NOT NULL DEFAULT false;

-- Down Migration
ALTER TABLE mailings DROP COLUMN address_waived;
