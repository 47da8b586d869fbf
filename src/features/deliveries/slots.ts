/** A counting semaphore, first come first served. `close` turns away those who wait and all who come. */
export class Slots {
  private readonly waiting: ((got: boolean) => void)[] = [];
  private used = 0;
  private closed = false;

  constructor(private readonly size: number) {}

  /** False if closed: nothing was taken. */
  acquire(): Promise<boolean> {
    if (this.closed) return Promise.resolve(false);
    if (this.used < this.size) {
      this.used++;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  release(): void {
    const next = this.waiting.shift();
    if (next) next(true);
    else this.used--;
  }

  close(): void {
    this.closed = true;
    for (const turnAway of this.waiting.splice(0)) turnAway(false);
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
