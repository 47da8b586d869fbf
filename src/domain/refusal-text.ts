import type { SmtpReply } from './smtp-reply';

/** Of a longer answer only the beginning and the end are searched, so that the work is bounded. */
const SEARCHED = 2_000;
const FINGERPRINT_LENGTH = 200;
const CODES = /^[2-5]\d\d(?:[ -]|$)(?:[245]\.\d{1,3}\.\d{1,3}(?: |$))?/;

/** The server's answer without its codes, on one line and in lower case, to be searched for wordings. */
export const refusalWords = (text: string): string => spoken(text).toLowerCase();

function spoken(text: string): string {
  const shown = text.length > 2 * SEARCHED ? `${text.slice(0, SEARCHED)}\n${text.slice(-SEARCHED)}` : text;
  return shown
    .split('\n')
    .map((line) => line.replace(CODES, ''))
    .join(' ')
    .normalize('NFC')
    .replace(/[‘’ʼ`´]/g, "'")
    .replace(/\s+/g, ' ')
    .trim();
}

/** A letter's addresses, which a refusal may repeat. */
export interface Named {
  from: string;
  to: string;
}

/**
 * Words that look like ids, addresses or hosts: with a digit, `@`, `=` or `/`, a dot inside, or capitals in the middle.
 */
const ID_OR_HOST = /[\d@=/\\]|[^\s.:]\.[^\s.:]|\p{Ll}\p{Lu}|^[A-F]{6,}$/u;

/**
 * The code and words of a refusal without numbers, addresses, ids and hosts: the same for two refusals that differ only
 * in their recipient or letter.
 */
export function refusalFingerprint(reply: SmtpReply, { from, to }: Named): string {
  const own = new Set([from, to].flatMap((address) => address.toLowerCase().split(/[^\p{L}]+/u)));
  const words = spoken(reply.text)
    .split(/[\s<>()[\]{}"',;!?|]+/)
    .filter((word) => !ID_OR_HOST.test(word))
    .flatMap((word) => word.toLowerCase().split(/[^\p{L}]+/u))
    .filter((word) => word !== '' && !own.has(word));
  return `${reply.code} ${reply.enhanced ?? '-'} ${words.join(' ')}`.slice(0, FINGERPRINT_LENGTH);
}

const SENDER =
  /\bsenders?\b|\bmail from\b|\breturn[- ]?path\b|\benvelope[- ]from\b|\bfrom[- ](?:address|header|field|line)\b|\b(?:header|field|in the) from\b|\byour (?:e-?mail )?(?:account|domain|ip|address|mailbox|server|host|tenant|organi[sz]ation)\b|\bip address\b|отправител|\babsender|exp[ée]diteur|remitente|mittente|remetente|nadawc|发件人|寄件者|寄件人|送信者|差出人|발신자/;

/** Whether a refusal is about the sender: it says so, or it names the sender's address and not the recipient's. */
export function namesSender(words: string, { from, to }: Named): boolean {
  if (SENDER.test(words)) return true;
  return from !== '' && words.includes(from.toLowerCase()) && !words.includes(to.toLowerCase());
}

const AGAIN =
  /again|retry|retries|come back|wait|later|resend|delay|back ?off|gr[ae]y-?list|defer|повтор|попроб|подожд|позже|через|erneut|wiederhol|versuch|warten|sp[äa]ter|r[ée]essa|patient|attendre|plus tard|reintent|intent|espere|riprova|tente|重试|再试|稍后|请在|後ほど|再試行|다시/;
/** After the unit: "5 minutes later", "300 seconds before you try again". */
const THEN = /^[^\s.;,]*[^.;,]{0,20}(?:later|again|before|retry|后|後|뒤|спустя)/;
const UNITS: [RegExp, number][] = [
  [/^(?:s(?![a-z])|secs?\b|seconds?|сек|с(?![а-я])|sek|segundo|seconde|secondi|秒|초)/, 1],
  [/^(?:m(?![a-z])|mins?\b|minut|мин|м(?![а-я])|分|분)/, 60],
  [
    /^(?:h(?![a-z])|hrs?\b|hours?|ч(?![а-я])|час|std\b|stunde|heure|hora|ora\b|ore\b|小时|小時|個小時|个小时|時間|시간)/,
    3_600,
  ],
  [/^(?:d(?![a-z])|days?|сут|дн|день|tag(?:e|en)?\b|jours?|d[ií]as?|giorn|天|日)/, 86_400],
];
/** At most so many characters may lie between the number and the words that ask to try again. */
const NEAR = 60;

/** How long the server asks us to wait ("try again in 300 seconds", "retry after 5 minutes", "in 00:04:57"). */
export function namedDelayMs(text: string): number | null {
  const words = refusalWords(text);
  for (const found of words.matchAll(/(?<![\w.:])(\d{1,6})(?::(\d\d)(?::(\d\d))?)?(?![\d.:])/g)) {
    const before =
      words
        .slice(Math.max(0, found.index - NEAR), found.index)
        .split(/[.;!?]/)
        .pop() ?? '';
    const rest = words.slice(found.index + found[0].length, found.index + found[0].length + NEAR).replace(/^[ -]/, '');
    // "100 letters per 1 hour" is a limit, not a time after which to try again.
    if (!(AGAIN.test(before) || THEN.test(rest)) || /(?:\bper|\bevery|\beach|\blast|\/) ?$/.test(before)) continue;
    const seconds = secondsOf(found, rest, before);
    if (seconds !== null && seconds > 0) return seconds * 1_000;
  }
  return null;
}

function secondsOf([, first = '', second, third]: RegExpMatchArray, rest: string, before: string): number | null {
  if (second !== undefined && third !== undefined) {
    return Number(first) * 3_600 + Number(second) * 60 + Number(third);
  }
  if (second !== undefined) return Number(first) * 60 + Number(second);
  const unit = UNITS.find(([form]) => form.test(rest))?.[1];
  if (unit !== undefined) return Number(first) * unit;
  return /(?:retry|try again)[- ](?:after|in)[:= ]+$/.test(before) ? Number(first) : null;
}
