/**
 * The time by which the next answer must have come. A letter has five such waits, which hardly ever time out, so the
 * timer is not restarted for each: it fires, compares with the present deadline and is set again if that is later.
 */
export class Deadline {
  private timer: NodeJS.Timeout | undefined;
  /** When the timer fires, and the deadline (monotonic milliseconds; Infinity: nothing is awaited). */
  private firesAt = Infinity;
  private at = Infinity;
  private waitMs = 0;

  /** @param onMissed is told how long was waited */
  constructor(private readonly onMissed: (waitMs: number) => void) {}

  /** The next answer must come within this time; replaces an earlier deadline. */
  within(ms: number): void {
    this.waitMs = ms;
    this.at = performance.now() + ms;
    if (this.firesAt > this.at) this.arm();
  }

  /** The answer came. */
  met(): void {
    this.at = Infinity;
  }

  /** Stops the timer for good. */
  stop(): void {
    clearTimeout(this.timer);
  }

  private arm(): void {
    clearTimeout(this.timer);
    this.firesAt = this.at;
    this.timer = setTimeout(() => this.look(), Math.max(0, this.at - performance.now()) + 1);
  }

  private look(): void {
    this.firesAt = Infinity;
    if (this.at === Infinity) return;
    if (performance.now() < this.at) return this.arm();
    this.onMissed(this.waitMs);
  }
}
