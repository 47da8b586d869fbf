import { autoReply } from './auto-reply';
import { BOUNCE_REASONS, type BounceRuling, judgeBounce } from './bounce-rules';
import { feedbackIn, RETURNED } from './complaint';
import { deliveryReports, type RecipientReport } from './delivery-report';
import { isPassedOn, saysExpanded } from './expansion';
import { feedbackReport } from './feedback-report';
import { header, headerAddress, headersOf, INBOUND_KEPT_BYTES, type ReadLetter, readLetter } from './read-letter';
import { isVague, replyInText } from './reply-in-text';
import { addressForm, sameAddress } from './same-address';
import { SMTP_REASONS } from './smtp-ruling';
import { isFromDaemon, isNullSender, textBounce } from './text-bounce';

export const inboundKinds = ['hard', 'soft', 'complaint', 'unsubscribe', 'auto-reply', 'ignore'] as const;
export type InboundKind = (typeof inboundKinds)[number];

/** Why a letter is what it is. Those of SMTP replies are told of bounces. */
export const inboundReasons = [
  ...SMTP_REASONS,
  ...BOUNCE_REASONS,
  'delayed',
  'relayed',
  'delivered',
  'expanded',
  'other_recipient',
  'out_of_office',
  'challenge',
  'auto_reply',
  'abuse',
  'fraud',
  'not_spam',
  'feedback_other',
  'dmarc_report',
  'tls_report',
  'disposition',
  'mailto',
  'opt_out',
  'auto_submitted',
  'human',
  'not_a_report',
  'not_ours',
  'proof',
  'unreadable',
] as const;
export type InboundReason = (typeof inboundReasons)[number];

/** `recipient`: by its address and the time alone, as a mail provider reports them. */
export const matchWays = ['verp', 'message-id', 'unsubscribe-token', 'recipient'] as const;
export type MatchWay = (typeof matchWays)[number];

/** By what it was judged. */
export const inboundBases = [
  'delivery_report',
  'text_report',
  'feedback_report',
  'provider_report',
  'unsubscribe_address',
  'auto_reply',
  'none',
] as const;
export type InboundBasis = (typeof inboundBases)[number];

/** The letter of ours that an incoming one is about. */
export interface Match {
  by: MatchWay;
  deliveryId: number;
  /** Its recipient, as the ledger has it. */
  email: string;
}

export interface InboundEnvelope {
  /** '' for the null sender. */
  from: string;
  /** What our address says it is for; null: it holds no token of ours. */
  toKind: 'bounce' | 'unsubscribe' | null;
  /** Whether it is the address at which providers report complaints. */
  isFeedbackAddress: boolean;
  /** The envelope sender of the letter of ours. */
  sender: string;
}

/** What an incoming letter is. */
export interface InboundVerdict {
  kind: InboundKind;
  reason: InboundReason;
  basis: InboundBasis;
  /** The client's address that it is about; null if none is named. */
  address: string | null;
  enhancedCode: string | null;
  /** What the server said; null if nothing was. */
  reply: string | null;
  blame: BounceRuling['blame'];
  match: Match | null;
}

/** A bounce, as its report tells it. */
type Told = Pick<InboundVerdict, 'kind' | 'reason' | 'address' | 'enhancedCode' | 'reply' | 'blame'>;

const ENCLOSED_DEPTH = 5;
/** What is enclosed is read again at each level: together so much. */
const UNWRAPPED_BYTES = 2 * INBOUND_KEPT_BYTES;
const ENCLOSED = /^message\/(?:rfc822|global)$/;

/** A letter with those that are enclosed in it, from the outside in, until one is a report. */
export async function unwrap(raw: Uint8Array): Promise<ReadLetter[]> {
  const letters = [await readLetter(raw)];
  let left = UNWRAPPED_BYTES - Math.min(raw.length, INBOUND_KEPT_BYTES);
  while (letters.length < ENCLOSED_DEPTH) {
    const last = letters.at(-1)!;
    if (deliveryReports(last).length > 0 || feedbackReport(last)) break;
    const enclosed = last.parts.find(({ type }) => ENCLOSED.test(type));
    if (!enclosed || enclosed.bytes.length > left) break;
    left -= enclosed.bytes.length;
    letters.push(await readLetter(enclosed.bytes));
  }
  return letters;
}

/**
 * Decides what an incoming letter is, by the first rule that applies. `letters` as `unwrap` gives them; `match` is the
 * letter of ours that it is about, as far as that is known. Never throws; time in proportion to the letter.
 */
