import type { Database } from '../../database/database';
import { giveBack } from '../runs/refused-alike';

interface Debt {
  ids: Set<number>;
  /** When it arose (`performance.now()`): letters that began before may still get the same answer. */
  since: number;
  /** After this time their results have been recorded. */
  until: number;
}

/**
 * Deliveries that were charged a try for a refusal that turned out to be about us, and that are not pending again yet.
 */
export class Debts {
  private readonly owed = new Map<string, Debt>();

  constructor(
    private readonly database: Database,
    private readonly takeoverMs: number,
  ) {}

  owe(refusal: string, deliveryIds: number[]): void {
    const debt = this.owed.get(refusal) ?? { ids: new Set<number>(), since: performance.now(), until: 0 };
    for (const id of deliveryIds) debt.ids.add(id);
    debt.until = performance.now() + this.takeoverMs;
    this.owed.set(refusal, debt);
  }

  /**
   * A letter got this refusal; it counts if it began before the debt arose. How many are on a connection at that moment
   * does not tell: answers that came together are dealt with one after the other.
   */
  note(refusal: string, deliveryId: number, startedAt: number): void {
    const debt = this.owed.get(refusal);
    if (debt && startedAt <= debt.since) debt.ids.add(deliveryId);
  }

  /** Makes pending what can be by now. @returns whether there was anything */
  async pay(): Promise<boolean> {
    let paid = false;
    for (const [refusal, { ids, until }] of this.owed) {
      const back = await giveBack(this.database, refusal, [...ids]);
      paid ||= back.length > 0;
      for (const id of back) ids.delete(id);
      if (performance.now() > until) this.owed.delete(refusal);
    }
    return paid;
  }
}
