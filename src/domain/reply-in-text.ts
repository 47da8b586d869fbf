/** A server's reply that was found in a text. */
export interface FoundReply {
  /** 0: there is an enhanced code only. */
  code: number;
  enhanced: string | null;
  /** What was said, one line for each of the server's lines. */
  text: string;
}

/** Whether an enhanced code says no more than that it failed. */
export const isVague = (enhanced: string | null | undefined): boolean => !enhanced || /^[245]\.0\.0$/.test(enhanced);

const ENHANCED = '[245]\\.\\d{1,3}\\.\\d{1,3}';
/** `550 5.1.1 …`, `550-5.1.1 …`, `#550 5.1.1 …`, `550 #5.1.1`, `550-'5.1.1 …`. */
const WITH_BOTH = new RegExp(`(?<![\\w.:/+-])([245]\\d\\d)[ -]{1,3}['"(#[]{0,2}(${ENHANCED})(?![\\d.])`);
/** `(#5.1.1)`, `#5.1.1`, `[5.1.1]`, `Status: 5.1.1`, `5.1.1 (unknown user)`, `5.1.0 - Unknown address error`. */
const ENHANCED_ALONE = new RegExp(`(?:^|[\\s(\\['"#<;:=])(${ENHANCED})(?![\\d.])`);
/** `550 no such user`: a number of three digits may be anything, so words follow it, and what comes before fits. */
const CODE_ALONE =
  /(?:^|[\s:'"(#[<;])([45]\d\d)[ -]{1,3}['"<(]{0,2}(?=[^\s\d'"<(])(?!(?:ms|msec|sec|kb|mb|bytes|messages?|recipients?|prizes?|days?|hours?|minutes?|euros?|usd|eur|руб)\b)/i;
const SEARCHED = 4_000;

/**
 * The reply of an SMTP server in a piece of text, codes first: the first that has both codes, else an enhanced code,
 * else a reply code. Null if there is none.
 */
export function replyInText(piece: string): FoundReply | null {
  const text = piece.slice(0, SEARCHED);
  const both = WITH_BOTH.exec(text);
  if (both && both[1]![0] !== '2') {
    return { code: Number(both[1]), enhanced: both[2]!, text: withoutCodes(text.slice(both.index)) };
  }
  const alone = CODE_ALONE.exec(text);
  const enhanced = ENHANCED_ALONE.exec(text);
  if (enhanced && enhanced[1]![0] !== '2') {
    const code = alone && alone[1]![0] === enhanced[1]![0] ? Number(alone[1]) : 0;
    return { code, enhanced: enhanced[1]!, text: withoutCodes(text) };
  }
  if (!alone) return null;
  return { code: Number(alone[1]), enhanced: null, text: withoutCodes(text.slice(alone.index)) };
}

const CODES = new RegExp(`(?<![\\w.])(?:[245]\\d\\d[ -]{1,3}['"(#[]{0,2}${ENHANCED}|[245]\\d\\d[ -](?=\\D))[ ]?`, 'g');

/** Without the codes of its lines, which Postfix and others join to one. */
const withoutCodes = (text: string): string => text.replace(CODES, ' ').replace(/^[\s:;,.'"()#-]+/, '');
