/** After so many different recipients in a row, or so many of the last ones, a refusal is not about the recipients. */
const IN_A_ROW = 10;
const RECENT = 50;
const OF_RECENT = RECENT / 2;
/** How many refusals that turned out to be about single recipients are remembered. */
const KEPT = 200;

/** A letter that was refused in words that name no recipient. */
export interface RefusedLetter {
  refusal: string;
  deliveryId: number;
  clientId: number;
  domain: string;
}

/** All recipients get the same refusal. */
export interface Suspicion {
  refusal: string;
  /** Set if all these recipients are of this domain while letters to other domains are accepted. */
  domain: string | null;
}

/**
 * Detects that all recipients get the same refusal, in a wording that no rule knows. It is fed the results of letters
 * in their order; a success resets it.
 */
export class SameRefusal {
  private words: string | null = null;
  private row = new Set<number>();
  private recent: (RefusedLetter | null)[] = [];
  private sinceSuccess = new Map<string, Map<number, string>>();
  /** The domains of the last letters that were taken, in a ring. */
  private readonly taken: string[] = [];
  private successes = 0;
  private readonly patience = new Map<string, number>();

  /** A letter was accepted; the domain is null if the domain does not matter. */
  sent(domain: string | null): void {
    if (domain !== null) this.taken[this.successes++ % RECENT] = domain;
    if (this.recent.length === 0) return;
    this.words = null;
    this.row.clear();
    this.recent = [];
    this.sinceSuccess = new Map();
  }

  /** A letter was refused in words that name the recipient. */
  other(): void {
    this.push(null);
    this.words = null;
    this.row.clear();
  }

  refused(letter: RefusedLetter): Suspicion | null {
    const { refusal, deliveryId, clientId, domain } = letter;
    if (this.words !== refusal) this.row.clear();
    this.words = refusal;
    this.row.add(clientId);
    this.push(letter);
    const letters = this.sinceSuccess.get(refusal) ?? new Map<number, string>();
    this.sinceSuccess.set(refusal, letters.set(deliveryId, domain));
    const times = this.patience.get(refusal) ?? 1;
    if (this.row.size < times * IN_A_ROW && (times > 1 || !this.isHalf(refusal))) return null;
    return { refusal, domain: this.only(letters, domain) ? domain : null };
  }

  /** The deliveries that got this refusal since the last success. */
  lettersOf(refusal: string): number[] {
    return [...(this.sinceSuccess.get(refusal)?.keys() ?? [])];
  }

  /** The refusal turned out to be about those recipients: the next suspicion needs twice as many. */
  clear(refusal: string): void {
    const times = this.patience.get(refusal) ?? 1;
    this.patience.delete(refusal);
    this.patience.set(refusal, 2 * times);
    const oldest = this.patience.keys().next();
    if (this.patience.size > KEPT && !oldest.done) this.patience.delete(oldest.value);
    this.row.clear();
  }

  private push(letter: RefusedLetter | null): void {
    this.recent.push(letter);
    if (this.recent.length > RECENT) this.recent.shift();
  }

  private isHalf(refusal: string): boolean {
    if (this.recent.length < OF_RECENT) return false;
    return new Set(this.recent.flatMap((one) => (one?.refusal === refusal ? one.clientId : []))).size >= OF_RECENT;
  }

  private only(letters: Map<number, string>, domain: string): boolean {
    for (const other of letters.values()) if (other !== domain) return false;
    return this.taken.some((other) => other !== domain);
  }
}
