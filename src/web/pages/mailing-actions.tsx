import type { NextStep } from '../../domain/mailing-stage';
import type { MailingView } from '../../features/mailings/mailings.service';
import { pausedWhenDone } from '../../features/mailings/restored';
import type { SendPreview } from '../../features/scheduling/send-now.service';
import { refusal } from '../codes';
import { Confirm, PostForm } from '../components/form';
import { Icon } from '../components/icon';
import { ResendFailed } from '../components/resend-failed';
import { useReader } from '../reader';
import { LEFT_OUT } from '../texts/line';

/** What the viewer may do with a mailing, to show the buttons; the services check it again. */
export interface MayDo {
  change: boolean;
  pause: boolean;
  resume: boolean;
}

export interface ActionProps {
  mailing: MailingView;
  step: NextStep;
  send: SendPreview;
  /** To how many of those who failed it would go again, and the run of which they are. */
  again: { runId: number; people: number | null } | null;
  sender: string;
  may: MayDo;
}

/**
 * The next step, if it can be done, and the other buttons for the mailing's state. What would be refused is no button:
 * the page says why. Those that send or end something ask first, and say to how many and from whom.
 */
export function MailingActions(props: ActionProps) {
  const { mailing, step, send, again, sender, may } = props;
  const { t } = useReader();
  const at = `/mailings/${mailing.id}`;
  const isOpen = mailing.status === 'created' || mailing.status === 'started';
  return (
    <>
      {may.resume && step?.verb === 'resume' && <Resume {...props} />}
      {may.change && step?.verb === 'resend' && again && <ResendFailed {...again} sender={sender} />}
      {may.pause && mailing.status === 'started' && (
        <Confirm id="pause" action={`${at}/pause`} text={t.mailings.pause} question={t.mailings.pauseQuestion}>
          <p>{t.mailings.pauseText(mailing.lastRun?.open ?? 0, sender)}</p>
        </Confirm>
      )}
      {may.change && isOpen && step?.verb !== 'send' && !send.refusal && send.recipients !== 0 && (
        <SendNow {...props} kind="btn-secondary" />
      )}
      {may.change && <More {...{ mailing, sender }} />}
    </>
  );
}

function Resume({ mailing, send, sender }: ActionProps) {
  const { t } = useReader();
  return (
    <Confirm
      id="resume"
      action={`/mailings/${mailing.id}/resume`}
      text={t.mailings.resume}
      question={t.mailings.resumeQuestion}
      kind="btn-primary"
    >
      <p>{t.mailings.resumeText(mailing.lastRun?.open ?? 0, send.check.eligible, sender)}</p>
    </Confirm>
  );
}

function SendNow({ mailing, send, sender, kind }: ActionProps & { kind: string }) {
  const { t, format } = useReader();
  const { nextRunAt } = mailing;
  return (
    <Confirm
      id="send"
      action={`/mailings/${mailing.id}/send`}
      text={t.mailings.send}
      question={t.mailings.sendQuestion(send.recipients)}
      kind={kind}
    >
      <p>{t.mailings.sendText(send.recipients, sender)}</p>
      <LeftOut of={send} />
      {mailing.status === 'started' && nextRunAt && <p>{t.line.later(format.due(nextRunAt))}</p>}
    </Confirm>
  );
}

/** Who gets nothing by a send now, because of the letter they have, wait for, or failed to get. */
function LeftOut({ of: { leftOut } }: { of: SendPreview }) {
  const { t } = useReader();
  const numbers = new Map<NonNullable<(typeof LEFT_OUT)[keyof typeof LEFT_OUT]>, number>();
  for (const { status, count } of leftOut) {
    const kind = LEFT_OUT[status];
    if (kind) numbers.set(kind, (numbers.get(kind) ?? 0) + count);
  }
  return (
    <>
      {[...numbers].map(([kind, n]) => (
        <p class="hint" key={kind}>
          {t.line.leftOut[kind](n)}
        </p>
      ))}
    </>
  );
}

/** Says of a draft that nobody gets it yet, with the button that changes that, or why it can't be done. */
export function DraftLine(props: ActionProps) {
  const { mailing, step, send, sender, may } = props;
  const { t, format } = useReader();
  const why = step ? null : (send.start ?? send.refusal);
  const firstAt = step?.verb === 'schedule' ? format.due(step.firstAt) : '';
  return (
    <div class="alert alert-warning stage-line">
      <Icon name="warning" />
      <div>
        <p>{t.line.draft}</p>
        {may.change && why && <p>{refusal(why, t)}</p>}
      </div>
      {may.change && step?.verb === 'schedule' && (
        <Confirm
          id="start"
          action={`/mailings/${mailing.id}/start`}
          text={t.line.schedule(firstAt)}
          question={t.line.scheduleQuestion}
          kind="btn-primary"
        >
          <p>{t.line.scheduleText(t.mailings.letters(send.check.eligible), sender, firstAt)}</p>
        </Confirm>
      )}
      {may.change && step?.verb === 'send' && <SendNow {...props} kind="btn-primary" />}
    </div>
  );
}

/** Rare actions, behind one button. */
function More({ mailing, sender }: Pick<ActionProps, 'mailing' | 'sender'>) {
  const { t } = useReader();
  const { status } = mailing;
  const at = `/mailings/${mailing.id}`;
  return (
    <details class="more">
      <summary class="btn btn-secondary">{t.form.more}</summary>
      <div class="more-menu">
        {status !== 'done' && (
          <a class="btn btn-quiet" href={`${at}/edit`}>
            {t.form.edit}
          </a>
        )}
        <PostForm action={`${at}/copy`}>
          <button class="btn btn-quiet">{t.form.copy}</button>
        </PostForm>
        {(status !== 'done' || pausedWhenDone(mailing)) && (
          <Confirm
            id="finish"
            action={`${at}/finish`}
            text={t.mailings.finish}
            question={t.mailings.finishQuestion}
            kind="btn-quiet danger"
          >
            <p>{t.mailings.finishText(mailing.lastRun?.open ?? 0, sender)}</p>
          </Confirm>
        )}
        <Confirm
          id="delete"
          action={`${at}/delete`}
          text={t.form.delete}
          question={t.mailings.deleteQuestion}
          kind="btn-quiet danger"
        >
          <p>{t.mailings.deleteText}</p>
        </Confirm>
      </div>
    </details>
  );
}
