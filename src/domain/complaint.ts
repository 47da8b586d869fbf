import { deliveryReports } from './delivery-report';
import { feedbackReport } from './feedback-report';
import { headerAddress, type ReadLetter } from './read-letter';

/** What a provider reports about a letter; `not_ours`: nobody knows which letter it is. */
export interface Feedback {
  kind: 'complaint' | 'unsubscribe' | 'ignore';
  reason: 'abuse' | 'fraud' | 'opt_out' | 'not_spam' | 'feedback_other' | 'not_ours';
  /** The recipient that it names; '' if none. */
  recipient: string;
}

/** Who reports complaints by enclosing the letter, without a report (Microsoft's JMRP). People have none of these. */
const REPORTERS: ReadonlySet<string> = new Set([
  'staff@hotmail.com',
  'staff@outlook.com',
  'staff@live.com',
  'staff@msn.com',
]);

/** A part that is the letter that came back, or some of it. */
export const RETURNED =
  /^(?:message\/(?:rfc822|global|rfc822-headers|global-headers|partial)|text\/rfc822(?:-headers)?)$/;

const COMPLAINTS = /^(?:abuse|fraud|complaint|spam|unsolicited|phishing)$/;

/** What the type of a feedback report says. */
export function feedbackOf(type: string): Pick<Feedback, 'kind' | 'reason'> {
  if (type === 'not-spam') return { kind: 'ignore', reason: 'not_spam' };
  if (COMPLAINTS.test(type)) return { kind: 'complaint', reason: /fraud|phish/.test(type) ? 'fraud' : 'abuse' };
  return /^opt-?out/.test(type)
    ? { kind: 'unsubscribe', reason: 'opt_out' }
    : { kind: 'ignore', reason: 'feedback_other' };
}

/** What a letter reports of ours, or null if it is no such report. */
export function feedbackIn(
  letters: ReadLetter[],
  { from, isFeedbackAddress }: { from: string; isFeedbackAddress: boolean },
  isMatched: boolean,
): Feedback | null {
  const outer = letters[0]!;
  const report = letters.map(feedbackReport).find((each) => each !== null);
  if (report) {
    const { type, recipient } = report;
    const said = feedbackOf(type);
    // What follows from nothing needs no letter.
    return said.kind === 'ignore' || isMatched
      ? { ...said, recipient }
      : { kind: 'ignore', reason: 'not_ours', recipient };
  }
  const isReporter = [from, headerAddress(outer, 'from')].some((each) => REPORTERS.has(each.toLowerCase()));
  const isEnclosed = outer.parts.some(({ type }) => RETURNED.test(type)) && deliveryReports(outer).length === 0;
  return isFeedbackAddress && isReporter && isMatched && isEnclosed
    ? { kind: 'complaint', reason: 'abuse', recipient: '' }
    : null;
}
