import type { Wording } from './smtp-ruling';

/** `[^.]` stands for what is in the same sentence; the dots of addresses and hosts do not end one. */
const WITHIN = '(?:[^.$1]|\\.(?! ))';

/**
 * Wordings of servers. All are searched in `refusalWords`: lower case, one line, bounded length. Gaps in the
 * expressions are bounded too, so that the work is linear in the length.
 */
const any = (...forms: string[]): RegExp => new RegExp(forms.join('|').replace(/\[\^\.(;?。?)\]/g, WITHIN), 'u');
const all = (...forms: RegExp[]): Wording => ({ test: (words) => forms.every((form) => form.test(words)) });

export const RATE =
  /unusual rate|rate[- ]?limit|too many (?:messages|e?mails)|unexpected volume|temporarily deferred|throttl|\[tss?\d\d\]/;
export const BLOCKED = /\bblocked using\b|\bblock ?list|\bblacklist|spamhaus|\bdnsbl\b|\brbl\b/;
export const RELAY = /relay(?:ing)? (?:access )?denied|(?:not permitted|unable|not allowed) to relay|relaying not/;
export const GREYLIST = /gr[ae]y-?list/;
export const TOO_LARGE = /size|large|\bbig\b|limit/;

/** Too many connections at once. */
export const CONCURRENT = any(
  'concurren|simultan|parallel (?:connection|session)|sender thread limit',
  'too many (?:smtp |open |active |parallel |established )?(?:connections|sessions)',
  '(?<!per[- ])(?:connection|session) limit (?:for|reached|exceeded)',
  'max(?:imum)? (?:number of )?(?:smtp )?(?:connections|sessions)',
  'одновременн|gleichzeitig|simult[áa]ne|contemporane|并发|同时连接|同時接続|동시',
);

/** A limit of letters per connection. Applied only to a connection that has served some. */
export const PER_SESSION = any(
  'per[- ](?:smtp[- ])?(?:session|connection)|messages?/(?:session|connection)',
  '(?:this|one|same|single|current|an?|the) (?:smtp )?(?:session|connection)\\b',
  "\\b(?:session|connection)(?:’s|'s)? (?:message |mail )?(?:limit|quota|maximum)",
  '(?:messages?|mails?|e-?mails?|letters?|recipients?|rcpts?|transactions?|deliveries|' +
    'commands)[^.]{0,40}(?:session|connection)',
  'сесси|соединени|sitzung|verbindung|sesi[oó]n|conexi[oó]n|connexion|sessione|connessione|会话|连接|セッション|接続|세션',
);

