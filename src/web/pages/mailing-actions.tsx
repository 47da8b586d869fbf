import type { MailingView } from '../../features/mailings/mailings.service';
import { pausedWhenDone } from '../../features/mailings/restored';
import type { SendPreview } from '../../features/scheduling/send-now.service';
import { Confirm, PostForm } from '../components/form';
import { useReader } from '../reader';
import { refusal } from '../codes';
import { isBlocking, isOfLetters } from '../../domain/preflight';

/** What the viewer may do with a mailing, to show the buttons; the services check it again. */
export interface MayDo {
  change: boolean;
  pause: boolean;
  resume: boolean;
}

interface Props {
  mailing: MailingView;
  send: SendPreview;
  sender: string;
  may: MayDo;
}

/**
 * The buttons for the mailing's state; those that send or end something ask first, and say to how many and from whom.
 */
export function MailingActions({ mailing, send, sender, may }: Props) {
  const { t, now } = useReader();
  const at = `/mailings/${mailing.id}`;
  const { status } = mailing;
  const waiting = mailing.lastRun?.open ?? 0;
  const blocking = send.check.findings.filter(isBlocking);
  const refused = <p class="field-problem">{t.refusals.PREFLIGHT_BLOCKED}</p>;
  return (
    <>
      {may.pause && status === 'started' && (
        <Confirm id="pause" action={`${at}/pause`} text={t.mailings.pause} question={t.mailings.pauseQuestion}>
          <p>{t.mailings.pauseText(waiting, sender)}</p>
        </Confirm>
      )}
      {may.resume && (status === 'paused' || pausedWhenDone(mailing)) && (
        <Confirm
          id="resume"
          action={`${at}/resume`}
          text={t.mailings.resume}
          question={t.mailings.resumeQuestion}
          kind="btn-primary"
        >
          <p>{t.mailings.resumeText(waiting, send.check.eligible, sender)}</p>
          {blocking.some(isOfLetters) && refused}
        </Confirm>
      )}
      {may.change && (
        <>
          {status === 'created' && (
            <Confirm id="start" action={`${at}/start`} text={t.mailings.start} question={t.mailings.startQuestion}>
              <p>
                {mailing.startAt <= now
                  ? t.mailings.startsNow(send.check.eligible, sender)
                  : t.mailings.startsLater(send.check.eligible, sender)}
              </p>
              {blocking.length > 0 && refused}
            </Confirm>
          )}
          {(status === 'created' || status === 'started') && (
            <Confirm
              id="send"
              action={`${at}/send`}
              text={t.mailings.send}
              question={t.mailings.sendQuestion(send.recipients)}
              kind="btn-primary"
            >
              <p>{t.mailings.sendText(send.recipients, sender)}</p>
              {send.leftOut.map(({ count }) => (
                <p class="hint" key={count}>
                  {t.mailings.gotItAlready(count)}
                </p>
              ))}
              {send.refusal && <p class="field-problem">{refusal(send.refusal, t)}</p>}
            </Confirm>
          )}
          <More mailing={mailing} sender={sender} />
        </>
      )}
    </>
  );
}

/** Rare actions, behind one button. */
function More({ mailing, sender }: Pick<Props, 'mailing' | 'sender'>) {
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
