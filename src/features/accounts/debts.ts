import type { Database } from '../../database/database';
import { giveBack, refusedByDomain } from '../runs/refused-alike';

interface Debt {
  refusal: string;
  ids: Set<number>;
  /** When it arose (`performance.now()`): letters that began before may still get the same answer. */
  since: number;
  /** After this time their results have been recorded. */
  until: number;
  /** Set if only this domain refuses. */
  domain: string | null;
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
    const debt = this.debt(refusal, null);
    for (const id of deliveryIds) debt.ids.add(id);
    debt.until = performance.now() + this.takeoverMs;
  }

  /**
   * This domain refuses all letters so, and rests: what it refused since it accepted one is owed, whichever worker sent
   * it, and whatever others accepted meanwhile. When the rest is over letters go to it again, and count.
   */
  oweDomain(domain: string, refusal: string, restMs: number): void {
    const debt = this.debt(refusal, domain);
    debt.until = performance.now() + Math.min(this.takeoverMs, restMs);
  }

  /**
   * A letter got this refusal; it counts if it began before the debt arose. How many are on a connection at that moment
   * does not tell: answers that came together are dealt with one after the other.
   */
  note(refusal: string, deliveryId: number, startedAt: number): void {
    const debt = this.owed.get(keyOf(refusal, null));
    if (debt && startedAt <= debt.since) debt.ids.add(deliveryId);
  }

  /** Makes pending what can be by now. @returns whether there was anything */
  async pay(): Promise<boolean> {
    let paid = false;
    for (const debt of [...this.owed.values()]) {
      const { refusal, domain, ids, until } = debt;
      if (domain !== null && performance.now() < until)
        for (const id of await refusedByDomain(this.database, refusal, domain)) ids.add(id);
      const back = await giveBack(this.database, refusal, [...ids]);
      paid ||= back.length > 0;
      for (const id of back) ids.delete(id);
      if (performance.now() > until) this.owed.delete(keyOf(refusal, domain));
    }
    return paid;
  }

  private debt(refusal: string, domain: string | null): Debt {
    const key = keyOf(refusal, domain);
    const debt = this.owed.get(key) ?? { refusal, domain, ids: new Set<number>(), since: performance.now(), until: 0 };
    this.owed.set(key, debt);
    return debt;
  }
}

/** A domain has no space. */
const keyOf = (refusal: string, domain: string | null): string => `${domain ?? ''} ${refusal}`;
