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
/** Sends one delivery now; null if it is not to be had. */
export type Prober = (deliveryId: number) => Promise<Tried | null>;

export interface Probed extends Tried {
  judgement: Judgement;
}

/** So many letters are offered at most if the answers are about their recipients. */
const LETTERS = 3;

/**
 * Finds out whether an account that waited may send again. A connection proves nothing about a quota or about what
 * everybody was told: there one letter is let through, and its answer decides.
 */
export class AccountProbe {
  prober: Prober | undefined;

  constructor(
    private readonly accounts: AccountsService,
    private readonly pool: SmtpPool,
    private readonly config: Config,
  ) {}

  /** One letter, whatever state the account is in. */
  async send(deliveryId: number | null, refusal: string | null): Promise<Probed | null> {
    const tried = deliveryId === null ? null : await this.prober?.(deliveryId);
    return tried ? judged(tried, refusal) : null;
  }

  /**
   * One probe, if this worker wins it.
   * @returns whether the account was opened because letters to others are taken, though the first still gets the same no
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
      // Whoever was refused first may really be the only one: another is asked, too.
      if (still && (seen.refusal === null || asked.length > 1)) break;
    }
    if (still) await this.fail(seen, still);
    else if (asked.length > 0) await this.accounts.reopen(seen.id);
    else if (seen.reason !== REPLIES_LOST || !(await waitsForAnswer(this.accounts.database))) await this.connect(seen);
    return false;
  }

  /** A letter that is no delivery serves as the probe; null if none is due. */
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
    // A second lost reply is never tried again. So such a letter is the last resort, after the longest rest or by hand.
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
