import type { SmtpPool } from '../../smtp/smtp-pool';

/** After so long one of the connections that the server refused is tried again. */
const GROW_MS = 60_000;

/** Reduces the number of connections when the server complains of too many, and increases it again one by one. */
export class ConnectionEase {
  private complaints: number[] = [];
  private growth: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: SmtpPool,
    private readonly most: number,
  ) {}

  /** The server complained of too many connections: after so many complaints within this time they are halved. */
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
