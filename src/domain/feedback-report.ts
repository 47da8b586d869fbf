import { fieldsOf, type ReadLetter } from './read-letter';
import { addressForm } from './same-address';

/** What a mailbox provider reports about a letter (RFC 5965). */
export interface FeedbackReport {
  /** `abuse`, `fraud`, `not-spam` …, in lower case. */
  type: string;
  /** The recipient, if it is named; in the form of `addressForm`. */
  recipient: string;
}

/** The report in this letter, or null. */
export function feedbackReport(letter: Pick<ReadLetter, 'parts'>): FeedbackReport | null {
  const part = letter.parts.find(({ type }) => type === 'message/feedback-report');
  if (!part) return null;
  const fields = fieldsOf(part.text);
  const value = (name: string) => fields.find(([field]) => field === name)?.[1] ?? '';
  return {
    type: /[\w-]{1,40}/.exec(value('feedback-type').toLowerCase())?.[0] ?? '',
    recipient: addressForm(value('original-rcpt-to').replace(/^rfc822;/i, '')),
  };
}
