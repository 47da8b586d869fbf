/**
 * SQL over `workers`, for pages and health checks; $1 is TAKEOVER_MS. The absolute difference, because the database's
 * clock may have been put back; the ledger itself uses no clock for this (WorkerRegistry).
 */
export const LIVING_WORKERS = `stopped_at IS NULL
  AND abs(extract(epoch FROM clock_timestamp() - heartbeat_at)) * 1000 < $1`;
