import { header, headerAddress, type ReadLetter } from './read-letter';
import { type FoundReply, replyInText } from './reply-in-text';
import { addressForm } from './same-address';

/** What a report for people says about one recipient. */
export interface TextBounce {
  kind: 'failed' | 'delayed' | 'delivered';
  /** The recipient that it names; '' if none. */
  address: string;
  /** Null: it is said in words alone. */
  reply: FoundReply | null;
  /** The words about this recipient. */
  words: string;
}

const DAEMON =
  /^(?:mailer[-_.]?daemon|mail[-_.]?daemon|postmaster|mdaemon|maildelivery|mail[-_.]delivery[-_.]\w+|mailer|bounces?|mdaemon\d*|mailadmin)(?:[+-].*)?@/i;
const DAEMON_NAME =
  /^"?(?:mail delivery (?:sub)?system|mail delivery|mail system|internet mail delivery|system administrator|mailer[- ]daemon|postmaster|mail administrator|microsoft outlook|почтовая система|служба доставки)\b/i;
const BOUNCE_SUBJECT =
  /undeliver|non[- ]?deliver|not delivered|could not be delivered|couldn't be delivered|delivery (?:status|failure|failed|error|problem|report|notification)|failure notice|returned? mail|mail (?:delivery )?(?:failure|failed|returned|system error)|delivery has failed|message (?:not delivered|rejected|undeliverable)|mail could not|failed delivery|не (?:удалось )?достав|недостав|ошибка достав|не было доставлено|возврат|unzustellbar|nicht zugestellt|zustell\w* ?fehl|fehlgeschlagen|r[üu]ckl[äa]ufer|non remis|non distribu|[ée]chec (?:de|d')|impossible (?:de|d')\s?(?:remettre|distribuer)|retour de mail|no se (?:pudo|puede|ha podido) entregar|no entregad|error de entrega|devoluci[oó]n|mancato recapito|non recapit|impossibile recapitare|n[ãa]o entregue|falha (?:na|de) entrega|n[ãa]o foi poss[íi]vel entregar|onbestelbaar|niet bezorgd|nie dostarcz|niedostarcz|zwrot|oleverans|kunde inte levereras|teslim edileme|nedoru[čc]|退信|无法送达|無法傳遞|未送达|配信不能|配信できません|반송|배달되지/i;
const DELAY =
  /(?:has|have) (?:not yet been|been) (?:delayed|delivered)|not yet been delivered|is delayed|delivery (?:is|was|has been)? ?(?:delayed|incomplete)|delayed (?:mail|message)|warning[: -][^.]{0,60}(?:not (?:yet )?(?:been )?(?:sent|delivered)|undelivered|delay|could not be (?:sent|delivered))|will (?:be retried|(?:continue|keep|be) (?:to (?:be )?)?try|retry|try again|continue to)|still (?:being attempted|trying|undelivered)|no action is required|do(?:es)? ?n[o']t need to (?:resend|do anything)|you do not need to resend|delivery attempts will continue|(?:attempts|tries) (?:will|to deliver) [^.]{0,40}continu|задерж|попытк\p{L}* [^.]{0,40}(?:продолж|повтор|будут)|ещё не доставлен|еще не доставлен|пока не доставлен|verz[öo]ger|noch nicht zugestellt|weitere zustellversuche|retard[ée]|n'a pas encore|nouvelles? tentatives?|a[úu]n no se ha|retras|demorad|seguir[áa] intent|in ritardo|ritard|non (?:[èe] )?ancora|atras(?:ad|ou)|ainda n[ãa]o|vertraagd|nog niet|op[óo][źz]nion|f[öo]rdr[öo]j|遅延|延迟|延遲/iu;
const GIVEN_UP =
  /permanent|giv(?:en|ing) up|final|gave up|fatal error|will not be (?:retried|tried)|окончательн|постоянн|endg[üu]ltig|d[ée]finitiv|permanente/i;
/** Beside these, what is also said of a first attempt. */
const FINAL = new RegExp(
  `${GIVEN_UP.source}|has failed|could not be delivered to|following address(?:\\(es\\)|es)? failed`,
  'i',
);
/** Said of a first attempt: the letter has not come back for good. */
const STILL_TRYING = /(?:attempts|tries) will (?:continue|be continued)|will continue to (?:try|attempt)/i;
const DELIVERED =
  /(?:was|were|been) success(?:fully)? (?:delivered|relayed)|successful(?:ly)? (?:mail )?deliver|доставлено успешно|успешно доставлен/i;

/** Where the copy of the returned letter begins: nothing below it was said by a server. */
const COPY =
  /^[ \t>]{0,40}(?:-{2,200}|={2,200}|_{5,200}|\*{1,200})? ?(?:this is a copy of (?:the|your) message|below this line is a copy|(?:the )?(?:headers?|body|text) of (?:the|your) (?:original )?(?:message|mail)|original (?:message|mail)(?: (?:headers?|follows|text|below|header follows))?|(?:the )?original message (?:follows|headers?|was received)?|message (?:headers?|header follows|text follows)|returned message|undelivered message|unsent message|diagnostic information for administrators:? ?original|original message headers|here is a copy|a copy of (?:the|your)|исходное сообщение|оригинал (?:сообщения|письма)|копия (?:сообщения|письма)|заголовки|urspr[üu]ngliche (?:nachricht|e-?mail)|message d'origine|mensaje original|messaggio originale|mensagem original|oorspronkelijk bericht|原始邮件|原始郵件|元のメッセージ)/im;
const RETURNED_HEADER =
  /^[ \t>]{0,40}(?:received: from|return-path: ?<|dkim-signature: ?v=|list-unsubscribe(?:-post)?:|mime-version: ?1)/im;

/** The type of a delivery report (RFC 3464), whoever sent it. */
const REPORT = /^multipart\/report\b[^]*report-type="?delivery-status/i;

/** Lines that say the subject of the returned letter: its words are not the server's. */
const SUBJECT_LINE =
  /^[ \t>|*-]{0,40}(?:subject|betreff|objet|sujet|asunto|oggetto|assunto|onderwerp|temat|тема|件名|主题|主旨)[ \t]{0,20}[:：]/i;

const TEXT_MAX = 64 * 1024;
const LINES = 600;
const WINDOW_LINES = 14;

/** Whether a mail system wrote it, not a person or their program. */
export function isFromDaemon(letter: ReadLetter, envelopeFrom: string): boolean {
  if (letter.headers.has('x-failed-recipients')) return true;
  const from = headerAddress(letter, 'from') || header(letter, 'from');
  if (DAEMON.test(`${from}@`) || DAEMON_NAME.test(header(letter, 'from'))) return true;
  if (!isNullSender(envelopeFrom)) return false;
  return BOUNCE_SUBJECT.test(header(letter, 'subject')) || REPORT.test(header(letter, 'content-type'));
}

/** The sender of what must not be answered (RFC 5321, section 4.5.5), as servers and pipes spell it. */
export const isNullSender = (envelopeFrom: string): boolean =>
  /^(?:<>|mailer-daemon|"?mailer-daemon"?@.*)?$/i.test(envelopeFrom.trim());

/**
 * What a text-only report says about `known`, the recipient of the letter that came back; '' if it is not known: then
 * about the one that it names. Exim, qmail, Exchange, Mail.ru and others write such. Time in proportion to the text.
 */
export function textBounce(letter: ReadLetter, known: string): TextBounce {
  const text = aboveCopy(letter.text.slice(0, TEXT_MAX));
  const lines = text
    .split(/\r?\n/, LINES)
    .map((line) => line.slice(0, 1_000))
    .filter((line) => !SUBJECT_LINE.test(line));
  const failed = header(letter, 'x-failed-recipients')
    .split(/[\s,;]+/, 50)
    .map(addressForm)
    .filter((form) => form !== '');
  const wanted = addressForm(known);
  const address = wanted || failed[0] || '';
  const near = address === '' ? [] : windows(lines, address);
  const all = lines.join('\n');
  const found = near.map((window) => ({ window, reply: replyInText(window) })).find(({ reply }) => reply !== null);
  // Only a report about one address may say elsewhere what happened.
  const isOnly = failed.length <= 1 && !namesOthers(lines, address);
  const reply = found?.reply ?? (isOnly || near.length === 0 ? replyInText(all) : null);
  const words = found?.window ?? (near.length > 0 && !isOnly ? near.join('\n') : all);
  const subject = header(letter, 'subject');
  return {
    kind: kindOf(`${subject}\n${all}`, reply),
    address:
      address !== '' && (wanted === '' || near.length > 0 || failed.includes(wanted)) ? address : (failed[0] ?? ''),
    reply,
    words: words.slice(0, 4_000),
  };
}

function kindOf(text: string, reply: FoundReply | null): TextBounce['kind'] {
  if (DELIVERED.test(text) && reply === null) return 'delivered';
  const isPermanent = (reply?.code ?? 0) >= 500 || reply?.enhanced?.startsWith('5') === true;
  const isFinal = STILL_TRYING.test(text) ? GIVEN_UP.test(text) : FINAL.test(text);
  return DELAY.test(text) && !isFinal && !isPermanent ? 'delayed' : 'failed';
}

function aboveCopy(text: string): string {
  const ends = [COPY, RETURNED_HEADER].flatMap((mark) => {
    const at = mark.exec(text)?.index;
    return at === undefined ? [] : [at];
  });
  const end = Math.min(text.length, ...ends);
  // A report that begins with such a line is all copy by its looks: then its text is all there is.
  return end < 20 ? text : text.slice(0, end);
}

const ADDRESS = /[^\s<>()[\]{}"',;:=]{1,64}@[^\s<>()[\]{}"',;:=]{1,255}/g;

/** From each line that names the address, to the next one that begins with another address. */
function windows(lines: string[], address: string): string[] {
  const found: string[] = [];
  for (const [i, line] of lines.entries()) {
    if (found.length >= 10) break;
    if (!line.toLowerCase().includes(address)) continue;
    let end = i + 1;
    while (end < lines.length && end < i + WINDOW_LINES && !beginsOther(lines[end] ?? '', address)) end++;
    found.push(lines.slice(i, end).join('\n'));
  }
  return found;
}

/** A line that is, or begins with, another address: `<other@example>:`, `  other@example`. */
function beginsOther(line: string, address: string): boolean {
  const found = /^[ \t*-]{0,40}<?([^\s<>()"',;:]{1,64}@[^\s<>()"',;:]{1,255})>?:?(?=\s|$|:)/.exec(line)?.[1];
  return found !== undefined && addressForm(found) !== address && addressForm(found) !== '';
}

const namesOthers = (lines: string[], address: string): boolean =>
  lines.some((line) => beginsOther(line, address) && (line.match(ADDRESS)?.length ?? 0) === 1);
