import { subjectTitle } from '../../domain/subject-title';
import { type Report, reportSteps } from '../../features/statistics/reports.service';
import { Chart } from '../components/chart';
import { type Column, PageHead, Pick, Search, Table } from '../components/list';
import { EventNumbers } from '../components/states';
import { reasonText } from '../codes';
import type { Formats } from '../formats';
import { useReader } from '../reader';

const COUNTS = ['sent', 'failed', 'unknown', 'skipped'] as const;
const EVENTS = ['bounced', 'complained', 'unsubscribed'] as const;
const EVENT_COLOURS = { bounced: 'failed', complained: 'unknown', unsubscribed: 'skipped' } as const;

const share = (n: number, of: number, format: Formats): string => (of > 0 ? format.percent(n / of) : '–');

export function ReportsPage({ report, mailings }: { report: Report; mailings: { id: number; name: string }[] }) {
  const { t, format, query } = useReader();
  const { total, items } = report;
  const all = total.sent + total.failed + total.unknown + total.skipped;
  const isKnown = EVENTS.some((kind) => total[kind] > 0);
  const label = (start: string) => (report.by === 'month' ? format.month(start) : format.shortDay(start));
  const csv = new URLSearchParams(query);
  return (
    <>
      <PageHead title={t.reports.title}>
        <a id="csv" class="btn btn-secondary" href={`/reports/periods.csv?${csv.toString()}`} download>
          {t.list.csv}
        </a>
      </PageHead>
      <Search>
        <Pick
          name="by"
          label={t.reports.by}
          options={reportSteps.map((value) => ({ value, text: t.reports[value] }))}
        />
        <Pick
          name="mailingId"
          label={t.field.mailing}
          all={t.list.all}
          options={mailings.map(({ id, name }) => ({ value: String(id), text: name }))}
        />
        <label class="pick">
          <span>{t.list.from}</span>
          <input class="form-control" type="date" name="from" value={report.from} />
        </label>
        <label class="pick">
          <span>{t.list.to}</span>
          <input class="form-control" type="date" name="to" value={report.to} />
        </label>
      </Search>
      <div id="results">
        <Figures total={total} all={all} />
        {all === 0 && !isKnown ? (
          <p class="empty">{t.reports.empty}</p>
        ) : (
          <>
            <section class="card-box" aria-labelledby="periods">
              <h2 id="periods">{t.reports.overTime}</h2>
              <Chart
                title={t.reports.overTime}
                x={t.reports[report.by]}
                series={COUNTS.map((colour) => ({ name: t.counts[colour], colour }))}
                points={items.map((i) => ({ label: label(i.start), values: COUNTS.map((name) => i[name]) }))}
                tall
              />
            </section>
            {isKnown && <After report={report} label={label} />}
            <ByMailing mailings={report.mailings} />
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
    </>
  );
}

function Figures({ total, all }: { total: Report['total']; all: number }) {
  const { t, format } = useReader();
  return (
    <dl class="figures">
      {COUNTS.map((name) => (
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
function After({ report: { by, items, total }, label }: { report: Report; label: (start: string) => string }) {
  const { t, format } = useReader();
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
      <Chart
        title={t.run.after}
        x={t.reports[by]}
        series={EVENTS.map((kind) => ({ name: t.eventCount[kind], colour: EVENT_COLOURS[kind] }))}
        points={items.map((i) => ({ label: label(i.start), values: EVENTS.map((kind) => i[kind]) }))}
      />
    </section>
  );
}

function ByMailing({ mailings }: { mailings: Report['mailings'] }) {
  const { t, format } = useReader();
  const after: Column<Report['mailings'][number]> = {
    head: t.run.after,
    class: 'text-cell',
    cell: ({ bounced, complained, unsubscribed }) => <EventNumbers counts={{ bounced, complained, unsubscribed }} />,
  };
  return (
    <section aria-labelledby="by-mailing">
      <h2 id="by-mailing">{t.reports.byMailing}</h2>
      <Table
        caption={t.reports.byMailing}
        rows={mailings}
        columns={[
          {
            head: t.field.mailing,
            class: 'main-cell',
            cell: ({ id, name }) => <a href={`/mailings/${id}`}>{subjectTitle(name) || t.mailings.nameless(id)}</a>,
          },
          ...COUNTS.map((name) => ({
            head: t.counts[name],
            class: 'num',
            cell: (mailing: Report['mailings'][number]) => format.number(mailing[name]),
          })),
          {
            head: t.reports.share,
            class: 'num',
            cell: ({ sent, failed, unknown }) => share(sent, sent + failed + unknown, format),
          },
          ...(mailings.some((mailing) => EVENTS.some((kind) => mailing[kind] > 0)) ? [after] : []),
        ]}
      />
    </section>
  );
}

function Top({ title, rows, of }: { title: string; rows: { name: string; n: number }[]; of: number }) {
  const { t, format } = useReader();
  return (
    <section class="card-box" aria-label={title}>
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
    </section>
  );
}
