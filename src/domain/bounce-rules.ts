import * as doubt from './bounce-doubt';
import { namesSender, refusalWords } from './refusal-text';
import { classify } from './smtp-outcome';
import type { SmtpPhase } from './smtp-result';
import type { SmtpReason, Wording } from './smtp-ruling';
import * as says from './smtp-wordings';
import { hardBounces } from './suppression';

/** Reasons that only returned letters have; the others are those of SMTP replies. */
export const BOUNCE_REASONS = [
  'expired',
  'mail_loop',
  'forward_failed',
  'undetermined',
  'provider_suppressed',
] as const;
export type BounceReason = SmtpReason | (typeof BOUNCE_REASONS)[number];

/** What a server said when it refused or gave up a letter. */
export interface BounceReply {
  /** 0 if no code was said. */
  code: number;
  enhanced: string | null;
  text: string;
  /** The sender's and the recipient's address. */
  from: string;
  to: string;
}

/** `hard`: the address gets no mail, today or later. */
export interface BounceRuling {
  kind: 'hard' | 'soft';
  reason: BounceReason;
  /** Whose fault it is; that of the sender never counts against the recipient. */
  blame: 'recipient' | 'sender' | null;
}

interface BounceRule {
  when: { temporary?: boolean; code?: RegExp; enhanced?: RegExp; text?: Wording; sender?: boolean };
  then: BounceRuling;
}

const soft = (reason: BounceReason, blame: BounceRuling['blame'] = 'recipient'): BounceRuling => ({
  kind: 'soft',
  reason,
  blame,
});
const hard = (reason: BounceReason): BounceRuling => ({ kind: 'hard', reason, blame: 'recipient' });
const rule = (when: BounceRule['when'], then: BounceRuling): BounceRule => ({ when, then });

/** Letters that were tried for days say so in words of their own. */
const EXPIRED =
  /retry time(?:out)?\b|\bexpired\b|too (?:long|old)|could not be delivered for|(?:delivery|connection|operation) timed out|timed? ?out|queue (?:time|life|period)|has not been collected|(?:failed|after) \d{1,4} (?:attempts|tries)|undelivered for|not delivered (?:with)?in|giving up|no (?:answer|response) from|connection refused|unable to connect|истек|превышен[^.]{0,20}врем|abgelaufen|expir[ée]|scadut/;
const LOOP =
  /mail loop|loops? back|routing loop|too many (?:hops|received)|hop count|maximum hops|loop(?:ing)? detected/;
