import type { Database } from '../../database/database';

/** The database's clock is read at most once in this time. */
const GOOD_FOR_MS = 1_000;

/**
 * The database's clock, extrapolated from its last reading by this process' monotonic clock. Letters are dated by it,
 * because a node's own clock may be hours off. It is read once a second while it is used; if the database does not
 * answer, the last reading is extrapolated further.
 */
export class LedgerClock {
  private seen: { at: number; time: number } | undefined;
  private looking: Promise<void> | undefined;

  constructor(private readonly database: Database) {}

  /** To be called before `now`. Waits for the database only at the first call. */
  async follow(): Promise<void> {
    if (!this.seen) await this.look();
    else if (performance.now() - this.seen.at > GOOD_FOR_MS) void this.look().catch(() => undefined);
  }

  now(): Date {
    if (!this.seen) throw new Error('the clock of the database was never read');
    return new Date(this.seen.time + performance.now() - this.seen.at);
  }

  private look(): Promise<void> {
    this.looking ??= this.read().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async read(): Promise<void> {
    const row = await this.database.first<{ now: Date }>('SELECT app_now() AS now');
    if (row) this.seen = { at: performance.now(), time: row.now.getTime() };
  }
}
