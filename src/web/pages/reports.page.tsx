import {
  type DayRange,
  type Report,
  REPORT_ROWS,
  type ReportPeriod,
  reportSteps,
} from '../../features/statistics/reports.service';
import { Chart } from '../components/chart';
import { type Column, PageHead, Pick, Search, Table } from '../components/list';
import { EventNumbers } from '../components/states';
import { reasonText } from '../codes';
import type { Formats } from '../formats';
import { mailingTitle } from '../mailing-title';
import { useReader } from '../reader';
import { countsIn, eventsChart, periodsChart, REPORT_EVENTS as EVENTS } from '../report-charts';
import {
  type ChosenMailing,
  Files,
  Found,
  type FoundMailings,
  MailingFilter,
  Presets,
  useAsked,
} from './report-controls';

/** How many mailings stand on the one sheet that is printed. */
const PRINTED = 8;

export interface ReportsProps {
  report: Report;
  periods: Record<ReportPeriod, DayRange>;
  /** The mailing that the report is about. */
  mailing: ChosenMailing;
  found: FoundMailings | null;
}

const share = (n: number, of: number, format: Formats): string => (of > 0 ? format.percent(n / of) : '–');

export function ReportsPage({ report, periods, mailing, found }: ReportsProps) {
  const { t } = useReader();
  return (
    <div class="report">
      <PageHead title={t.reports.title}>
        <a class="btn btn-secondary" href="/deliverability">
          {t.deliverability.title}
        </a>
      </PageHead>
      <div id="csv" class="report-bar">
        <Presets report={report} periods={periods} mailing={mailing} />
        <Files mailing={mailing} />
      </div>
      <Search>
        <Pick
          name="by"
          label={t.reports.by}
          options={reportSteps.map((value) => ({ value, text: t.reports.steps[value] }))}
          chosen={report.by}
        />
        <MailingFilter mailing={mailing} />
        <label class="pick">
          <span>{t.list.from}</span>
          <input class="form-control" type="date" name="from" value={report.from} />
        </label>
        <label class="pick">
          <span>{t.list.to}</span>
          <input class="form-control" type="date" name="to" value={report.to} />
        </label>
      </Search>
      <Results report={report} mailing={mailing} found={found} />
    </div>
  );
}

function Results({ report, mailing, found }: Omit<ReportsProps, 'periods'>) {
  const { t, format } = useReader();
  const query = useAsked(mailing);
  const { total } = report;
  const all = total.sent + total.failed + total.unknown + total.skipped + total.cancelled;
  const isKnown = EVENTS.some((kind) => total[kind] > 0);
  const fileOf = (chart: string) => {
    const asked = new URLSearchParams(query);
    asked.set('chart', chart);
    return { path: '/reports/chart', query: `?${asked.toString()}` };
  };
  return (
    <div id="results">
      {found && <Found found={found} />}
      <p class="report-range">
        {t.reports.range(format.plainDay(report.from), format.plainDay(report.to))}
        {mailing && ` · ${mailing.name}`}
      </p>
      <Figures total={total} all={all} />
      {all === 0 && !isKnown ? (
        <p class="empty">{t.reports.empty}</p>
      ) : (
        <>
          <section class="card-box" aria-labelledby="periods">
            <h2 id="periods">{t.reports.overTime}</h2>
            <Chart id="periods-chart" {...periodsChart(report, { t, format })} file={fileOf('periods')} tall />
          </section>
          {isKnown && <After report={report} file={fileOf('after')} />}
          <ByMailing mailings={report.mailings} total={total} />
          <div class="two">
            <Top
              title={t.reports.reasons}
              rows={report.reasons.map((r) => ({ name: reasonText(r.reason, t), n: r.failed }))}
              of={total.failed}
            />
            <Top
              title={t.reports.domains}
              rows={report.domains.map((d) => ({ name: d.domain, n: d.failed }))}
              of={total.failed}
            />
          </div>
        </>
      )}
    </div>
  );
}

function Figures({ total, all }: { total: Report['total']; all: number }) {
  const { t, format } = useReader();
  return (
    <dl class="figures">
      {countsIn(total).map((name) => (
        <div class="figure" key={name}>
          <dt>{t.counts[name]}</dt>
          <dd>
            {format.number(total[name])}
            <span class="hint">{share(total[name], all, format)}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** What became known in each period, also about letters that were sent before. */
function After({ report, file }: { report: Report; file: { path: string; query: string } }) {
  const { t, format } = useReader();
  const { total } = report;
  return (
    <section class="card-box" aria-labelledby="after">
      <h2 id="after">{t.run.after}</h2>
      <dl class="figures">
        {EVENTS.map((kind) => (
          <div class="figure" key={kind}>
            <dt>{t.eventCount[kind]}</dt>
            <dd>
              {format.number(total[kind])}
              {total.sent > 0 && total[kind] <= total.sent && (
                <span class="hint">{t.reports.ofSent(share(total[kind], total.sent, format))}</span>
              )}
            </dd>
          </div>
        ))}
      </dl>
      <Chart id="after-chart" {...eventsChart(report, { t, format })} file={file} />
    </section>
  );
}

function ByMailing({ mailings, total }: Pick<Report, 'mailings' | 'total'>) {
  const { t, format } = useReader();
  const isKnown = mailings.some((mailing) => EVENTS.some((kind) => mailing[kind] > 0));
  const after: Column<Report['mailings'][number]> = {
    head: t.run.after,
    class: 'text-cell',
    cell: ({ bounced, complained, unsubscribed }) => <EventNumbers counts={{ bounced, complained, unsubscribed }} />,
  };
  return (
    <section aria-labelledby="by-mailing" class={`report-mailings${isKnown ? ' with-after' : ''}`}>
      <h2 id="by-mailing">{t.reports.byMailing}</h2>
      <Table
        caption={t.reports.byMailing}
        rows={mailings}
        columns={[
          {
            head: t.field.mailing,
            class: 'main-cell',
            cell: (mailing) => <a href={`/mailings/${mailing.id}`}>{mailingTitle(mailing, t)}</a>,
          },
          ...countsIn(total).map((name) => ({
            head: t.counts[name],
            class: 'num',
            cell: (mailing: Report['mailings'][number]) => format.number(mailing[name]),
          })),
          {
            head: t.reports.share,
            class: 'num',
            // Of all who were to get it: what was cut off is no success.
            cell: ({ sent, failed, unknown, cancelled }) => share(sent, sent + failed + unknown + cancelled, format),
          },
          ...(isKnown ? [after] : []),
        ]}
      />
      {mailings.length === REPORT_ROWS.mailings && <p class="hint">{t.reports.most(mailings.length)}</p>}
      {mailings.length > PRINTED && <p class="hint print-only">{t.reports.notPrinted(mailings.length - PRINTED)}</p>}
    </section>
  );
}

function Top({ title, rows, of }: { title: string; rows: { name: string; n: number }[]; of: number }) {
  const { t, format } = useReader();
  return (
    <section class="card-box report-top" aria-label={title}>
      <h2>{title}</h2>
      {rows.length === 0 ? (
        <p class="hint">{t.reports.noFailures}</p>
      ) : (
        <ul class="plain">
          {rows.map(({ name, n }) => (
            <li class="line" key={name}>
              <span>{name}</span>
              <span class="hint text-nowrap">
                {format.number(n)} · {share(n, of, format)}
              </span>
            </li>
          ))}
        </ul>
      )}
      {rows.length === REPORT_ROWS.top && <p class="hint">{t.reports.most(rows.length)}</p>}
    </section>
  );
}
