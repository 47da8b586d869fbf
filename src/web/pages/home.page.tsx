import { subjectTitle } from '../../domain/subject-title';
import type { AccountState } from '../../features/accounts/accounts.service';
import type { Outage } from '../../features/consent/batches.service';
import type { LiveRun, Overview, Present } from '../../features/statistics/statistics.service';
import type { Outcome } from '../../features/runs/outcomes.service';
import type { FirstSteps as FirstStepsOf } from '../../features/statistics/first-steps.service';
import { Chart } from '../components/chart';
import { FirstSteps } from '../components/first-steps';
import { Icon } from '../components/icon';
import { PageHead, Reply } from '../components/list';
import { OutcomeLine, Progress, StatusReason } from '../components/states';
import { reasonText } from '../codes';
import { mailingTitle } from '../mailing-title';
import { useReader } from '../reader';
import { daysChart } from '../report-charts';
import { SECOND_FACTOR } from './second-factor.page';
import { outageName } from './suppression-batches.page';

export interface HomeProps {
  overview: Overview;
  present: Present;
  /** What became of the people of the mailings that go out at present. */
  outcomes: Map<number, Outcome>;
  account: AccountState;
  /** Outages of mail servers that somebody has to decide about. */
  outages: Outage[];
}

/** `remind`: whether to suggest a second factor; `steps`: of somebody who has sent nothing yet. */
export function HomePage({ remind, steps, ...props }: HomeProps & { remind: boolean; steps: FirstStepsOf | null }) {
  const { t, format } = useReader();
  const { overview } = props;
  const any = overview.days.some((day) => day.sent + day.failed + day.unknown > 0);
  return (
    <>
      <PageHead title={t.home.title}>
        {!steps && (
          <a class="btn btn-primary" href="/mailings/new">
            <Icon name="plus" /> {t.mailings.new}
          </a>
        )}
      </PageHead>
      {remind && (
        <div class="alert alert-warning">
          <Icon name="warning" />
          <div>
            {t.secondFactor.remind} <a href={SECOND_FACTOR}>{t.secondFactor.remindLink}</a>
          </div>
        </div>
      )}
      {steps && <FirstSteps steps={steps} />}
      <HomeLive {...props} />
      {(any || !steps) && (
        <section class="card-box" aria-labelledby="days">
          <h2 id="days">{t.home.days}</h2>
          {any ? (
            <Chart id="days-chart" {...daysChart(overview, { t, format })} file={{ path: '/chart', query: '' }} />
          ) : (
            <p class="hint">{t.home.nothingSent}</p>
          )}
        </section>
      )}
    </>
  );
}

/** The part of the home page that refreshes itself. */
export function HomeLive({ overview, present, outcomes, account, outages }: HomeProps) {
  const every = present.live.length > 0 ? '2s' : '15s';
  const { ok, failed, unknown } = overview.attempts;
  // Who has nothing yet sees no row of zeros. The overview may be some seconds old; what is under way is not.
  const isBlank = overview.mailings + ok + failed + unknown + present.live.length + present.next.length === 0;
  return (
    <div id="home-live" data-live hx-get="/live" hx-trigger={`every ${every}, wake`} hx-swap="outerHTML">
      <Trouble present={present} account={account} outages={outages} />
      {!isBlank && <Numbers overview={overview} />}
      {!isBlank && <NowAndNext present={present} outcomes={outcomes} />}
    </div>
  );
}

function Numbers({ overview }: Pick<HomeProps, 'overview'>) {
  const { t, format } = useReader();
  const today = overview.days.at(-1) ?? { sent: 0, failed: 0 };
  const inMonth = (name: 'sent' | 'failed' | 'unsubscribed') => overview.days.reduce((sum, day) => sum + day[name], 0);
  const left = inMonth('unsubscribed');
  return (
    <dl class="figures">
      <Figure name={t.home.mailings} value={format.number(overview.mailings)} to="/mailings" />
      <Figure name={t.home.active} value={format.number(overview.activeMailings)} to="/mailings?status=started" />
      <Figure
        name={t.home.recipients}
        value={format.number(overview.uniqueRecipients)}
        {...(left > 0 && { hint: t.home.leftInMonth(format.number(left)) })}
        to="/clients"
      />
      <Figure
        name={t.home.sentToday}
        value={format.number(today.sent)}
        hint={t.home.inMonth(format.number(inMonth('sent')))}
      />
      <Figure
        name={t.home.failedToday}
        value={format.number(today.failed)}
        hint={t.home.inMonth(format.number(inMonth('failed')))}
        to={failedOn(overview.days.at(-1)?.day)}
      />
    </dl>
  );
}

