/** So many different recipients in a row, or so many of the last ones, say that a refusal is not about them. */
const IN_A_ROW = 10;
const RECENT = 50;
const OF_RECENT = RECENT / 2;
/** So many refusals that were found to be about single recipients are remembered. */
const KEPT = 200;

/** A letter that was refused in words that name no recipient. */
export interface RefusedLetter {
  refusal: string;
  deliveryId: number;
  clientId: number;
  domain: string;
}

/** Everybody gets the same no. */
export interface Suspicion {
  refusal: string;
  /** Set if all are of this domain while letters to others are taken. */
  domain: string | null;
}

/**
 * Whether everybody gets the same no: the net under all wordings that no rule knows. A fold over what became of letters,
 * in their order; one success, and it begins anew.
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

  /** A letter was taken; the domain is null where nothing is to be learned of it. */
  sent(domain: string | null): void {
    if (domain !== null) this.taken[this.successes++ % RECENT] = domain;
    if (this.recent.length === 0) return;
    this.words = null;
    this.row.clear();
    this.recent = [];
    this.sinceSuccess = new Map();
  }

  /** Refused in words that do name the recipient. */
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

  /** It was found to be about those recipients after all: the next suspicion needs twice as many. */
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
