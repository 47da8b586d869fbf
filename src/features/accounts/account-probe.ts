import type { Config } from '../../config/config.module';
import { REPLIES_LOST, SAME_REFUSAL } from '../../domain/codes';
import { judgeProbe, type Judgement, needsLetter } from '../../domain/probe';
import { classify, responseText, type TransmitResult, type Verdict } from '../../domain/smtp-outcome';
import type { SmtpPool } from '../../smtp/smtp-pool';
import { anyLetter, firstRefused, untriedLetter, waitsForAnswer } from './probe-letters';
import type { AccountsService, AccountState, Trouble } from './accounts.service';

/** What became of one letter. */
export interface Tried {
  result: TransmitResult;
  verdict: Verdict;
}
/** Sends one delivery now; null if it can't be claimed. */
export type Prober = (deliveryId: number) => Promise<Tried | null>;

export interface Probed extends Tried {
  judgement: Judgement;
}

/** At most so many letters are tried if the answers are about their recipients. */
const LETTERS = 3;

/**
 * Finds out whether an account that waited may send again. A connection proves nothing about a quota or about a refusal
 * that all recipients got: then one letter is sent, and its answer decides.
 */
export class AccountProbe {
  prober: Prober | undefined;

  constructor(
    private readonly accounts: AccountsService,
    private readonly pool: SmtpPool,
    private readonly config: Config,
  ) {}

  /** Sends one letter, whatever the account's state. */
  async send(deliveryId: number | null, refusal: string | null): Promise<Probed | null> {
    const tried = deliveryId === null ? null : await this.prober?.(deliveryId);
    return tried ? judged(tried, refusal) : null;
  }

  /**
   * One probe, if this worker wins the lease for it.
   * @returns whether the account was opened because letters to others are accepted, though the first still gets that
   * refusal
   */
  async run(seen: AccountState): Promise<boolean> {
    if (!needsLetter(seen.reason) || !this.prober) return this.connect(seen);
    const asked: number[] = [];
    let still: Probed | null = null;
    for (let id: number | null; asked.length < LETTERS && (id = await this.next(seen, asked)) !== null;) {
      if (asked.length === 0 && !(await this.accounts.takeProbe(seen))) return false;
      asked.push(id);
      const probed = await this.send(id, seen.refusal);
      if (probed?.judgement === 'well') {
        await this.accounts.reopen(seen.id);
        return still !== null;
      }
      if (probed?.result.kind === 'withheld') return false;
      if (probed?.judgement === 'still') still = probed;
      // The first recipient may really be the only one who is refused, so another letter is tried, too.
      if (still && (seen.refusal === null || asked.length > 1)) break;
    }
    if (still) await this.fail(seen, still);
    else if (asked.length > 0) await this.accounts.reopen(seen.id);
    else if (seen.reason !== REPLIES_LOST || !(await waitsForAnswer(this.accounts.database))) await this.connect(seen);
    return false;
  }

  /** Lets a notice serve as the probe; null if none is due. */
  async lend(seen: AccountState, send: () => Promise<Tried | null>): Promise<Tried | null> {
    if (!seen.probeDue || !needsLetter(seen.reason) || !(await this.accounts.takeProbe(seen))) return null;
    const tried = await send();
    const probed = tried && judged(tried, seen.refusal);
    if (probed?.judgement === 'well') await this.accounts.reopen(seen.id);
    else if (probed?.judgement === 'still') await this.fail(seen, probed);
    return tried;
  }

  private async next(seen: AccountState, asked: number[]): Promise<number | null> {
    const { database } = this.accounts;
    if (seen.refusal !== null) {
      const first = asked.length === 0 ? await firstRefused(database, seen.refusal) : null;
      return (
        first ?? (await untriedLetter(database, asked)) ?? (asked.length > 0 ? null : anyLetter(database, [], true))
      );
    }
    if (seen.reason !== REPLIES_LOST) return anyLetter(database, asked, true);
    // A letter whose reply is lost twice is never tried again. So a letter that lost one serves as a probe only as the
    // last resort: after the longest rest, or by hand.
    const lastResort = seen.overdueMs >= Math.max(...this.config.quotaDelaysMs);
    return (await anyLetter(database, asked, false)) ?? (lastResort ? anyLetter(database, asked, true) : null);
  }

  private async connect(seen: AccountState): Promise<boolean> {
    if (!(await this.accounts.takeProbe(seen))) return false;
    const check = await this.pool.verify();
    if (check.ok) await this.accounts.reopen(seen.id);
    else await this.fail(seen, { result: check.result, verdict: classify(check.result), judgement: 'still' });
    return false;
  }

  private async fail({ id, refusal }: AccountState, { result, verdict }: Probed): Promise<void> {
    const { consequence } = verdict;
    const detail = responseText(result);
    const trouble: Trouble = {
      reason: verdict.delivery === 'unknown' ? REPLIES_LOST : verdict.reason,
      detail,
      parkAfter: consequence.kind === 'park' && consequence.what === 'account' ? consequence.after : null,
      long: consequence.kind === 'rest',
    };
    const same = refusal !== null && verdict.refusal === refusal;
    await this.accounts.trip(
      await this.accounts.read(id),
      same ? { reason: SAME_REFUSAL, detail, parkAfter: null, long: true, refusal } : trouble,
    );
  }
}

const judged = (tried: Tried, refusal: string | null): Probed => ({
  ...tried,
  judgement: judgeProbe(tried.result, tried.verdict, refusal),
});