const LIMIT = any(
  '\\bnumber of\\b|\\b(?:limits?|quotas?|maximum|max|threshold|allowance|allotment|credits?|cap)\\b|' +
    'limitexceeded|quotaexceeded',
  'лимит|квот|предел|kontingent|limite?\\b|l[ií]mite|cuota|limiet|配额|限额|限制|上限|额度|頻度|频率|制限|한도',
);
const EXCEEDED = any(
  'exceed|reached|\\bover\\b|\\bhit\\b|used up|exhaust|surpass|deplet|too many|no (?:more|remaining)|run out|ran out',
  'превыш|превыси|исчерп|достиг|израсход|[üu]e?berschritten|erreicht|aufgebraucht|ausgesch[öo]pft|d[ée]pass|' +
    'atteint|[ée]puis',
  'superad|superat|raggiunt|excedid|alcanzad|agotad|atingid|overschreden|bereikt|przekrocz|超过|超出|超過|已达|达到|达上限|用完|' +
    '超え|達し|초과',
);
const OURS = any(
  '\\bsend(?:er|ers|ing)?\\b|\\bsent\\b|\\boutbound\\b|\\boutgoing\\b|submission|\\brelay|\\btenant\\b|\\bmessaging\\b',
  '\\bdaily\\b|\\bhourly\\b|\\bmonthly\\b|\\bweekly\\b|\\btoday\\b|\\b24[- ]?h|(?:\\bper[- ]|/ ?)(?:hour|day|' +
    'minute|month|week|24|h\\b|d\\b)',
  "\\b(?:an?|each|every|this|last) (?:hour|day|month|minute)\\b|\\byou\\b|\\byou've\\b|\\byour\\b(?! message)|" +
    '\\bcredits\\b',
  '(?:^| )вы |отправ|рассыл|суточн|дневн|часово|в сутки|в час|в день|versand|\\bsende|t[äa]glich|st[üu]ndlich|' +
    'pro (?:tag|stunde)|\\btages',
  'envoi|quotidien|horaire|journali|par (?:jour|heure)|env[ií]o|diari|por (?:hora|d[ií]a)|\\binvio\\b|giornalier|' +
    'orari|dagelijks|dzienn|wysy[łl]',
  '发送|发信|發送|發信|每日|每天|每小时|当天|单日|送信|1日|一日|発信|발송|전송|일일',
);
/** Limits of the recipient's mailbox or of the letter's size are not ours. */
const NOT_OURS = any(
  '\\bmailbox|\\binbox\\b|\\bstorage\\b|\\bdisk\\b|\\bspace\\b|\\btr(?:ied|ying) to (?:reach|contact)|\\breceiv|' +
    '\\bsize\\b|\\bbytes?\\b',
  "octets|\\b[mk]i?b\\b|\\blarge|recipient(?:'s)? (?:is|has|over|account|user)|\\bsessions?\\b|" +
    '\\bconnections?\\b|\\bhops?\\b',
  'ящик|размер|postfach|bo[iî]te|buz[oó]n|casella|邮箱空间|容量|サイズ|大小',
);
const QUOTA_NAMED = any(
  'submissionquotaexceeded|too much mail from|throttling failure|max(?:imum)? e-?mails per|max defers and failures',
  'limit of \\d+ (?:rcpts?|recipients?|messages?|e-?mails?|mails?) (?:per|in|/)|\\bmessaging limits?\\b|' +
    'maximum credits',
  '(?:daily|hourly|monthly) (?:\\w+ ){0,2}(?:quota|limit|allowance)|(?:sending|outgoing|outbound|submission|' +
    'relay) (?:quota|limit)\\b',
);

/** The sender's quota, whatever else is named. */
export const SENDING_QUOTA = any(
  "\\b(?:sending|send|outgoing|outbound|submission)(?: (?:mail|e-?mail|message|rate))?(?:'s)? (?:quota|" +
    'limit)s?\\b[^.]{0,60}(?:exceed|reach|hit|over|used|exhaust)',
  '(?:exceed|reach|hit|over|used|exhaust)[^.]{0,40}\\b(?:sending|send|outgoing|outbound|submission)(?: (?:mail|' +
    'e-?mail|message|rate))? (?:quota|limit)s?\\b',
  'sent too many (?:messages|e?mails|letters)',
);
/** Our own quota: what the sender may send in a time. */
export const QUOTA: Wording = {
  test: (words) => !NOT_OURS.test(words) && (QUOTA_NAMED.test(words) || QUOTA_BY_WORDS.test(words)),
};
const QUOTA_BY_WORDS = all(LIMIT, EXCEEDED, OURS);
/** Too high a rate, without a named limit; applied after the provider's own wordings. */
export const TOO_MUCH = any(
  'too (?:many|much)\\b[^.]{0,60}from the sender|unusual sending activity|\\bslow down\\b|(?:at most|' +
    'no more than|limited to|maximum of) \\d+ (?:messages?|e?mails?|letters?|recipients?|rcpts?)',
  'too (?:many|much)\\b[^.]{0,60}(?:today|hour|\\bday\\b|minute|from (?:you|this|your)|short (?:time|period))|' +
    'слишком много[^.]{0,40}(?:писем|сообщений)|zu viele (?:nachrichten|e-?mails)|trop de (?:messages|courriels|' +
    'mails)|demasiados (?:mensajes|correos)',
);