export function decide(letters: ReadLetter[], envelope: InboundEnvelope, match: Match | null): InboundVerdict {
  const outer = letters[0]!;
  const verdict = (
    kind: InboundKind,
    reason: InboundReason,
    basis: InboundBasis,
    more: Partial<InboundVerdict> = {},
  ) => ({
    kind,
    reason,
    basis,
    address: match?.email ?? named(outer, envelope),
    enhancedCode: null,
    reply: null,
    blame: null,
    match,
    ...more,
  });
  if (envelope.toKind === 'unsubscribe') {
    // Some of those to whom we write are called as mail systems are.
    const isRecipient = match !== null && sameAddress(headerAddress(outer, 'from'), match.email);
    const isDaemon = !isRecipient && isFromDaemon(outer, envelope.from);
    const isMachine = isNullSender(envelope.from) || isDaemon || autoReply(outer) !== null;
    return isMachine
      ? verdict('ignore', 'auto_submitted', 'unsubscribe_address')
      : verdict('unsubscribe', 'mailto', 'unsubscribe_address');
  }
  const feedback = feedbackIn(letters, envelope, match !== null);
  if (feedback) {
    const isForNobody = feedback.reason === 'not_spam' || feedback.reason === 'feedback_other';
    const more = {
      ...(isForNobody && { match: null }),
      ...(!match && feedback.recipient !== '' && { address: feedback.recipient }),
    };
    return verdict(feedback.kind, feedback.reason, 'feedback_report', more);
  }
  const statistics = statisticsReport(outer);
  if (statistics) return verdict('ignore', statistics, 'none', { match: null });
  // Providers have no other business there: whoever writes a bounce to it made it up.
  if (envelope.isFeedbackAddress)
    return verdict('ignore', match ? 'not_a_report' : 'not_ours', 'none', { match: null });
  const reported = letters.find((letter) => deliveryReports(letter).length > 0);
  const isBounce = reported !== undefined || isFromDaemon(outer, envelope.from);
  if (!match) {
    const address = reported ? reportedAddress(deliveryReports(reported)) : named(outer, envelope);
    return verdict('ignore', 'not_ours', 'none', { address });
  }
  if (outer.parts.some(({ type }) => /^message\/(?:x-|global-)?disposition-notification$/.test(type)))
    return verdict('ignore', 'disposition', 'none');
  if (reported) {
    const told = byReport(deliveryReports(reported), reported, match, envelope.sender);
    return verdict(told.kind, told.reason, 'delivery_report', told);
  }
  const auto = autoReply(outer);
  if (isBounce && (auto !== 'out_of_office' || !isPersonal(outer))) {
    const told = byText(letters, match, envelope.sender);
    return verdict(told.kind, told.reason, 'text_report', told);
  }
  if (auto) return verdict('auto-reply', auto, 'auto_reply');
  if (outer.isBroken) return verdict('ignore', 'unreadable', 'none');
  // A bounce that somebody forwarded, as text.
  const inner = letters.slice(1).find((letter) => isFromDaemon(letter, ''));
  if (inner) {
    const told = byText([inner], match, envelope.sender);
    return verdict(told.kind, told.reason, 'text_report', told);
  }
  const isAnswer = header(outer, 'in-reply-to') !== '' || header(outer, 'references') !== '';
  return isAnswer
    ? verdict('ignore', 'human', 'none', { match: null, address: addressOrNull(headerAddress(outer, 'from')) })
    : verdict('ignore', 'not_a_report', 'none', { match: null });
}

/** An out-of-office message may have a subject that looks like a bounce; mail systems have no mailbox of a person. */
const isPersonal = (letter: ReadLetter): boolean =>
  !letter.headers.has('x-failed-recipients') && !/daemon|postmaster|delivery|system/i.test(header(letter, 'from'));

/** The address that a letter is about, if nothing else tells. */
function named(letter: ReadLetter, { from }: InboundEnvelope): string | null {
  const returned = letter.parts.find(({ type }) => RETURNED.test(type));
  const feedback = feedbackReport(letter);
  return (
    addressOrNull(feedback?.recipient ?? '') ??
    addressOrNull(returned ? headerAddress({ headers: headersOf(returned.text) }, 'to') : '') ??
    addressOrNull(header(letter, 'x-failed-recipients').split(/[\s,;]/)[0] ?? '') ??
    addressOrNull(isFromDaemon(letter, from) ? '' : headerAddress(letter, 'from'))
  );
}

const addressOrNull = (text: string): string | null => addressForm(text) || null;

