import { singleLineProblem } from '../../domain/email-address';
import { ValidationError } from '../../domain/errors';
import { at, type FieldProblem, problem } from '../../domain/problems';
import { checkSchedule } from '../../domain/schedule-input';
import type { Schedule } from '../../domain/recurrence';
import { unknownPolicies, type UnknownPolicy } from '../../domain/states';
import { languages, type Language } from '../../domain/language';
import { mailingKinds, type MailingKind } from '../../domain/suppression';
import { type Audience, audiences, takes } from '../audiences/audiences';

/** A mailing as a caller gives it. */
export interface MailingInput {
  name?: string;
  messageId: number;
  audience: string;
  clientIds?: number[];
  segmentId?: number | null;
  /** Null: nobody is left out. */
  excludeSegmentId?: number | null;
  startAt: string | Date;
  endAt?: string | Date | null;
  period: string;
  timeZone?: string;
  onUnknown?: string;
  kind?: string;
  transactionalReason?: string | null;
  language?: string;
}

export interface CheckedMailing {
  name: string;
  messageId: number;
  audience: Audience;
  segmentId: number | null;
  excludeSegmentId: number | null;
  schedule: Schedule;
  onUnknown: UnknownPolicy;
  kind: MailingKind;
  transactionalReason: string | null;
  language: Language;
  warnings: readonly FieldProblem[];
}

/** @throws ValidationError naming every field that is wrong */
export function checkMailing(input: MailingInput, defaults: { timeZone: string; language: Language }): CheckedMailing {
  const name = (input.name ?? '').trim();
  const audience = audiences.find((a) => a === input.audience);
  const onUnknown = unknownPolicies.find((p) => p === (input.onUnknown ?? 'resend'));
  const kind = mailingKinds.find((k) => k === (input.kind ?? 'marketing'));
  const why = (input.transactionalReason ?? '').trim();
  const language = languages.find((l) => l === (input.language ?? defaults.language));
  const checked = checkSchedule({
    startAt: input.startAt,
    endAt: input.endAt ?? null,
    period: input.period,
    timeZone: input.timeZone ?? defaults.timeZone,
  });
  const errors = [
    ...at('name', singleLineProblem(name, 200)),
    ...at('audience', audience ? null : problem('one_of', { options: audiences })),
    ...at(
      'clientIds',
      audience && input.clientIds?.length && !takes(audience, 'clientIds') ? problem('clients_of_all') : null,
    ),
    ...segmentProblems(audience, input),
    ...at('onUnknown', onUnknown ? null : problem('one_of', { options: unknownPolicies })),
    ...at('kind', kind ? null : problem('one_of', { options: mailingKinds })),
    ...at('transactionalReason', kind === 'transactional' ? reasonProblem(why) : null),
    ...at('language', language ? null : problem('one_of', { options: languages })),
    ...(checked.ok ? [] : checked.errors),
  ];
  if (errors.length > 0 || !checked.ok || !audience || !onUnknown || !kind || !language)
    throw new ValidationError(errors);
  return {
    name,
    messageId: input.messageId,
    audience,
    segmentId: takes(audience, 'segmentId') ? (input.segmentId ?? null) : null,
    excludeSegmentId: input.excludeSegmentId ?? null,
    schedule: checked.schedule,
    onUnknown,
    kind,
    transactionalReason: kind === 'transactional' ? why : null,
    language,
    warnings: checked.warnings,
  };
}

function segmentProblems(audience: Audience | undefined, { segmentId, excludeSegmentId }: MailingInput) {
  const needsOne = takes(audience, 'segmentId');
  return [
    ...at('segmentId', needsOne && !segmentId ? problem('required') : null),
    ...at('segmentId', audience && segmentId && !needsOne ? problem('segment_not_taken') : null),
    ...at('excludeSegmentId', segmentId && segmentId === excludeSegmentId ? problem('segment_left_out') : null),
  ];
}

const reasonProblem = (why: string) => (why === '' ? problem('required') : singleLineProblem(why, 500));
