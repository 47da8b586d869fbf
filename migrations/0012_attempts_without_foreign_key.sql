-- Up Migration
-- Attempts are written only by the statement that has just moved their delivery, and deliveries are never deleted: looking
-- each one up again costs a fifth of the database's time for a letter and can find nothing wrong.
ALTER TABLE attempts DROP CONSTRAINT attempts_delivery_id_fkey;

-- Down Migration
ALTER TABLE attempts ADD CONSTRAINT attempts_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES deliveries NOT VALID;