/** Summaries that receivers send once a day (RFC 7489, RFC 8460). */
function statisticsReport(letter: ReadLetter): InboundReason | null {
  const types = [header(letter, 'content-type'), ...letter.parts.map(({ type }) => type)].join(' ').toLowerCase();
  if (/tlsrpt/.test(types)) return 'tls_report';
  const isFile = /application\/(?:x-)?(?:gzip|zip|octet-stream|xml)|text\/xml/.test(types);
  const names = [header(letter, 'content-type'), ...letter.parts.map(({ fileName }) => fileName)];
  const isNamed = names.some((name) => /[\w.-]{1,200}![\w.-]{1,200}!\d{1,15}!\d{1,15}/.test(name));
  return isFile && (isNamed || /^report domain:/i.test(header(letter, 'subject'))) ? 'dmarc_report' : null;
}

const reportedAddress = (reports: RecipientReport[]): string | null =>
  reports[0]?.originalRecipients[0] ?? (reports[0]?.finalRecipient || null);

/** The block of the ledger's address counts; if there is none, a forward of it failed. */
function byReport(reports: RecipientReport[], letter: ReadLetter, match: Match, sender: string): Told {
  const isOf = ({ finalRecipient, originalRecipients }: RecipientReport) =>
    [finalRecipient, ...originalRecipients].some((each) => sameAddress(each, match.email));
  const own = reports.filter(isOf);
  const failed = reports.filter(({ action }) => action === 'failed');
  const report = own.find(({ action }) => action === 'failed') ?? own[0] ?? failed[0];
  if (!report) return told('ignore', 'other_recipient', match, null, null);
  if (own.length === 0) {
    const isOnly = failed.length === reports.length;
    const status = enhancedOf(report);
    return isOnly
      ? told('soft', 'forward_failed', match, status, report.diagnostic, 'recipient')
      : told('ignore', 'other_recipient', match, status, report.diagnostic);
  }
  if (report.action !== 'failed') return told('ignore', report.action, match, report.status, report.diagnostic);
  if (isPassedOn(report, own, letter.text, match.email))
    return told('soft', 'forward_failed', match, enhancedOf(report), report.diagnostic, 'recipient');
  const { ruling, enhanced, text } = rulingOf(report, letter, match, sender);
  return told(ruling.kind, ruling.reason, match, enhanced, text, ruling.blame);
}

const told = (
  kind: InboundKind,
  reason: InboundReason,
  match: Match,
  enhancedCode: string | null,
  reply: string | null,
  blame: BounceRuling['blame'] = null,
): Told => ({ kind, reason, address: match.email, enhancedCode, reply: reply === '' ? null : reply, blame });

const enhancedOf = ({ diagnostic, status }: RecipientReport): string | null =>
  replyInText(diagnostic)?.enhanced ?? status;

/** The server's own words before the reporter's status, which often says less. */
function rulingOf(report: RecipientReport, letter: ReadLetter, { email }: Match, sender: string) {
  const { status, diagnostic } = report;
  const said = replyInText(diagnostic);
  let code = said?.code || Number(`${status?.[0] ?? '5'}50`);
  const fits = status !== null && status.startsWith(String(code)[0]!);
  const enhanced = !isVague(said?.enhanced) ? said!.enhanced : fits ? status : (said?.enhanced ?? null);
  let text = said?.text ?? diagnostic;
  // A report without any words: those for people may have some, of a server or of the reporter alone.
  if (isVague(enhanced) && text.trim().length < 4) {
    const { reply, words } = textBounce(letter, email);
    text = reply?.text ?? words;
    if (!reply) code = 0;
  }
  const ruling = judgeBounce({ code, enhanced, text, from: sender, to: email });
  return { ruling, enhanced, text: diagnostic === '' ? text : diagnostic };
}

/** What is said next to the address, above the copy of the letter. */
function byText(letters: ReadLetter[], match: Match, sender: string): Told {
  const letter = letters.find((each) => isFromDaemon(each, '')) ?? letters[0]!;
  const { kind, reply, words, address } = textBounce(letter, match.email);
  if (kind === 'delivered') return told('ignore', 'delivered', match, reply?.enhanced ?? null, words);
  if (kind === 'delayed') return told('ignore', 'delayed', match, reply?.enhanced ?? null, reply?.text ?? words);
  const text = reply?.text ?? words;
  const code = reply?.code || (reply?.enhanced ? Number(`${reply.enhanced[0]}50`) : 0);
  const ruling: BounceRuling = judgeBounce({
    code,
    enhanced: reply?.enhanced ?? null,
    text,
    from: sender,
    to: match.email,
  });
  // It names somebody else, to whom the letter was passed on.
  const isOther = address !== '' && !sameAddress(address, match.email);
  if (isOther || saysExpanded(letter.text, match.email))
    return told('soft', 'forward_failed', match, reply?.enhanced ?? null, text, 'recipient');
  return told(ruling.kind, ruling.reason, match, reply?.enhanced ?? null, text, ruling.blame);
}
