-- Up Migration
-- Addresses that a list names, and that were suppressed because of another list already. When that one is undone, they stay
-- suppressed because of this one.
CREATE TABLE suppression_claims (
  suppression_id bigint NOT NULL CONSTRAINT suppression_claims_suppression_id_fkey REFERENCES suppressions ON DELETE CASCADE,
  batch_id bigint NOT NULL CONSTRAINT suppression_claims_batch_id_fkey REFERENCES suppression_batches ON DELETE CASCADE,
  CONSTRAINT suppression_claims_pkey PRIMARY KEY (suppression_id, batch_id)
);
CREATE INDEX suppression_claims_batch_id_idx ON suppression_claims (batch_id);

-- Down Migration
DROP TABLE suppression_claims;
