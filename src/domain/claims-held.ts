/** If a letter takes at least this long, the server is the bottleneck and not this worker. */
const SLOW_MS = 20;
/** A claim waits for the statement that is being committed, and then for its own. */
const COMMITS = 2;
/** Behind a slow server so many claims per connection are enough, and a killed worker leaves few letters unknown. */
const SHARE_WHEN_SLOW = 0.3;

/**
 * How many claims a worker may hold: one for each established connection, and as many more as connections become free
 * while two commits of the ledger take place, so that no connection waits for a commit. Every claim of a dead worker
 * may be a letter that was sent, so a worker holds no more than it needs: none without a connection, at most 1.3 times
 * the connections if the server takes 20 ms or more for a letter, and never more than twice.
 * @param connections established ones
 * @param letterMs how long a letter takes on a connection; 0 if that is not known yet
 * @param commitMs how long a claim takes
 */
export function claimsHeld(connections: number, letterMs: number, commitMs: number): number {
  if (letterMs === 0 || letterMs >= SLOW_MS) return connections + Math.floor(SHARE_WHEN_SLOW * connections);
  return connections + Math.min(connections, Math.ceil((COMMITS * connections * commitMs) / letterMs));
}
