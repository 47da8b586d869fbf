-- Up Migration
-- A manager or admin has let a mailing start although its letters have no postal address. Its occurrences then go out, too;
-- without this the scheduler would pause it at the next one.
ALTER TABLE mailings ADD COLUMN address_waived boolean NOT NULL DEFAULT false;

-- Down Migration
ALTER TABLE mailings DROP COLUMN address_waived;
