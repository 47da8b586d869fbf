import { REASON_OF } from './csv-suppressions';
import type { SuppressionReason } from './suppression';

/** What a cell says about a subscription. `unknown`: it says something, but in no word that is known. */
export type SaidStatus = { reason: SuppressionReason; detail: string } | 'gets_mail' | 'unknown' | null;

/** A name or word as it is compared: lower case, letters and digits only, without accents. */
export const folded = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase();

const fold = (words: string): string[] => words.split(' ').map(folded);
const table = (reasons: Partial<Record<SuppressionReason, string>>): Map<string, SuppressionReason> =>
  new Map(
    Object.entries(reasons).flatMap(([reason, words]) => fold(words).map((w) => [w, reason as SuppressionReason])),
  );

/** Beyond the words of lists of suppressed addresses: other languages, and people who never agreed. */
const WORDS = new Map([
  ...REASON_OF,
  ...table({
    // Mailchimp's `transactional`: bought something and never opted in. Letters about the purchase may go there, and a
    // sign-up lifts it, which holds for no other reason.
    unsubscribed:
      'transactional unsubscribes opted-out отписан отписана отписался отписалась отписано отписка abgemeldet abbestellt ' +
      'désabonné désinscrit desuscrito dado-de-baja baja cancelado',
    hard_bounce: 'hard недоставляемый недоступен returned undeliverable unzustellbar rebotado',
    complaint: 'abusecomplaint жалоба reported-as-spam plainte queja junk',
    manual:
      'banned disabled inactive archived do-not-contact dnc donotcontact do-not-mail заблокирован заблокирована ' +
      'gesperrt bloqué bloqueado pending unconfirmed not-confirmed nonsubscribed non-subscribed not-subscribed ' +
      'never-subscribed non-marketing nonmarketing non-marketing-contact awaiting-confirmation неподтверждён не-подтверждён неактивен',
    invalid: 'invalid-address неверный undeliverable-address',
  }),
]);

const GETS_MAIL = new Set(
  fold(
    'enabled subscribed active confirmed valid ok opted-in optin opt-in express implied express-permission ' +
      'implied-permission subscriber contact marketing marketing-contact подписан подписана подписался активен ' +
      'активна abonniert angemeldet bestätigt abonné inscrit suscrito activo soft softbounce ' +
      'softbounced deferred unspecified temporary-hold',
  ),
);

/** Columns that say yes or no, or when, to one reason. */
const YES_MEANS = new Map([
  ...WORDS,
  ...table({
    unsubscribed:
      'unsubscribed-at unsub-time unsubscribe-date unsubscribe-time unsubscribed-on opt-out-time optout-date ' +
      'email-opt-out has-opted-out-of-email unsubscribed-from-all-email email-unsubscribed global-unsubscribe ' +
      'opted-out-of-email дата-отписки email-opted-out confirmed-opt-out-date opt-out-date',
    hard_bounce:
      'clean-time bounced-at bounce-date hard-bounced-at email-bounced hard-bounces hard-bounced ' +
      'invalid-email-address',
    complaint: 'complained-at spam-reported marked-as-spam',
    manual: 'email-blacklisted email-blocklisted do-not-email do-not-contact blocked-at suppressed-at',
  }),
]);
/** Columns that say why something happened, in words of other programs: whatever they say, it happened. */
const WHY_MEANS = table({
  unsubscribed: 'unsubscribe-reason unsubscribed-reason unsubscription-reason opt-out-reason причина-отписки',
  hard_bounce:
    'email-hard-bounce-reason email-hard-bounce-reason-enum hs-email-hard-bounce-reason ' +
    'hs-email-hard-bounce-reason-enum hard-bounce-reason',
  complaint: 'complaint-reason spam-complaint-reason',
});
/** Columns in which no means that the address gets no mail. */
const NO_MEANS_UNSUBSCRIBED = new Set(
  fold(
    'subscribed is-subscribed opt-in optin email-opt-in opted-in email-subscribed подписан abonniert abonné suscrito',
  ),
);

const YES = new Set(fold('true yes y 1 on да ja oui si sí x t').concat('✓'));
const NO = new Set(fold('false no n 0 off нет nein non f never none null n/a'));

/** No time, and no number of times: `0000-00-00 00:00:00` is how MySQL writes that something never happened. */
const NEVER = /^(?=.*0)[0\s.,:/TZ+-]*$/;

/** Whether a column's name alone says that it is about the subscription, by yes and no or by a time. */
export const isStatusFlag = (header: string): boolean =>
  YES_MEANS.has(folded(header)) || WHY_MEANS.has(folded(header)) || NO_MEANS_UNSUBSCRIBED.has(folded(header));

/** What the value of a status column says; its header decides what yes, no and a time mean. */
export function readStatus(header: string, value: string): SaidStatus {
  const text = value.trim();
  if (text === '') return null;
  const word = text === '✓' ? text : NEVER.test(text) ? '0' : folded(text);
  const name = folded(header);
  const why = WHY_MEANS.get(name);
  // A dash is no reason either.
  if (why) return word === '' || NO.has(word) ? 'gets_mail' : { reason: why, detail: `${header.trim()}: ${text}` };
  const about = YES_MEANS.get(name);
  if (YES.has(word)) {
    if (NO_MEANS_UNSUBSCRIBED.has(name)) return 'gets_mail';
    return about ? { reason: about, detail: `${header.trim()}: ${text}` } : 'unknown';
  }
  if (NO.has(word)) {
    if (NO_MEANS_UNSUBSCRIBED.has(name)) return { reason: 'unsubscribed', detail: `${header.trim()}: ${text}` };
    return about ? 'gets_mail' : 'unknown';
  }
  // "unsubscribed (2024-05-01)", "Hard bounce: mailbox full"
  const known = WORDS.get(word) ?? WORDS.get(folded(/^[^(:,;]*/.exec(text)?.[0] ?? ''));
  if (known) return { reason: known, detail: text };
  if (GETS_MAIL.has(word)) return 'gets_mail';
  // A count, or when it happened.
  if (about && /\d/.test(text)) return { reason: about, detail: `${header.trim()}: ${text}` };
  if (NO_MEANS_UNSUBSCRIBED.has(name) && /\d/.test(text)) return 'gets_mail';
  return 'unknown';
}

/** Of several columns the strictest counts: one that excludes the address before one that does not. */
export function strictest(said: SaidStatus[]): SaidStatus {
  return (
    said.find((one) => one !== null && typeof one === 'object') ??
    said.find((one) => one === 'unknown') ??
    said.find((one) => one !== null) ??
    null
  );
}
