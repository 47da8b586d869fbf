import { subjectTitle } from '../../domain/subject-title';
import type { Page } from '../../domain/paging';
import type { DeliveryView } from '../../features/runs/deliveries.service';
import type { MailingView } from '../../features/mailings/mailings.service';
import type { RunView } from '../../features/runs/runs.service';
import { LetterLink } from '../components/letter-link';
import { Facts } from '../components/facts';
import { Confirm, PostForm } from '../components/form';
import { ResendFailed } from '../components/resend-failed';
import { PageHead, Pick, Reply, Results, Search } from '../components/list';
import { DeliveryState, MessageId, RunChip } from '../components/states';
import { deliveryStatuses } from '../../domain/states';
import { deliveryEvents } from '../../domain/suppression';
import { reasonText } from '../codes';
import { mailingTitle } from '../mailing-title';
import { useReader } from '../reader';
import { type Pace, RunLive, timeOf } from './run-live';

interface Props {
  run: RunView;
  pace: Pace;
  mailing: MailingView | null;
  deliveries: Page<DeliveryView>;
  sender: string;
  mayChange: boolean;
  /** The deliveries of unknown outcome whose letter is not sent again: their clients have it by another run. */
  elsewhere: ReadonlySet<number>;
  /** How many people would get the letter again; null if they are too many to be counted. */
  again: number | null;
  /** To whom it went and who was left out, as it was when the run began, in words. */
  segments: { segment: Worded | null; exclude: Worded | null } | null;
}

interface Worded {
  name: string;
  words: string;
}

export function RunPage({ run, pace, mailing, deliveries, sender, mayChange, elsewhere, again, segments }: Props) {
  const { t, format, query } = useReader();
  const keep = Object.fromEntries([...query].filter(([name, value]) => /^(status|event)$/.test(name) && value));
  const name = mailing ? mailingTitle(mailing, t) : subjectTitle(run.subject);
  return (
    <>
      <PageHead
        title={format.due(timeOf(run))}
        back={{ to: mailing ? `/mailings/${mailing.id}` : '/mailings', text: name || t.mailings.title }}
        chip={<RunChip run={run} />}
      >
        {run.status !== 'missed' && (
          <a class="btn btn-secondary" href={`/runs/${run.id}/letter`}>
            {t.line.seeLetter}
          </a>
        )}
        <a class="btn btn-secondary" href={`/runs/${run.id}/deliveries.csv`} download>
          {t.list.csv}
        </a>
        {again !== 0 && <ResendFailed runId={run.id} people={again} sender={sender} />}
      </PageHead>
      <RunLive run={run} pace={pace} from={`/runs/${run.id}/live`} keep={keep} />
      {segments && <RunSegments {...segments} />}
      <Filters />
      <Results
        page={deliveries}
        caption={t.field.recipients}
        columns={[
          { head: t.field.email, class: 'main-cell', cell: (delivery) => <Recipient of={delivery} /> },
          {
            head: t.field.status,
            cell: ({ status, events, markedBy }) => (
              <>
                <DeliveryState status={status} events={events} />
                {markedBy !== null && <span class="hint d-block">{t.run.marked}</span>}
              </>
            ),
          },
          {
            head: t.field.response,
            class: 'response-cell',
            cell: (delivery) => (
              <>
                <LetterLink of={delivery} />
                {delivery.reason && <span class="d-block">{reasonText(delivery.reason, t)}</span>}
                {delivery.lastResponse && <Reply text={delivery.lastResponse} />}
                {delivery.nextAttemptAt && (
                  <span class="hint d-block">{t.run.nextTry(format.time(delivery.nextAttemptAt))}</span>
                )}
                <MessageId id={delivery.messageIdHeader} />
                {mayChange && delivery.status === 'unknown' && (
                  <Decide delivery={delivery} mayResend={!elsewhere.has(delivery.id)} />
                )}
              </>
            ),
          },
          {
            head: t.field.tries,
            class: 'num',
            cell: ({ id, attempts }) => <a href={`/attempts?deliveryId=${id}`}>{format.number(attempts)}</a>,
          },
          { head: t.field.time, class: 'muted text-nowrap', cell: ({ updatedAt }) => format.time(updatedAt) },
        ]}
      />
    </>
  );
}

function RunSegments({ segment, exclude }: NonNullable<Props['segments']>) {
  const { t } = useReader();
  const of = (label: string, { name, words }: Worded) =>
    [
      label,
      <>
        {name}
        <span class="hint d-block">{words}</span>
      </>,
    ] as const;
  return (
    <Facts
      of={[...(segment ? [of(t.segments.to, segment)] : []), ...(exclude ? [of(t.segments.leftOut, exclude)] : [])]}
    />
  );
}

function Filters() {
  const { t } = useReader();
  return (
    <Search label={t.run.search}>
      <Pick
        name="status"
        label={t.field.status}
        all={t.list.all}
        options={deliveryStatuses.map((value) => ({ value, text: t.deliveryStatus[value] }))}
      />
      <Pick
        name="event"
        label={t.run.after}
        all={t.list.all}
        options={deliveryEvents.map((value) => ({ value, text: t.deliveryEvent[value] }))}
      />
    </Search>
  );
}

function Recipient({ of: { clientId, email, fullName } }: { of: DeliveryView }) {
  return (
    <>
      {fullName === null ? email : <a href={`/clients/${clientId}`}>{email}</a>}
      {fullName && <span class="hint clip">{fullName}</span>}
    </>
  );
}

/** For a delivery whose reply was lost: buttons to send it again, after a question, or to mark it as sent. */
function Decide({ delivery, mayResend }: { delivery: DeliveryView; mayResend: boolean }) {
  const { t } = useReader();
  return (
    <div class="actions">
      {mayResend && (
        <Confirm
          id={`resend-${delivery.id}`}
          action={`/deliveries/${delivery.id}/resend`}
          text={t.run.resendOne}
          question={t.run.resendOneQuestion(delivery.email)}
          kind="btn-sm btn-secondary"
        >
          <p>{t.run.resendOneText}</p>
        </Confirm>
      )}
      <PostForm action={`/deliveries/${delivery.id}/mark-sent`}>
        <input type="hidden" name="runId" value={delivery.runId} />
        <button class="btn btn-sm btn-secondary">{t.run.markSent}</button>
      </PostForm>
    </div>
  );
}