const DOMAIN_GONE =
  /(?:host|domain)(?: or domain)?(?: name)? (?:was |is )?(?:not found|unknown|invalid|does(?: not|n't) exist)|no such (?:domain|host)|non-?existent (?:domain|hosts?)|unknown (?:domain|host)|nxdomain|(?:unrouteable|unroutable|illegal|bad) (?:mail )?domain|domain (?:has no|without) (?:mx|mail)|does not accept (?:any )?(?:e-?)?mail|null ?mx|unresolvable|domain[^.;]{0,60}(?:could ?n[o']t|cannot|can't) be (?:found|resolved)|домен[^.;]{0,40}не (?:найден|существует)|domain[^.;]{0,40}(?:existiert nicht|nicht gefunden)|no records found for domain|recipient'?s? domain/;
const TEMPORARY_LOOKUP = /temporar|try again|servfail|lookup fail|временн/;
const DISABLED =
  /(?:mailbox|account|user|recipient|inbox|e-?mail address)\b[^.;]{0,40}\b(?:disabled|deactivated|suspended|inactive|not active|locked|closed|terminated|frozen)|(?:disabled|deactivated|suspended|inactive) (?:mailbox|account|user|recipient)|(?:ящик|учетн\p{L}+ запис|учётн\p{L}+ запис|акка?унт)[^.;]{0,40}(?:отключ|заблокир|неактив|приостанов)|(?:konto|postfach)[^.;]{0,30}(?:deaktiviert|gesperrt|inaktiv)|(?:compte|bo[iî]te)[^.;]{0,30}(?:d[ée]sactiv|suspendu)|(?:cuenta|buz[oó]n)[^.;]{0,30}(?:deshabilitad|desactivad|suspendid)/u;
const UNAUTHENTICATED =
  /authentication (?:level|requirements)|not (?:pass|authenticated)|\b(?:spf|dkim|dmarc)\b[^.;]{0,60}(?:fail|did not pass|reject|quarantin|policy|not aligned|invalid)|(?:fail|reject)\w*[^.;]{0,40}\b(?:spf|dkim|dmarc)\b|unauthenticated/;
const BANNED =
  /banned send|access denied,? banned|blocked using|block ?list|blacklist|\bip\b[^.;]{0,80}(?:blocked|listed|reputation|banned|rejected)|(?:poor|bad|low) reputation|reputation[^.;]{0,30}(?:poor|bad|low|block)|s3140|s3150|proofpoint|barracuda|заблокирован[^.;]{0,30}ip|not accepted from (?:this|your) ip/;
const SPAM =
  /\bspam\b|\bjunk\b|unsolicited|\buce\b|bulk mail|virus|malware|phish|content (?:rejected|filter|restriction)|message (?:content )?(?:rejected|blocked|refused)|suspicious|спам|вирус|5\.7\.\d+ message blocked/;
/** Only some may write to this recipient: a list, a group, a protected mailbox. */
const RESTRICTED =
  /resolver\.rst\.|not authori[sz]ed to (?:send|post|relay)|not permitted to send|only (?:members|subscribers|senders)|permission to (?:post|send)|sender not (?:allowed|authenticated for group)|restricted/;
const TOO_LARGE =
  /(?:too (?:large|big)|size (?:limit|exceed)|exceed(?:s|ed)? (?:the )?(?:max\w* )?(?:fixed |incoming |inbound )?(?:message )?size)/;
/** What people are told in words, also in the languages of Exchange and Gmail. */
const NOT_FOUND =
  /(?:could|was|were|can|did)(?:n'?t| ?not) (?:be )?(?:found|find|located|exist)(?! (?:an? |any |the )?(?:gateway|route|path|server))|address not found|recipientnotfound|recipnotfound|nosuchuser|(?:adresse|empf[äa]nger|benutzer)[^.;]{0,80}nicht (?:be[^.;]{0,30} )?gefunden|wurde[^.;]{0,60}nicht gefunden|n'a pas (?:[ée]t[ée]|pu [êe]tre) trouv|est introuvable|no se (?:encontr|ha encontrado|pudo encontrar|puede encontrar)|non (?:[èe]|[èe] stat[oa]|[èe] possibile) trova|impossibile trovare|n[ãa]o (?:foi|p[ôo]de ser|pode ser) encontrad|не удалось найти|не (?:был[аи]? )?найден|не існує|не знайден|niet (?:worden )?gevonden|nie (?:zosta[łl]\p{L}* )?znalezion|hittades inte|inte hittas|(?:blev|ble) ikke (?:fundet|funnet)|ei l[öo]ytynyt|nebyl[ao]? nalezen|nem tal[áa]lhat|bulunamad|見つかりませんでした|找不到|찾을 수 없/u;

/**
 * What a returned letter says, in order; the first row that matches decides. What no row knows is for the table of SMTP
 * replies, of which these rows are the part that only holds once a server has given up.
 */
export const BOUNCE_RULES: readonly BounceRule[] = [
  // Temporary, and given up.
  rule({ temporary: true, text: says.GREYLIST }, soft('greylisted')),
  rule({ temporary: true, enhanced: /^4\.2\.2$/ }, soft('mailbox_full')),
  rule({ temporary: true, text: says.RATE }, soft('rate_limited_by_provider', 'sender')),
  rule({ temporary: true, text: BANNED }, soft('sender_blocked', 'sender')),
  rule({ temporary: true, enhanced: /^[45]\.7\./ }, soft('policy_refused', 'sender')),
  rule({ temporary: true, text: says.MAILBOX_FULL, sender: false }, soft('mailbox_full')),
  rule({ temporary: true, enhanced: /^[45]\.4\.6$/ }, soft('mail_loop')),
  rule({ temporary: true, enhanced: /^4\.1\.[78]$/ }, soft('sender_deferred', 'sender')),
  rule({ temporary: true, text: says.SENDER_REFUSED }, soft('sender_deferred', 'sender')),
  rule({ temporary: true, enhanced: /^4\.[12]\./ }, soft('recipient_deferred')),
  rule({ temporary: true, enhanced: /^[45]\.4\./ }, soft('expired')),
  rule({ temporary: true, text: EXPIRED }, soft('expired')),
  rule({ temporary: true }, soft('recipient_deferred')),

  // Loops and letters that waited too long, whatever their code.
  rule({ enhanced: /^5\.4\.(?:6|12|14)$/ }, soft('mail_loop')),
  rule({ text: LOOP }, soft('mail_loop')),
  rule({ enhanced: /^5\.4\.(?:7|300|316)$/ }, soft('expired')),
  rule({ enhanced: /^5\.4\.310$/ }, hard('domain_unknown')),
  rule({ enhanced: /^5\.(?:2\.2|2\.12[12])$/ }, soft('mailbox_full')),
  rule({ enhanced: /^5\.(?:2\.3|3\.4)$/ }, soft('message_too_large', 'sender')),

  // About the sender: whatever else is said, the address is not to blame.
  rule({ enhanced: /^5\.1\.[78]$/ }, soft('sender_refused', 'sender')),
  rule({ enhanced: /^5\.7\.(?:2[0-9]|30|509|515)$/ }, soft('sender_unauthenticated', 'sender')),
  rule({ enhanced: /^5\.7\.(?:60[6-9]|6[1-4]\d|51[12])$/ }, soft('sender_blocked', 'sender')),
  rule({ enhanced: /^(?!5\.1\.(?:1|10)$)/, text: BANNED }, soft('sender_blocked', 'sender')),
  rule({ enhanced: /^(?!5\.1\.(?:1|10)$)/, text: UNAUTHENTICATED }, soft('sender_unauthenticated', 'sender')),
  rule({ enhanced: /^(?!5\.1\.(?:1|10)$)/, text: RESTRICTED }, soft('policy_refused', 'sender')),
  rule({ enhanced: /^(?!5\.1\.(?:1|10)$)/, text: SPAM }, soft('content_refused', 'sender')),
  rule({ enhanced: /^5\.7\./, sender: true }, soft('policy_refused', 'sender')),

  // About the recipient.
  rule({ enhanced: /^5\.2\.1$/ }, hard('mailbox_disabled')),
  rule({ text: DISABLED, sender: false }, hard('mailbox_disabled')),
  rule({ text: TEMPORARY_LOOKUP, enhanced: /^5\.4\.|^$/ }, soft('expired')),
  rule({ enhanced: /^(?!5\.1\.(?:1|10)$|5\.7\.)/, text: DOMAIN_GONE, sender: false }, hard('domain_unknown')),
  rule({ text: TOO_LARGE, enhanced: /^$|^5\.(?:0|3|5|7)\./ }, soft('message_too_large', 'sender')),
  rule({ code: /^(?:0|5..)$/, enhanced: /^$|^5\.0\.0$/, text: NOT_FOUND, sender: false }, hard('user_unknown')),

  // Said in words alone, among which a server's own may be.
  rule({ code: /^0$/, text: says.MAILBOX_FULL, sender: false }, soft('mailbox_full')),
  rule({ code: /^0$/, text: says.NO_SUCH_USER, sender: false }, hard('user_unknown')),
  rule({ code: /^0$/, text: EXPIRED }, soft('expired')),
];

const ABOUT_US = new RegExp(doubt.ABOUT_US);
const SAYS_LITTLE = new RegExp(doubt.SAYS_LITTLE);
const CLEAR_CODE = new RegExp(doubt.CLEAR_CODE);
/** What the table of SMTP replies guesses from a code alone; without one nothing is known. */
const GUESSED: ReadonlySet<string> = new Set(['recipient_refused', 'content_refused', 'bad_address']);
/** Scopes of SMTP rulings that are not about us. */
const OF_RECIPIENT: ReadonlySet<string> = new Set(['recipient', 'domain']);

/** What it means that a server gave up a letter with this reply. Never throws; time in proportion to the text. */
export function judgeBounce(reply: BounceReply): BounceRuling {
  const { code, enhanced, text, from, to } = reply;
  const words = refusalWords(text);
  const found = findBounceRule(reply, words);
  if (found) return found.then.kind === 'hard' ? cautious(found.then, enhanced, words) : found.then;
  const ruling = bySmtp(code >= 500 ? code : 550, enhanced, text, words, { from, to });
  return code === 0 && ruling.kind === 'soft' && GUESSED.has(ruling.reason) ? soft('undetermined', null) : ruling;
}

/** The row that decides, if one does; exported for the tests, which prove that no row is unreachable. */
export function findBounceRule(
  { code, enhanced, text, from, to }: BounceReply,
  words = refusalWords(text),
): BounceRule | undefined {
  const isTemporary = code >= 400 ? code < 500 || enhanced?.[0] === '4' : enhanced?.[0] === '4';
  const isAboutSender = namesSender(words, { from, to });
  return BOUNCE_RULES.find(
    ({ when }) =>
      (when.temporary === undefined || when.temporary === isTemporary) &&
      (!when.code || when.code.test(String(code))) &&
      (!when.enhanced || when.enhanced.test(enhanced ?? '')) &&
      (when.sender === undefined || when.sender === isAboutSender) &&
      (!when.text || when.text.test(words)),
  );
}

function bySmtp(
  code: number,
  enhanced: string | null,
  text: string,
  words: string,
  named: { from: string; to: string },
): BounceRuling {
  const reply = { code, enhanced, text };
  const verdict = classify({ kind: 'refused', phase: phaseOf(words), reply }, named);
  const blame = OF_RECIPIENT.has(verdict.scope ?? '') ? 'recipient' : 'sender';
  if (verdict.permanent && verdict.refusal === null && hardBounces.includes(verdict.reason))
    return cautious(hard(verdict.reason), enhanced, words);
  // A bare no that names nothing.
  if (words === '' && (enhanced === null || /^5\.[03]\.0$/.test(enhanced))) return soft('undetermined', null);
  return soft(verdict.reason, blame);
}

/** An address that is mailed once more costs less than one that is never mailed again. */
function cautious(ruling: BounceRuling, enhanced: string | null, words: string): BounceRuling {
  const isClear = CLEAR_CODE.test(enhanced ?? '');
  const isOfDomain = ruling.reason === 'domain_unknown' && !/policy|spam|block/.test(words);
  if (!isOfDomain && ABOUT_US.test(words) && !(isClear && !/\bspam\b|reputation|\bdmarc\b|\bspf\b|blocked/.test(words)))
    return soft('policy_refused', 'sender');
  return isClear || !SAYS_LITTLE.test(words) ? ruling : { ...ruling, kind: 'soft' };
}

/** Postfix says to what the server answered. */
const phaseOf = (words: string): SmtpPhase =>
  /in reply to mail from|after mail from/.test(words)
    ? 'mail'
    : /in reply to end of data|after end of data|end of (?:message|data)/.test(words)
      ? 'dot'
      : 'rcpt';
