/**
 * A counting semaphore whose size may change, first come first served. What is taken stays taken when the size shrinks.
 * `close` turns away those who wait and all who come.
 */
export class Slots {
  private readonly waiting: ((got: boolean) => void)[] = [];
  private used = 0;
  private closed = false;

  /** @param size how many may be taken now; call `serve` when it may have grown */
  constructor(private readonly size: () => number) {}

  /** Taken, or waited for. */
  get wanted(): number {
    return this.used + this.waiting.length;
  }

  /** False if it was turned away: nothing was taken. */
  acquire(): Promise<boolean> {
    if (this.closed) return Promise.resolve(false);
    if (this.waiting.length === 0 && this.used < this.size()) {
      this.used++;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** One more, however many are taken; false if closed. */
  force(): boolean {
    if (!this.closed) this.used++;
    return !this.closed;
  }

  release(): void {
    this.used--;
    this.serve();
  }

  serve(): void {
    while (this.waiting.length > 0 && this.used < this.size()) {
      this.used++;
      this.waiting.shift()?.(true);
    }
  }

  /** Those who wait get nothing; who comes later may. */
  turnAway(): void {
    for (const turnedAway of this.waiting.splice(0)) turnedAway(false);
  }

  close(): void {
    this.closed = true;
    this.turnAway();
  }
}

/** One acquired slot; releasing it again does nothing. */
export class Slot {
  private released = false;

  constructor(private readonly slots: Slots) {}

  release(): void {
    if (this.released) return;
    this.released = true;
    this.slots.release();
  }
}
