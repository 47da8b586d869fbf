import { responseText, type SmtpReason, type TransmitResult, type Verdict } from '../../domain/smtp-outcome';
import { BREAKS_MAX } from './verdict-record';
import type { Claim } from '../ledger/claims';

/** A mailing has to be parked: its sender or content is refused, or its template fails. */
export interface ParkMailing {
  mailingId: number;
  code: SmtpReason;
  text: string;
}

interface Streak {
  reason: string;
  clients: Set<number>;
  recent: boolean[];
  /** Whether a letter of this run was accepted since the mailing was last parked. */
  taken: boolean;
}

const KEPT_RUNS = 200;

/** Counts, per run, the results for which rules park a mailing. In memory: each worker counts for itself. */
export class MailingStreaks {
  private readonly streaks = new Map<number, Streak>();

  /**
   * If the sender is refused repeatedly for this recipient, while letters to others of the same run are accepted, the
   * recipient is to blame.
   */
  blame(claim: Claim, verdict: Verdict): Verdict {
    const again = verdict.scope === 'mailing' && verdict.delivery === 'pending' && claim.breaks >= BREAKS_MAX - 1;
    if (!again || !this.streaks.get(claim.runId)?.taken) return verdict;
    return { ...verdict, delivery: 'failed', tryUsed: true, consequence: { kind: 'none' } };
  }

  /** Notes one try; returns what to park, if a limit is reached. */
  note(claim: Claim, result: TransmitResult, verdict: Verdict): ParkMailing | null {
    if (verdict.attempt === 'none' && verdict.scope !== 'mailing') return null;
    const { consequence } = verdict;
    const streak = this.of(claim.runId);
    const park = (): ParkMailing => {
      this.streaks.delete(claim.runId);
      return { mailingId: claim.mailingId, code: verdict.reason, text: responseText(result).slice(0, 500) };
    };
    streak.taken ||= verdict.delivery === 'sent';
    streak.recent.push(consequence.kind === 'park_share');
    if (consequence.kind === 'park_share') {
      if (streak.recent.length > consequence.of) streak.recent.shift();
      const bad = streak.recent.filter(Boolean).length;
      return streak.recent.length >= consequence.of && bad >= consequence.share * consequence.of ? park() : null;
    }
    if (streak.recent.length > 100) streak.recent.shift();
    if (consequence.kind !== 'park' || consequence.what !== 'mailing') {
      // clear() costs time even for an empty set, and this runs for each letter.
      if (streak.clients.size > 0) streak.clients.clear();
      return null;
    }
    if (streak.reason !== verdict.reason) streak.clients.clear();
    streak.reason = verdict.reason;
    streak.clients.add(claim.clientId);
    return streak.clients.size >= consequence.after ? park() : null;
  }

  private of(runId: number): Streak {
    let streak = this.streaks.get(runId);
    if (!streak) {
      streak = { reason: '', clients: new Set(), recent: [], taken: false };
      this.streaks.set(runId, streak);
      const oldest = this.streaks.keys().next();
      if (this.streaks.size > KEPT_RUNS && !oldest.done) this.streaks.delete(oldest.value);
    }
    return streak;
  }
}
