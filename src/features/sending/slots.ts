/**
 * A counting semaphore whose size may change; waiters are served in their order. Slots that are taken stay taken when
 * the size shrinks. `close` refuses those who wait and all later ones.
 */
export class Slots {
  private readonly waiting: ((got: boolean) => void)[] = [];
  private used = 0;
  private closed = false;

  /** @param size how many may be taken now; call `serve` when it may have grown */
  constructor(private readonly size: () => number) {}

  /** How many slots are taken or waited for. */
  get wanted(): number {
    return this.used + this.waiting.length;
  }

  /** Resolves with false if it was refused: then nothing is taken. */
  acquire(): Promise<boolean> {
    if (this.closed) return Promise.resolve(false);
    if (this.waiting.length === 0 && this.used < this.size()) {
      this.used++;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Takes a slot, however many are taken; false if closed. */
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

  /** Refuses those who wait, but not later ones. */
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
