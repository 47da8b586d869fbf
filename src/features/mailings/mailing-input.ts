import { singleLineProblem } from '../../domain/email-address';
import { type FieldError, ValidationError } from '../../domain/errors';
import { checkSchedule, type FieldWarning } from '../../domain/schedule-input';
import type { Schedule } from '../../domain/recurrence';
import { type Audience, audiences, unknownPolicies, type UnknownPolicy } from '../../domain/states';

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
  warnings: FieldWarning[];
}

/** @throws ValidationError naming every field that is wrong */
export function checkMailing(input: MailingInput, defaultTimeZone: string): CheckedMailing {
  const errors: FieldError[] = [];
  const name = (input.name ?? '').trim();
  const nameProblem = singleLineProblem(name, 200);
  if (nameProblem) errors.push({ field: 'name', message: nameProblem });
  const audience = audiences.find((a) => a === input.audience);
  if (!audience) errors.push({ field: 'audience', message: `must be one of ${audiences.join(', ')}` });
  if (audience === 'all' && input.clientIds?.length) {
    errors.push({ field: 'clientIds', message: "must be absent for the audience 'all'" });
  }
  const onUnknown = unknownPolicies.find((p) => p === (input.onUnknown ?? 'resend'));
  if (!onUnknown) errors.push({ field: 'onUnknown', message: `must be one of ${unknownPolicies.join(', ')}` });
  const checked = checkSchedule({
    startAt: input.startAt,
    endAt: input.endAt ?? null,
    period: input.period,
    timeZone: input.timeZone ?? defaultTimeZone,
  });
  if (!checked.ok) errors.push(...checked.errors);
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
