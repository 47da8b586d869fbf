import { type Named, refusalFingerprint, refusalWords } from './refusal-text';
import { classify } from './smtp-outcome';
import type { TransmitResult } from './smtp-result';
import { PER_SESSION } from './smtp-wordings';

/** After so many connections that were ended at the limit, the limit is doubled on trial: it may be gone. */
const SPARED = 50;
const KEPT_WORDINGS = 200;

type Refused = Extract<TransmitResult, { kind: 'refused' }>;
/**
 * What is known of a wording: `asked`: the letter is being tried on a new connection; `limit`: that accepted the
 * letter; `other`: it answered the same.
 */
type Known = { as: 'asked' | 'limit'; served: number } | { as: 'other' };

/**
 * How many letters the server takes on one connection. Some say so (452 4.4.5, 452 4.5.3, "per session"). For any other
 * 4xx that names no recipient, on a connection that served letters before, it is found out once per wording: if a new
 * connection answers the same to the same letter, the wording is not about a limit per connection.
 */
export class SessionLimit {
  private readonly wordings = new Map<string, Known>();
  private letters = Infinity;
  private spared = 0;

  /** Letters after which a connection is to be ended. */
  get most(): number {
    return this.letters;
  }

  /** Whether a connection that had `served` letters may be why this one was refused. */
  spent(result: Refused, served: number, named: Named): boolean {
    if (served === 0 || result.reply.code >= 500) return false;
    const verdict = classify(result, named);
    const { reason, refusal } = verdict;
    if (reason === 'quota_exceeded' || verdict.consequence.kind === 'fewer') return false;
    if (/^4\.(4\.5|5\.3)$/.test(result.reply.enhanced ?? '') || PER_SESSION.test(refusalWords(result.reply.text))) {
      this.learn(served);
      return true;
    }
    if (refusal === null && reason !== 'server_busy' && reason !== 'sender_deferred') return false;
    const wording = refusalFingerprint(result.reply, named);
    const known = this.wordings.get(wording);
    if (known?.as === 'other') return false;
    if (known?.as === 'limit') this.learn(served);
    else this.note(wording, { as: 'asked', served });
    return true;
  }

  /** The result of the same letter on a new connection. */
  settled(wording: string, result: TransmitResult, named: Named): void {
    const known = this.wordings.get(wording);
    if (known?.as !== 'asked') return;
    if (result.kind === 'accepted') {
      this.note(wording, { ...known, as: 'limit' });
      this.learn(known.served);
    } else if (result.kind === 'refused' && refusalFingerprint(result.reply, named) === wording) {
      this.note(wording, { as: 'other' });
    } else this.wordings.delete(wording);
  }

  /** A connection was ended because it had served the allowed number of letters. */
  retired(): void {
    if (++this.spared < SPARED) return;
    this.spared = 0;
    this.letters *= 2;
  }

  private learn(served: number): void {
    this.letters = Math.min(served, this.letters);
    this.spared = 0;
  }

  private note(wording: string, known: Known): void {
    this.wordings.delete(wording);
    this.wordings.set(wording, known);
    const oldest = this.wordings.keys().next();
    if (this.wordings.size > KEPT_WORDINGS && !oldest.done) this.wordings.delete(oldest.value);
  }
}
