import { emailKey } from '../domain/email-address';
import { invalid, ValidationError } from '../domain/errors';
import { at, type CodedProblem, type FieldProblem, problem } from '../domain/problems';
import { PERIODS, upcoming } from '../domain/recurrence';
import { checkSchedule, parseLocal } from '../domain/schedule-input';
import { timeZoneMeant, wallClock } from '../domain/time-zone';
import { takes } from '../features/audiences/audiences';
import type { MailingInput } from '../features/mailings/mailing-input';
import type { MailingView } from '../features/mailings/mailings.service';
import type { Reader } from './reader';
import { type FormValues, oneOf, wholeNumber } from './web-controller';

const SHOWN_OCCURRENCES = 5;

/** More addresses than people paste should be imported from a file. */
const ADDRESSES_MAX = 5_000;

/**
 * The addresses in a pasted text, as keys to find clients; `Anna <anna@example.com>` is accepted. Anything else is
 * returned as it is.
 * @throws ValidationError if there are too many
 */
export function addressesIn(text: string): string[] {
  const words: string[] = [];
  for (const word of wordsWithAt(text)) {
    if (!/[^@]@[^@]/.test(word)) continue;
    // Before any is looked at closely, which takes its time.
    if (words.length === ADDRESSES_MAX)
      throw invalid('clientIds', problem('too_many', { max: ADDRESSES_MAX, what: 'addresses' }));
    words.push(word);
  }
  return [...new Set(words.map((word) => emailKey(word) ?? word))];
}

const SEPARATOR = /[\s,;<>"']/;

/** Found by their @, so that all other words of a long text cost next to nothing. */
function* wordsWithAt(text: string): Generator<string> {
  for (let from = 0, at: number; (at = text.indexOf('@', from)) >= 0;) {
    let start = at;
    while (start > from && !SEPARATOR.test(text[start - 1] ?? '')) start--;
    let end = at + 1;
    while (end < text.length && !SEPARATOR.test(text[end] ?? '')) end++;
    yield text.slice(start, end);
    from = end;
  }
}

const local = (at: Date, timeZone: string) => wallClock(at, timeZone).toString({ smallestUnit: 'minute' });

/** A mailing as its form shows it. */
export function valuesOf(m: MailingView): Record<string, string> {
  return {
    name: m.name,
    messageId: String(m.messageId ?? ''),
    audience: m.audience,
    segmentId: String(m.segmentId ?? ''),
    excludeSegmentId: String(m.excludeSegmentId ?? ''),
    period: m.period,
    timeZone: m.timeZone,
    onUnknown: m.onUnknown,
    kind: m.kind,
    transactionalReason: m.transactionalReason ?? '',
    language: m.language,
    startAt: local(m.startAt, m.timeZone),
    endAt: m.endAt ? local(m.endAt, m.timeZone) : '',
  };
}

/**
 * What a mailing's form says, but for the addresses.
 * @throws ValidationError for invalid times; the service checks everything else. An unchanged time keeps its seconds.
 */
export function mailingInput(form: FormValues, current?: MailingView): MailingInput {
  const errors: FieldProblem[] = [];
  const named = timeZoneMeant(form.timeZone ?? 'UTC');
  if (named === null) errors.push(...at('timeZone', problem('time_zone')));
  const timeZone = named ?? 'UTC';
  const time = (field: 'startAt' | 'endAt'): Date | null => {
    const text = form[field] ?? '';
    if (text === '' && field === 'endAt') return null;
    const before = current?.[field];
    if (before && timeZone === current.timeZone && local(before, timeZone) === text) return before;
    const parsed = parseLocal(text, timeZone);
    if (parsed instanceof Date) return parsed;
    errors.push(...at(field, parsed));
    return null;
  };
  const startAt = time('startAt');
  const endAt = time('endAt');
  const messageId = wholeNumber(form.messageId);
  if (!messageId) errors.push(...at('messageId', problem('message_wanted')));
  if (!startAt || !messageId || errors.length > 0) throw new ValidationError(errors);
  return {
    name: form.name ?? '',
    messageId,
    audience: form.audience ?? '',
    startAt,
    endAt,
    period: form.period ?? '',
    timeZone,
    onUnknown: form.onUnknown ?? 'resend',
    ...segmentsIn(form),
    ...consentIn(form),
  };
}

/** The choice of a segment stays in the form when another audience is chosen; it does not count then. */
function segmentsIn({ audience, segmentId, excludeSegmentId }: FormValues): Partial<MailingInput> {
  return {
    ...(takes(audience, 'segmentId') && { segmentId: wholeNumber(segmentId) ?? null }),
    ...(excludeSegmentId !== undefined && { excludeSegmentId: wholeNumber(excludeSegmentId) ?? null }),
  };
}

/** A page that was opened before the form had these fields changes none of them. */
function consentIn({ kind, transactionalReason, language }: FormValues): Partial<MailingInput> {
  return {
    ...(kind !== undefined && { kind }),
    ...(transactionalReason !== undefined && { transactionalReason }),
    ...(language !== undefined && { language }),
  };
}

/** The next times at which a mailing goes. */
export interface Occurrences {
  at: Date[];
  /** On whose wall clock they are the same. */
  timeZone: string;
  problem?: CodedProblem | undefined;
  warning?: CodedProblem | undefined;
}

/** When a mailing would go by the form's present values, and what is wrong with them. */
export function occurrencesOf(values: Record<string, string>, reader: Reader): Occurrences {
  const timeZone = timeZoneMeant(values.timeZone ?? 'UTC');
  if (timeZone === null) return { at: [], timeZone: reader.timeZone, problem: problem('time_zone') };
  const period = oneOf(PERIODS, values.period) ?? 'once';
  const startAt = parseLocal(values.startAt ?? '', timeZone);
  const endAt = values.endAt ? parseLocal(values.endAt, timeZone) : null;
  if (!(startAt instanceof Date)) return { at: [], timeZone, problem: startAt };
  if (endAt !== null && !(endAt instanceof Date)) return { at: [], timeZone, problem: endAt };
  const checked = checkSchedule({ startAt, endAt, period, timeZone });
  if (!checked.ok) return { at: [], timeZone, problem: checked.errors[0] };
  // If the start has passed, a run begins at once when the mailing is started.
  const late = startAt <= reader.now && (endAt === null || endAt > reader.now);
  const from = startAt <= reader.now ? reader.now : new Date(startAt.getTime() - 1);
  const next = upcoming(checked.schedule, from, SHOWN_OCCURRENCES).map(({ at }) => at);
  return {
    at: [...(late ? [reader.now] : []), ...next].slice(0, SHOWN_OCCURRENCES),
    timeZone,
    warning: checked.warnings[0],
  };
}
