import type { PreparedDkim } from './dkim';
import { checkSignatures, type CheckedSignature } from './dkim-verify';
import type { InboundVerdict } from './inbound-decision';
import { headersOf, INBOUND_KEPT_BYTES, readLetter, type ReadLetter } from './read-letter';
import type { RenderedContent } from './template';

/** What came to the address of a proof letter is about the account, and about no client. */
export const OF_A_PROOF: InboundVerdict = {
  kind: 'ignore',
  reason: 'proof',
  basis: 'none',
  address: null,
  enhancedCode: null,
  reply: null,
  blame: null,
  match: null,
};

/** What a proof letter shows about the way that letters take. */
export const proofChecks = [
  'signature',
  'text',
  'message_id',
  'envelope',
  'unsubscribe',
  'sender',
  'receivers',
] as const;
export type ProofCheck = (typeof proofChecks)[number];

/** `unknown`: nobody can tell, for the reason that `why` names. */
export const proofResults = ['ok', 'failed', 'unknown'] as const;
export type ProofResult = (typeof proofResults)[number];

/** What went wrong, where a check may fail in several ways. */
export const proofFaults = [
  'no_key',
  'missing',
  'body',
  'header',
  'changed',
  'not_told',
  'not_covered',
  'none_spoke',
  'refused_by_receiver',
] as const;
export type ProofFault = (typeof proofFaults)[number];

export interface ProofFinding {
  check: ProofCheck;
  result: ProofResult;
  fault: ProofFault | null;
  /** What was found instead; '' if that says nothing. */
  found: string;
}

/** A proof letter, as it went out. */
export interface ProofLetter {
  /** 32 digits in its text, by which it is known again whatever else was changed. */
  mark: string;
  /** With angle brackets. */
  messageId: string;
  /** The address of From. */
  from: string;
  envelopeFrom: string;
  unsubscribeUrl: string;
  unsubscribeAddress: string;
}

/** How it came back. */
export interface ReturnedProof {
  /** '' if nobody said so. */
  envelopeFrom: string;
  raw: Buffer;
}

/** Letters of several scripts, in the shapes that broken conversions damage. */
const SAMPLE = 'Zwölf Boxkämpfer · Съешь ещё этих мягких французских булок · 敏捷的棕色狐狸 · “quotes” – 25 €';
const FOUND_MAX = 300;
const RECEIVERS = { count: 5, length: 1_000 };

export const proofContent = (mark: string): RenderedContent => ({
  subject: `Proof letter: what happens on the way – ${SAMPLE.slice(0, 18)}`,
  text: `Gonets wrote this letter to itself, to see what arrives of its letters.\r\n\r\n${SAMPLE}\r\n\r\n${mark}\r\n`,
  html: `<p>Gonets wrote this letter to itself, to see what arrives of its letters.</p><p>${SAMPLE}</p><p>${mark}</p>`,
});

/** Whether a letter is this proof letter, and not a report about it or something else. */
export const isProof = (letter: ReadLetter, raw: Buffer, mark: string): boolean =>
  !/^multipart\/report\b/i.test(letter.headers.get('content-type')?.[0] ?? '') &&
  (letter.text.includes(mark) || raw.includes(mark)) &&
  !letter.parts.some(({ type }) => type.startsWith('message/'));

/** Looks at a proof letter that came back: one finding for each check. Never throws; linear in the letter's bytes. */
export async function examineProof(
  sent: ProofLetter,
  returned: ReturnedProof,
  keys: readonly PreparedDkim[],
): Promise<{ findings: ProofFinding[]; receivers: string[] }> {
  const raw = returned.raw.subarray(0, INBOUND_KEPT_BYTES);
  const letter = await readLetter(raw);
  const headers = headersOf(raw.toString('latin1'));
  const signatures = checkSignatures(keys, raw);
  const first = (name: string) => (headers.get(name)?.[0] ?? '').replace(/\s+/g, ' ').trim();
  const receivers = (headers.get('authentication-results') ?? [])
    .slice(0, RECEIVERS.count)
    .map((value) => value.replace(/\s+/g, ' ').slice(0, RECEIVERS.length));
  const findings = [
    signatureFinding(signatures),
    kept('text', letter.text.includes(SAMPLE), ''),
    kept('message_id', first('message-id') === sent.messageId, first('message-id')),
    envelopeFinding(sent, returned.envelopeFrom || addressOf(first('return-path'))),
    unsubscribeFinding(sent, first, signatures),
    kept('sender', addressOf(first('from')).toLowerCase() === sent.from.toLowerCase(), first('from')),
    receiversFinding(receivers),
  ];
  return { findings, receivers };
}

const finding = (
  check: ProofCheck,
  result: ProofResult,
  fault: ProofFault | null = null,
  found = '',
): ProofFinding => ({
  check,
  result,
  fault,
  found: found.slice(0, FOUND_MAX).replaceAll('\0', ''),
});

const kept = (check: ProofCheck, isKept: boolean, found: string): ProofFinding =>
  isKept ? finding(check, 'ok') : finding(check, 'failed', 'changed', found);

const addressOf = (text: string): string => /<([^<>\s]*)>/.exec(text)?.[1] ?? text.trim();

function signatureFinding(signatures: readonly CheckedSignature[]): ProofFinding {
  if (signatures.length === 0) return finding('signature', 'unknown', 'no_key');
  const broken = signatures.find(({ fate }) => fate !== 'good');
  if (!broken || broken.fate === 'good') return finding('signature', 'ok');
  return finding('signature', 'failed', broken.fate, broken.selector);
}

function envelopeFinding({ envelopeFrom }: ProofLetter, found: string): ProofFinding {
  if (found === '') return finding('envelope', 'unknown', 'not_told');
  return kept('envelope', found.toLowerCase() === envelopeFrom.toLowerCase(), found);
}

/** One-click works only if both fields are there and signed (RFC 8058 4). */
function unsubscribeFinding(
  { unsubscribeUrl, unsubscribeAddress }: ProofLetter,
  first: (name: string) => string,
  signatures: readonly CheckedSignature[],
): ProofFinding {
  const [link, post] = [first('list-unsubscribe'), first('list-unsubscribe-post')];
  if (link === '' || post === '') return finding('unsubscribe', 'failed', 'missing');
  const isKept = link.includes(`<${unsubscribeUrl}>`) && link.includes(unsubscribeAddress);
  if (!isKept || !/^List-Unsubscribe=One-Click$/i.test(post)) return finding('unsubscribe', 'failed', 'changed', link);
  if (signatures.length === 0) return finding('unsubscribe', 'unknown', 'no_key');
  const isCovered = signatures.some(
    ({ fate, covers }) => fate === 'good' && covers.has('list-unsubscribe') && covers.has('list-unsubscribe-post'),
  );
  return isCovered ? finding('unsubscribe', 'ok') : finding('unsubscribe', 'failed', 'not_covered');
}

/** Anybody on the way may have written these; they are shown, and what they complain of is a reason to look. */
function receiversFinding(receivers: readonly string[]): ProofFinding {
  if (receivers.length === 0) return finding('receivers', 'unknown', 'none_spoke');
  const bad = /\b(?:dkim|spf|dmarc)\s*=\s*(?:fail|softfail|permerror)\b/i.exec(receivers.join('; '))?.[0];
  return bad ? finding('receivers', 'failed', 'refused_by_receiver', bad) : finding('receivers', 'ok');
}
