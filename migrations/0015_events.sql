-- Up Migration
-- Lists of events, newest first. Few letters have one, so each index is small; without them a rare kind, or the events
-- of one mailing, would be looked for among all.
CREATE INDEX delivery_events_delivery_id_idx ON delivery_events (delivery_id);
CREATE INDEX delivery_events_run_id_id_idx ON delivery_events (run_id, id);
CREATE INDEX delivery_events_mailing_id_id_idx ON delivery_events (mailing_id, id);
CREATE INDEX delivery_events_kind_id_idx ON delivery_events (kind, id);
CREATE INDEX delivery_events_owner_id_kind_id_idx ON delivery_events (owner_id, kind, id);
CREATE INDEX delivery_events_mailing_id_kind_id_idx ON delivery_events (mailing_id, kind, id);
-- For lists of a time range: the ids at which it begins and ends.
CREATE INDEX delivery_events_created_at_idx ON delivery_events (created_at);
-- What was lifted for an address, which its client's page shows.
CREATE INDEX suppressions_address_hash_lifted_idx ON suppressions (address_hash) WHERE lifted_at IS NOT NULL;

-- Down Migration
DROP INDEX suppressions_address_hash_lifted_idx, delivery_events_created_at_idx, delivery_events_mailing_id_kind_id_idx,
  delivery_events_owner_id_kind_id_idx, delivery_events_kind_id_idx, delivery_events_mailing_id_id_idx,
  delivery_events_run_id_id_idx, delivery_events_delivery_id_idx;
