/**
 * A mailing as people see it: one line from draft to sent, and the one thing to do next. The states behind it stay as
 * they are (`states.ts`); pages show stages, REST shows states.
 */
import { isLive } from './outcome';
import { decideFirstStart } from './schedule-decision';
import type { Schedule } from './recurrence';
import type { MailingStatus, RunStatus } from './states';

export const mailingStages = ['draft', 'scheduled', 'sending', 'onHold', 'sent', 'stopped'] as const;
export type MailingStage = (typeof mailingStages)[number];

/** The newest sending with those to whom it was repeated. */
export interface StageRun {
  status: RunStatus;
  paused: boolean;
  /** Somebody did not get it because it was stopped. */
  cutOff: boolean;
}

export interface StageFacts {
  status: MailingStatus;
  /** When it goes out next by its schedule. */
  nextRunAt: Date | null;
  /** Null if it was never sent; what was missed does not count. */
  run: StageRun | null;
}

/**
 * Every combination of facts has exactly one stage. `sent` means that the sending is over and was not stopped; letters may
 * have failed.
 */
export function stageOf({ status, nextRunAt, run }: StageFacts): MailingStage {
  if (status === 'created') return 'draft';
  if (status === 'paused') return 'onHold';
  if (run && isLive(run.status)) return run.paused ? 'onHold' : 'sending';
  if (status === 'started' && nextRunAt) return 'scheduled';
  return run && !run.cutOff ? 'sent' : 'stopped';
}

/**
 * The main button of the page; null if there is nothing to do, or if it is known that it would be refused. The services
 * check it again when it is pressed, and may refuse it all the same.
 */
export type NextStep =
  { verb: 'schedule'; firstAt: Date } | { verb: 'send' } | { verb: 'resume' } | { verb: 'resend' } | null;

export interface StepFacts {
  stage: MailingStage;
  status: MailingStatus;
  schedule: Schedule;
  now: Date;
  /** What would be refused now. */
  refused: { schedule: boolean; send: boolean; resume: boolean };
  /** Whether a letter could be sent again to somebody who failed; null if there are too many to look at each. */
  resendable: number | null;
}

export function nextStep({ stage, status, schedule, now, refused, resendable }: StepFacts): NextStep {
  switch (stage) {
    case 'draft': {
      const start = decideFirstStart({ schedule, now });
      if (start.done) return null;
      if (start.run) return refused.send ? null : { verb: 'send' };
      return refused.schedule || !start.nextRunAt ? null : { verb: 'schedule', firstAt: start.nextRunAt };
    }
    case 'onHold':
      // Of one that is done a run may be paused: it was under way in a backup that was restored.
      return refused.resume || !(status === 'paused' || status === 'done') ? null : { verb: 'resume' };
    case 'sent':
    case 'stopped':
      return resendable === 0 ? null : { verb: 'resend' };
    case 'scheduled':
    case 'sending':
      return null;
  }
}
