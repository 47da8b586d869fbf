import { singleLineProblem } from '../../domain/email-address';
import { ValidationError } from '../../domain/errors';
import { at, type FieldProblem, problem } from '../../domain/problems';
import { checkSchedule } from '../../domain/schedule-input';
import type { Schedule } from '../../domain/recurrence';
import { unknownPolicies, type UnknownPolicy } from '../../domain/states';
import { type Audience, audiences, takes } from '../audiences/audiences';

/** A mailing as a caller gives it. */
export interface MailingInput {
  name?: string;
  messageId: number;
  audience: string;
  clientIds?: number[];
  startAt: string | Date;
  endAt?: string | Date | null;
  period: string;
  timeZone?: string;
  onUnknown?: string;
}

export interface CheckedMailing {
  name: string;
  messageId: number;
  audience: Audience;
  schedule: Schedule;
  onUnknown: UnknownPolicy;
  warnings: readonly FieldProblem[];
}

/** @throws ValidationError naming every field that is wrong */
export function checkMailing(input: MailingInput, defaultTimeZone: string): CheckedMailing {
  const name = (input.name ?? '').trim();
  const audience = audiences.find((a) => a === input.audience);
  const onUnknown = unknownPolicies.find((p) => p === (input.onUnknown ?? 'resend'));
  const checked = checkSchedule({
    startAt: input.startAt,
    endAt: input.endAt ?? null,
    period: input.period,
    timeZone: input.timeZone ?? defaultTimeZone,
  });
  const errors = [
    ...at('name', singleLineProblem(name, 200)),
    ...at('audience', audience ? null : problem('one_of', { options: audiences })),
    ...at(
      'clientIds',
      audience && input.clientIds?.length && !takes(audience, 'clientIds') ? problem('clients_of_all') : null,
    ),
    ...at('onUnknown', onUnknown ? null : problem('one_of', { options: unknownPolicies })),
    ...(checked.ok ? [] : checked.errors),
  ];
  if (errors.length > 0 || !checked.ok || !audience || !onUnknown) throw new ValidationError(errors);
  return {
    name,
    messageId: input.messageId,
    audience,
    schedule: checked.schedule,
    onUnknown,
    warnings: checked.warnings,
  };
}
