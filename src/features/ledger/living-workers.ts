/**
 * For pages and health, in SQL over `workers`: $1 is TAKEOVER_MS. By the database's clock, either way, for it may have been
 * put back; the ledger itself asks no clock (WorkerRegistry).
 */
export const LIVING_WORKERS = `stopped_at IS NULL AND abs(extract(epoch FROM clock_timestamp() - heartbeat_at)) * 1000 < $1`;