/** About the sender, in the answer to a recipient or later. */
export const SENDER_REFUSED = any(
  '(?:\\bsenders?\\b|\\bmail from\\b|return[- ]?path|envelope[- ]from|\\bfrom[- ](?:address|header|field|line|domain)|\\byour (?:e-?mail )?(?:address|domain|account|mailbox))' +
    '[^.]{0,80}(?:reject|refus|denied|not (?:be )?(?:allowed|accepted|permitted|authori[sz]ed|valid|owned|exist|' +
    "found|known|verified)|unknown|invalid|no such|n't exist|verif\\w* fail|could not be verified|" +
    "couldn't be verified|disabled|suspended|blocked|forbidden|unacceptable)",
  '(?:reject\\w*|refus\\w*|invalid|unknown|unverified|bad|unauthori[sz]ed|forbidden|illegal|block\\w*|deny|' +
    'denied|unacceptable|verify)[^.]{0,30}(?:\\bsender\\b|\\bmail from\\b|return[- ]?path|\\bfrom[- ]address|' +
    'envelope[- ]from)',
  'address(?:es)? (?:is |are )?not verified',
  '(?:адрес )?отправител[^.]{0,60}(?:отклон|запрещ|не (?:принят|найден|существ|разреш)|неизвест|недопуст|заблок)|' +
    'absender[^.]{0,60}(?:abgelehnt|unbekannt|ung[üu]ltig|nicht|gesperrt|verweigert)',
  'exp[ée]diteur[^.]{0,60}(?:refus|rejet|inconnu|invalide|interdit)|remitente[^.]{0,60}(?:rechaz|desconocid|' +
    'inv[áa]lid|no )|发件人[^.]{0,20}(?:拒绝|不存在|无效|被)|送信者[^.]{0,20}(?:拒否|不明|無効)',
);

export const MAILBOX_FULL = any(
  'mailbox[^.]{0,30}full|full mailbox|over ?quota|quota[^.]{0,30}(?:exceeded|full)|exceed\\w*[^.]{0,30}quota|' +
    'out of (?:storage|disk|space)',
  '(?:mailbox|user|recipient|account)[^.]{0,40}(?:exceeded|over)[^.]{0,20}(?:quota|storage|limit|size)|' +
    'mailbox size limit',
  'ящик[^.]{0,30}(?:переполнен|полон|заполнен)|переполнен[^.]{0,20}ящик|postfach[^.]{0,30}voll|' +
    'bo[iî]te[^.]{0,40}pleine|buz[oó]n[^.]{0,30}lleno|casella[^.]{0,30}piena',
  '邮箱(?:已)?满|邮箱容量|信箱已滿|容量不足|メールボックス[^.]{0,10}(?:満杯|いっぱい|容量)',
);

const WHO =
  '(?:users?|mailbox(?:es)?|recipients?|accounts?|addressees?|(?<!ip )address(?:es)?|customers?|subscribers?|alias|inbox|person|member)';
const GONE =
  "(?:unknown|not (?:be )?(?:found|known|valid|exist|exists|available|active|here|a (?:known|valid)|listed|registered|recogni[sz]ed|hosted|deliverable)|(?:do|does|did)(?:es)?(?:n't| not) (?:exist|have)|isn't (?:valid|a valid|here|active|available)|no longer|non-?existent|inexistent|invalid|disabled|deactivated|inactive|suspended|unavailable|undeliverable|unrouteable|unroutable|closed|deleted|removed|terminated|expired|discontinued|locked|no such|no mailbox)";
