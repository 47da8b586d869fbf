/**
 * By when the next answer must have come. A letter has five such waits, and hardly one ever ends by its deadline: a timer
 * that fires before the deadline is left running and looks again then.
 */
export class Deadline {
  private timer: NodeJS.Timeout | undefined;
  /** When the timer fires, and what it is for (monotonic milliseconds; Infinity: nothing is awaited). */
  private firesAt = Infinity;
  private at = Infinity;
  private waitMs = 0;

  /** @param onMissed is told how long was waited */
  constructor(private readonly onMissed: (waitMs: number) => void) {}

  /** The next answer must come within this time, whatever was said before. */
  within(ms: number): void {
    this.waitMs = ms;
    this.at = performance.now() + ms;
    if (this.firesAt > this.at) this.arm();
  }

  /** It came. */
  met(): void {
    this.at = Infinity;
  }

  /** Nothing will be awaited any more. */
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