function NowAndNext({ present, outcomes }: Pick<HomeProps, 'present' | 'outcomes'>) {
  const { t, format } = useReader();
  const shown = (run: LiveRun) => {
    const outcome = outcomes.get(run.mailingId);
    return outcome?.runId === run.runId ? outcome : run;
  };
  return (
    <div class="two">
      <section class="card-box" aria-labelledby="now">
        <h2 id="now">{t.home.now}</h2>
        {present.live.length === 0 ? (
          <p class="hint">{t.home.quiet}</p>
        ) : (
          <ul class="plain">
            {present.live.map((run) => (
              <li key={run.runId}>
                <div class="line">
                  <a class="clip" href={`/mailings/${run.mailingId}`}>
                    {mailingTitle({ id: run.mailingId, name: run.mailingName }, t)}
                  </a>
                  <span class="hint">
                    <OutcomeLine of={shown(run)} />
                  </span>
                </div>
                <Progress of={shown(run)} label={t.run.progressOf(subjectTitle(run.mailingName))} />
              </li>
            ))}
          </ul>
        )}
      </section>
      <section class="card-box" aria-labelledby="next">
        <h2 id="next">{t.home.next}</h2>
        {present.next.length === 0 ? (
          <p class="hint">{t.home.nothingScheduled}</p>
        ) : (
          <ul class="plain">
            {present.next.map((mailing) => (
              <li class="line" key={mailing.id}>
                <a class="clip" href={`/mailings/${mailing.id}`}>
                  {mailingTitle(mailing, t)}
                </a>
                <span class="hint">
                  {format.due(mailing.nextRunAt)}
                  {mailing.recipients !== null && ` · ${t.people(mailing.recipients)}`}
                </span>
              </li>
            ))}
          </ul>
        )}
      </section>
    </div>
  );
}

/** The list of the letters that failed for good on that day. */
const failedOn = (day: string | undefined): string =>
  `/attempts?${new URLSearchParams({ status: 'final', ...(day && { from: day, to: day }) }).toString()}`;

function Trouble({ present, account, outages }: Pick<HomeProps, 'present' | 'account' | 'outages'>) {
  const { t, format } = useReader();
  return (
    <>
      {present.restored && (
        <div class="alert alert-danger" role="status">
          <Icon name="warning" />
          <div>
            {t.home.restored(format.number(present.restored.mailings), format.time(present.restored.since))}{' '}
            <a href="/mailings?status=paused">{t.home.restoredLook}</a>
          </div>
        </div>
      )}
      {account.state !== 'open' && <AccountTrouble account={account} />}
      {present.liveWorkers === 0 && (
        <div class="alert alert-warning">
          <Icon name="warning" />
          <div>{t.home.noWorkers}</div>
        </div>
      )}
      {outages.map((outage) => (
        <div class="alert alert-warning" key={outage.id}>
          <Icon name="warning" />
          <div>
            {t.home.outage(outageName(outage, t), format.number(outage.refused))}{' '}
            <a href={`/suppressions/batches/${outage.id}`}>{t.home.outageDecide}</a>
          </div>
        </div>
      ))}
      {present.stopped.map((mailing) => (
        <div class="alert alert-warning" key={mailing.id}>
          <Icon name="warning" />
          <div>
            <a href={`/mailings/${mailing.id}`}>{mailingTitle(mailing, t)}</a>:{' '}
            <StatusReason code={mailing.code} text={mailing.text} since={mailing.since} />
          </div>
        </div>
      ))}
    </>
  );
}

export function AccountTrouble({ account }: { account: AccountState }) {
  const { t, format, user } = useReader();
  return (
    <div class={`alert ${account.state === 'parked' ? 'alert-danger' : 'alert-warning'}`} role="status">
      <Icon name="warning" />
      <div>
        <strong>{account.state === 'parked' ? t.account.parked : t.account.waiting}</strong>{' '}
        {account.reason && `${t.account.why(reasonText(account.reason, t))} `}
        {t.account.since(format.time(account.since))}
        {account.state === 'waiting' && account.retryAt && ` ${t.account.again(format.time(account.retryAt))}`}
        {account.detail && <Reply text={account.detail} />}
        {user?.role === 'admin' && <a href="/status">{t.account.look}</a>}
      </div>
    </div>
  );
}

function Figure({ name, value, hint, to }: { name: string; value: string; hint?: string; to?: string }) {
  return (
    <div class="figure">
      <dt>{to ? <a href={to}>{name}</a> : name}</dt>
      <dd>
        {value}
        {hint && <span class="hint">{hint}</span>}
      </dd>
    </div>
  );
}