/** The recipient does not exist, or no longer. */
export const NO_SUCH_USER = any(
  `\\b${WHO}\\b[^.;]{0,50}?\\b${GONE}`,
  `\\b(?:no such|unknown|invalid|non-?existent|inactive|disabled|bad|nonexisting|unrouteable|undeliverable|not a (?:valid|known)|unable to find|cannot find|can't find|could not find)(?: (?:local|virtual|destination|recipient|e-?mail|mail|valid|known|such|or|the|this|a)){0,3} ${WHO}\\b(?! required| given| specified)`,
  `^no user\\b|(?:unknown|invalid) local[- ]part|user not local|@[^ <>]{1,255}>?:? (?:is |was |has been )?${GONE}`,
  'invalid (?:\\w+ ){0,3}user ?id\\b|no such (?:person|name|local|address|one)|no (?:mailbox|user|account|recipient) (?:here|by|with|named|found|' +
    "for|at|called)\\b|not our customer|nobody (?:here|by that name)|unknown to (?:us|me|this)|does(?:n't|" +
    ' not) have an? [^.]{0,40}(?:account|mailbox)',
  // Russian, Ukrainian
  '(?:пользовател|получател|адресат|абонент|клиент|ящик|адрес|акка?унт|учетн\\p{L}+ запис|учётн\\p{L}+ запис|' +
    'почтов\\p{L}+)[^.;]{0,50}(?:не (?:найден|существует|существу|зарегистрир|обслужив|доступ|обнаруж)|' +
    'не\\s?известен|неизвест|недоступ|отключ|заблокир|удал[её]н|закрыт|недействит|отсутств|неактив|приостанов)',
  'не существует так(?:ой|ого|их)|(?:нет|нету) так(?:ого|ой|их)|так(?:ого|ой) [^.;]{0,30}(?:нет|не существует|' +
    'не найден)|(?:неизвестн|несуществующ|недействительн|неверн|отключенн|' +
    'заблокированн)\\p{L}+ (?:\\p{L}+ )?(?:пользовател|получател|адресат|ящик|адрес|абонент|учетн|учётн|акка?унт)',
  '(?:користувач|отримувач|скриньк|адресат)\\p{L}*[^.;]{0,40}(?:не (?:знайден|існує)|невідом|вимкнен|заблок)|' +
    'немає так(?:ого|ої)',
  // German, Dutch, Swedish
  '(?:empf[äa]e?nger|benutzer|nutzer|postfach|mailbox|adresse|adressat|konto|teilnehmer|' +
    'kunde)[^.;]{0,50}(?:unbekannt|existiert nicht|nicht (?:gefunden|vorhanden|bekannt|verf[üu]e?gbar|erreichbar|' +
    'aktiv|existent|zustellbar)|gibt es nicht|deaktiviert|gesperrt|ung[üu]e?ltig|gel[öo]e?scht|inaktiv|stillgelegt|' +
    'abgeschaltet)',
  '(?:unbekannte|ung[üu]e?ltige|unzustellbare|nicht existierende|inaktive|' +
    'deaktivierte)[rsnm]? (?:\\p{L}+ )?(?:empf[äa]e?nger|benutzer|nutzer|postfach|adresse|konto|mailbox)|kein(?:e|' +
    'en|er)? (?:solche[rsnm]?|derartige[rsnm]?|g[üu]ltige[rsnm]?)? ?(?:benutzer|empf[äa]e?nger|postfach|konto|' +
    'mailbox|adresse)',
  '(?:gebruiker|ontvanger|postvak|postbus)[^.;]{0,40}(?:onbekend|bestaat niet|niet gevonden)|' +
    'onbekende (?:gebruiker|ontvanger)|ok[äa]nd (?:anv[äa]ndare|mottagare)|(?:anv[äa]ndaren|mottagaren|' +
    'brevl[åa]dan)[^.;]{0,30}(?:finns inte|saknas|ok[äa]nd)',
  // French, Spanish, Italian, Portuguese
  "(?:utilisateur|destinataire|bo[iî]te|adresse|compte|abonn[ée])[^.;]{0,60}(?:inconnu|inexistant|n'existe pas|" +
    "n'existe plus|n existe pas|introuvable|invalide|d[ée]sactiv|indisponible|suspendu|ferm[ée]|supprim|non trouv|" +
    "pas trouv|inactif|inactive)|(?:aucun|pas d)[e']? ?(?:utilisateur|destinataire|compte|bo[iî]te)|" +
    'inconnu [àa] cette adresse',
  '(?:usu[aá]rio|destinat[aá]rio|buz[oó]n|cuenta|direcci[oó]n|casilla|abonado|caixa|conta|' +
    'endere[çc]o)[^.;]{0,60}(?:desconocid|desconhecid|no existe|n[aã]o existe|inexistente|no (?:fue )?encontrad|' +
    'n[aã]o (?:foi )?encontrad|inv[aá]lid|deshabilitad|desactivad|desativad|desabilitad|suspendid|suspens|' +
    'no disponible|indispon[ií]vel|inactiv|inativ|cerrad|eliminad)|(?:no|n[aã]o) existe (?:el|la|ning[uú]n|o|a|' +
    'nenhum|este|ese|tal|esse)|desconocido (?:el )?(?:usuario|destinatario)',
  '(?:utente|destinatario|casella|indirizzo|account)[^.;]{0,50}(?:sconosciut|inesistente|non (?:esiste|trovat|' +
    'valid|attiv|disponibile)|disabilitat|sospes|disattivat)|nessun (?:utente|destinatario)',
  // Polish, Czech, Turkish
  '(?:u[żz]ytkownik|odbiorca|skrzynka|konto|adres)[^.;]{0,40}(?:nieznan|nie istnieje|nie znalezion|nieaktywn|' +
    'zablokowan|wy[łl][ąa]czon)|nieznany (?:u[żz]ytkownik|odbiorca)|nie ma takie(?:go|j)|' +
    'brak (?:takiego )?(?:u[żz]ytkownika|skrzynki|odbiorcy)',
  '(?:u[žz]ivatel|p[řr][ií]jemce|schr[áa]nka)[^.;]{0,40}(?:neexistuje|nenalezen|nezn[áa]m)|(?:kullan[ıi]c[ıi]|' +
    'al[ıi]c[ıi]|posta kutusu|hesap)[^.;]{0,30}(?:bulunamad|yok|bilinmiyor|mevcut de[ğg]il|ge[çc]ersiz|' +
    'devre d[ıi][şs])',
  // Chinese, Japanese, Korean
  '(?:用户|用戶|使用者|收件人|收件者|邮箱|郵箱|信箱|地址|帐号|账号|帐户|账户|帳號|帳戶)[^.;。]{0,12}(?:不存在|未找到|找不到|无效|無效|未知|停用|禁用|冻结|凍結|注销|註銷|锁定|' +
    '鎖定|不可用|已关闭|已關閉|已失效)|(?:无此|無此|查无此|查無此|没有此|沒有此|没有该|不存在(?:的|此|该)?|无效(?:的)?|無效(?:的)?|找不到|未知(?:的)?)(?:用户|用戶|使用者|' +
    '收件人|收件者|邮箱|郵箱|信箱|帐号|账号|帐户|账户|帳號|人)',
  '(?:ユーザー?|宛先|受信者|受取人|メールボックス|アドレス|アカウント)[^.;。]{0,20}(?:存在しま|存在し(?:な|て)|見つかりません|見つから|ありません|不明|無効|停止|使用でき|利用でき|' +
    '削除)|(?:存在しない|不明な|無効な|該当する)[^.;。]{0,10}(?:ユーザー?|宛先|受信者|メール|アドレス|アカウント)|そのような[^.;。]{0,10}(?:ユーザー?|宛先|アカウント)|' +
    'ユーザー?はいません|宛先不明|あて先不明',
  '(?:사용자|수신자|받는 사람|메일함|편지함|계정|주소)[^.;]{0,15}(?:없|존재하지|찾을 수|비활성|알 수|정지|잘못)|(?:알 수 없는|없는|존재하지 않는|잘못된) (?:사용자|수신자|' +
    '계정|주소|메일)',
);
