import type { Page } from '../../domain/paging';
import type { DeliveryView } from '../../features/deliveries/deliveries.service';
import type { MailingView } from '../../features/mailings/mailings.service';
import type { RunView } from '../../features/runs/runs.service';
import { Confirm, PostForm } from '../components/form';
import { Cell, Empty, PageHead, Pager, Pick, Reply, Row, Search, Table } from '../components/list';
import { DeliveryChip, RunChip } from '../components/states';
import { deliveryStatuses } from '../../domain/states';
import { reasonText } from '../codes';
import { useReader } from '../reader';
import { nameOf } from './mailings.page';
import { isGoing, type Pace, RunLive, timeOf } from './run-live';

interface Props {
  run: RunView;
  pace: Pace;
  mailing: MailingView | null;
  deliveries: Page<DeliveryView>;
  sender: string;
  mayChange: boolean;
}

export function RunPage({ run, pace, mailing, deliveries, sender, mayChange }: Props) {
  const { t, format, query } = useReader();
  const chosen = query.get('status');
  const again = run.counts.failed + run.counts.unknown;
  const name = mailing ? nameOf(mailing, t.mailings.nameless) : run.subject;
  return (
    <>
      <PageHead
        title={mailing ? format.timeIn(timeOf(run), mailing.timeZone) : format.time(timeOf(run))}
        back={{ to: mailing ? `/mailings/${mailing.id}` : '/mailings', text: name || t.mailings.title }}
        chip={<RunChip status={run.status} />}
      >
        <a class="btn btn-secondary" href={`/runs/${run.id}/deliveries.csv`} download>
          {t.list.csv}
        </a>
        {mayChange && !isGoing(run) && again > 0 && mailing && (
          <Confirm
            id="resend"
            action={`/runs/${run.id}/resend-failed`}
            text={t.run.resendFailed(format.number(again))}
            question={t.run.resendQuestion(again)}
            kind="btn-primary"
          >
            <p>{t.run.resendText(sender)}</p>
          </Confirm>
        )}
      </PageHead>
      <RunLive run={run} pace={pace} from={`/runs/${run.id}/live`} keep={chosen ? { status: chosen } : {}} />
      <Search label={t.run.search}>
        <Pick
          name="status"
          label={t.field.status}
          all={t.list.all}
          options={deliveryStatuses.map((value) => ({ value, text: t.deliveryStatus[value] }))}
        />
      </Search>
      <div id="results">
        {deliveries.items.length === 0 ? (
          <Empty text={t.list.nothingFound} />
        ) : (
          <Table
            caption={t.field.recipients}
            heads={[t.field.email, t.field.status, t.field.response, t.field.tries, t.field.time]}
          >
            {deliveries.items.map((delivery) => (
              <Row key={delivery.id}>
                <Cell label={t.field.email} class="main-cell">
                  {delivery.fullName === null ? (
                    delivery.email
                  ) : (
                    <a href={`/clients/${delivery.clientId}`}>{delivery.email}</a>
                  )}
                  {delivery.fullName && <span class="hint clip">{delivery.fullName}</span>}
                </Cell>
                <Cell label={t.field.status}>
                  <DeliveryChip status={delivery.status} />
                  {delivery.markedBy !== null && <span class="hint d-block">{t.run.marked}</span>}
                </Cell>
                <Cell label={t.field.response} class="response-cell">
                  {delivery.reason && <span class="d-block">{reasonText(delivery.reason, t)}</span>}
                  {delivery.lastResponse && <Reply text={delivery.lastResponse} />}
                  {delivery.nextAttemptAt && (
                    <span class="hint d-block">{t.run.nextTry(format.time(delivery.nextAttemptAt))}</span>
                  )}
                  {mayChange && delivery.status === 'unknown' && <Decide delivery={delivery} />}
                </Cell>
                <Cell label={t.field.tries} class="num">
                  <a href={`/attempts?deliveryId=${delivery.id}`}>{format.number(delivery.attempts)}</a>
                </Cell>
                <Cell label={t.field.time} class="muted text-nowrap">
                  {format.time(delivery.updatedAt)}
                </Cell>
              </Row>
            ))}
          </Table>
        )}
        <Pager nextCursor={deliveries.nextCursor} />
      </div>
    </>
  );
}

/** The reply was lost: somebody who knows decides. */
function Decide({ delivery }: { delivery: DeliveryView }) {
  const { t } = useReader();
  return (
    <div class="actions">
      <PostForm action={`/deliveries/${delivery.id}/resend`}>
        <input type="hidden" name="runId" value={delivery.runId} />
        <button class="btn btn-sm btn-secondary">{t.run.resendOne}</button>
      </PostForm>
      <PostForm action={`/deliveries/${delivery.id}/mark-sent`}>
        <input type="hidden" name="runId" value={delivery.runId} />
        <button class="btn btn-sm btn-secondary">{t.run.markSent}</button>
      </PostForm>
    </div>
  );
}
