import type { SmtpPool } from '../../smtp/smtp-pool';

/** A connection that was given up for the server's sake is tried again after so long. */
const GROW_MS = 60_000;

/** Fewer connections for a server that has complained of them; they are given back one by one. */
export class ConnectionEase {
  private complaints: number[] = [];
  private growth: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: SmtpPool,
    private readonly most: number,
  ) {}

  /** Too many connections for the server: after so many complaints within this time they are halved. */
  ease(after: number, withinMs: number): void {
    const now = performance.now();
    this.complaints = [...this.complaints.filter((at) => now - at < withinMs), now];
    if (this.complaints.length < after) return;
    this.complaints = [];
    this.limitTo(Math.ceil(this.pool.connections.limit / 2));
  }

  /** One less. @returns false if there is only one */
  fewer(): boolean {
    const { limit } = this.pool.connections;
    if (limit > 1) this.limitTo(limit - 1);
    return limit > 1;
  }

  stop(): void {
    clearTimeout(this.growth);
  }

  private limitTo(limit: number): void {
    this.pool.setLimit(limit);
    clearTimeout(this.growth);
    if (limit >= this.most) return;
    this.growth = setTimeout(() => this.limitTo(this.pool.connections.limit + 1), GROW_MS).unref();
  }
}
