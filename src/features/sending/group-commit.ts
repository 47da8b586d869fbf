import { isUnavailable } from '../../database/database';

/**
 * Many callers, one statement, one fsync: items that arrive while a batch is being written form the next one. Each
 * caller waits for its own result. While Postgres is unavailable the batch is repeated until it answers, in order, so
 * repeating `write` must be harmless. After any other failure the items of the batch are written one by one, in order,
 * so that only the bad item fails.
 */
export class GroupCommit<I, O> {
  private waiting: { item: I; resolve: (o: O) => void; reject: (e: unknown) => void }[] = [];
  private writing = 0;
  private soon: NodeJS.Immediate | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly write: (items: I[]) => Promise<O[]>,
    private readonly options: {
      maxBatch: number;
      /**
       * A batch begins when so many items wait, or `gatherMs` after the first: fewer statements, at the price of a
       * short wait.
       */
      gather: number;
      gatherMs: number;
      parallel: number;
      retryMs: number;
      onUnavailable: (error: unknown) => void;
    },
  ) {}

  add(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.schedule();
    });
  }

  /** Removes items that are not being written yet; they get this answer. */
  withdraw(which: (item: I) => boolean, answer: O): void {
    const kept = this.waiting.filter(({ item }) => !which(item));
    for (const { item, resolve } of this.waiting) if (which(item)) resolve(answer);
    this.waiting = kept;
  }

  private schedule(): void {
    if (this.writing >= this.options.parallel || this.waiting.length === 0) return;
    if (this.waiting.length >= this.options.gather) {
      clearTimeout(this.timer);
      this.timer = undefined;
      this.soon ??= setImmediate(() => this.begin());
    } else if (!this.soon) this.timer ??= setTimeout(() => this.begin(), this.options.gatherMs);
  }

  private begin(): void {
    this.soon = undefined;
    this.timer = undefined;
    const batch = this.waiting.splice(0, this.options.maxBatch);
    if (batch.length === 0) return;
    this.writing++;
    void this.flush(batch).finally(() => {
      this.writing--;
      this.schedule();
    });
    this.schedule();
  }

  private async flush(batch: typeof this.waiting): Promise<void> {
    for (;;) {
      try {
        const results = await this.write(batch.map((entry) => entry.item));
        batch.forEach((entry, i) => entry.resolve(results[i] as O));
        return;
      } catch (error) {
        if (isUnavailable(error)) {
          this.options.onUnavailable(error);
          await new Promise((resolve) => setTimeout(resolve, this.options.retryMs));
        } else if (batch.length === 1) {
          batch[0]?.reject(error);
          return;
        } else {
          for (const entry of batch) await this.flush([entry]);
          return;
        }
      }
    }
  }
}
