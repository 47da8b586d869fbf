/** From here on a letter waits for the server rather than for us. */
const SLOW_MS = 20;
/** A claim waits for the statement that is under way, and then for its own. */
const COMMITS = 2;
/** Behind a slow server so many claims per connection are enough, and a killed worker leaves few letters unknown. */
const SHARE_WHEN_SLOW = 0.3;

/**
 * How many claims a worker may hold: one for each connection that can take a letter, and ahead of them what hides one
 * commit of the ledger and the one before it. Each claim that a dead worker held may have been sent, so it holds no more
 * than it needs: none without a connection, at most 1.3 times the connections behind a server that takes 20 ms or more for
 * a letter, and never more than twice.
 * @param connections established ones
 * @param letterMs how long a letter takes on a connection; 0 if that is not known yet
 * @param commitMs how long a claim takes
 */
export function claimsHeld(connections: number, letterMs: number, commitMs: number): number {
  if (letterMs === 0 || letterMs >= SLOW_MS) return connections + Math.floor(SHARE_WHEN_SLOW * connections);
  return connections + Math.min(connections, Math.ceil((COMMITS * connections * commitMs) / letterMs));
}
