-- Up Migration
-- A refusal that turned out to be about us, so that it no longer counts among the delivery's tries.
ALTER TABLE attempts ADD pardoned boolean NOT NULL DEFAULT false;

-- Down Migration
ALTER TABLE attempts DROP pardoned;
