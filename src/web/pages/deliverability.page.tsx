import type { DeliverabilityLevel, MailProvider, ProviderCounts, ProviderRates } from '../../domain/mail-providers';
import type { Deliverability, ProviderRow } from '../../features/statistics/deliverability.service';
import { Chart } from '../components/chart';
import { type Column, Empty, PageHead, Pick, Search, Table } from '../components/list';
import { Chip } from '../components/states';
import type { Reader } from '../reader';
import { useReader } from '../reader';
import { providerAnswersChart, providerReturnsChart } from '../report-charts';

export const SPANS = [7, 30, 90] as const;

const NAMES: Record<Exclude<MailProvider, 'yandex' | 'other'>, string> = {
  google: 'Google (Gmail)',
  microsoft: 'Microsoft (Outlook)',
  yahoo: 'Yahoo',
  apple: 'Apple (iCloud)',
  mailru: 'Mail.ru',
  gmx: 'GMX, WEB.DE',
};
const nameOf = (provider: MailProvider, t: Reader['t']): string =>
  provider === 'yandex' || provider === 'other' ? t.deliverability.named[provider] : NAMES[provider];

interface Props {
  report: Deliverability;
  days: number;
  /** Whom a manager may choose; empty for others. */
  owners: { id: number; email: string }[];
}

/** How letters fare at the providers of mailboxes. */
export function DeliverabilityPage({ report, days, owners }: Props) {
  const { t, format, query } = useReader();
  const { total, countedUntil } = report;
  const link = (change: Record<string, string>) => {
    const next = new URLSearchParams({ ...Object.fromEntries(query), ...change });
    return next.toString();
  };
  const isEmpty = report.providers.length === 0;
  return (
    <div class="report">
      <PageHead title={t.deliverability.title} back={{ to: '/reports', text: t.reports.title }} />
      <p>{t.deliverability.about}</p>
      <div class="report-bar">
        <nav class="presets" aria-label={t.deliverability.presets}>
          {SPANS.map((span) => (
            <a
              class="btn btn-secondary"
              key={span}
              href={`/deliverability?${link({ days: String(span) })}`}
              aria-current={span === days ? 'true' : undefined}
            >
              {t.deliverability.lastDays(span)}
            </a>
          ))}
        </nav>
        <div class="actions">
          <button class="btn btn-secondary" type="button" data-print hidden>
            {t.reports.print}
          </button>
          <a class="btn btn-secondary" href={`/deliverability/providers.csv?${link({})}`} download>
            {t.list.csv}
          </a>
        </div>
      </div>
      {owners.length > 1 && (
        <Search>
          <input type="hidden" name="days" value={days} />
          <Pick
            name="ownerId"
            label={t.deliverability.owner}
            all={t.list.all}
            options={owners.map(({ id, email }) => ({ value: String(id), text: email }))}
          />
        </Search>
      )}
      <div id="results">
        <p class="report-range">{t.reports.range(format.plainDay(report.from), format.plainDay(report.to))}</p>
        <p class="hint">
          {countedUntil ? t.deliverability.counted(format.time(countedUntil)) : t.deliverability.notCounted}
          {report.waitingDomains > 0 && ` ${t.deliverability.waiting(report.waitingDomains)}`}
        </p>
        {isEmpty ? (
          <Empty text={t.deliverability.empty} />
        ) : (
          <>
            <Warnings providers={report.providers} />
            <Figures total={total} />
            <ByProvider providers={report.providers} />
            <section class="card-box" aria-labelledby="answers">
              <h2 id="answers">{t.deliverability.byDay}</h2>
              <Chart id="answers-chart" {...providerAnswersChart(report, { t, format })} />
            </section>
            {total.bounced + total.softBounced + total.complained > 0 && (
              <section class="card-box" aria-labelledby="returns">
                <h2 id="returns">{t.deliverability.afterByDay}</h2>
                <Chart id="returns-chart" {...providerReturnsChart(report, { t, format })} />
              </section>
            )}
            <p class="hint">{t.deliverability.notes}</p>
          </>
        )}
      </div>
    </div>
  );
}

/** What is too high, and what to do about it: in words, the worst first. */
function Warnings({ providers }: { providers: ProviderRow[] }) {
  const { t, format } = useReader();
  const said = providers.flatMap((row) => {
    const name = nameOf(row.provider, t);
    const texts: { level: DeliverabilityLevel; text: string }[] = [
      {
        level: row.complaintLevel,
        text: t.deliverability[row.complaintLevel === 'bad' ? 'complaintsBad' : 'complaintsWatch'](
          name,
          format.rate(row.complaintRate ?? 0),
        ),
      },
      { level: row.bounceLevel, text: t.deliverability.bouncesWatch(name, format.rate(row.bounceRate ?? 0)) },
      { level: row.refusedLevel, text: t.deliverability.refusedWatch(name, format.rate(row.refusedRate ?? 0)) },
    ];
    return texts.filter(({ level }) => level !== 'good');
  });
  if (said.length === 0) return null;
  const worst = said.some(({ level }) => level === 'bad') ? 'alert-danger' : 'alert-warning';
  return (
    <section class={`alert mt-3 ${worst}`} aria-labelledby="to-do">
      <div>
        <h2 id="to-do">{t.deliverability.toDo}</h2>
        <ul>
          {(['bad', 'watch'] as const).flatMap((level) =>
            said
              .filter((each) => each.level === level)
              .map(({ text }) => (
                <li key={text}>
                  <Level of={level} /> {text}
                </li>
              )),
          )}
        </ul>
      </div>
    </section>
  );
}

function Level({ of }: { of: DeliverabilityLevel }) {
  const { t } = useReader();
  return of === 'good' ? null : <Chip tone={of === 'bad' ? 'bad' : 'warn'}>{t.deliverability.level[of]}</Chip>;
}

/** The counts that have a share, and how bad it is. */
const RATED = {
  refused: ['refusedRate', 'refusedLevel'],
  bounced: ['bounceRate', 'bounceLevel'],
  complained: ['complaintRate', 'complaintLevel'],
} as const;

function Rated({ of, name }: { of: ProviderCounts & ProviderRates; name: keyof typeof RATED }) {
  const { format } = useReader();
  const [rate, level] = RATED[name];
  return (
    <div>
      {format.number(of[name])} {of[rate] !== null && <span class="hint">{format.rate(of[rate])}</span>}
      <div>
        <Level of={of[level]} />
      </div>
    </div>
  );
}

function Figures({ total }: Pick<Deliverability, 'total'>) {
  const { t, format } = useReader();
  return (
    <dl class="figures">
      <div class="figure">
        <dt>{t.deliverability.counts.sent}</dt>
        <dd>{format.number(total.sent)}</dd>
      </div>
      {(['refused', 'bounced', 'complained'] as const).map((name) => (
        <div class="figure" key={name}>
          <dt>{t.deliverability.counts[name]}</dt>
          <dd>
            <Rated of={total} name={name} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function ByProvider({ providers }: Pick<Deliverability, 'providers'>) {
  const { t, format } = useReader();
  return (
    <section aria-labelledby="by-provider">
      <h2 id="by-provider">{t.deliverability.byProvider}</h2>
      <Table caption={t.deliverability.byProvider} rows={providers} columns={columnsOf({ t, format })} />
      {providers.some(({ tellsComplaints }) => !tellsComplaints) && <p class="hint">{t.deliverability.google}</p>}
    </section>
  );
}

function columnsOf({ t, format }: Pick<Reader, 't' | 'format'>): Column<ProviderRow>[] {
  const head = t.deliverability.counts;
  const plain = (name: 'sent' | 'deferred' | 'softBounced'): Column<ProviderRow> => ({
    head: head[name],
    class: 'num',
    cell: (row) => format.number(row[name]),
    isZero: (row) => name !== 'sent' && row[name] === 0,
  });
  const rated = (name: 'refused' | 'bounced'): Column<ProviderRow> => ({
    head: head[name],
    class: 'num',
    cell: (row) => <Rated of={row} name={name} />,
  });
  return [
    { head: t.deliverability.provider, class: 'main-cell', cell: (row) => nameOf(row.provider, t) },
    plain('sent'),
    rated('refused'),
    plain('deferred'),
    rated('bounced'),
    plain('softBounced'),
    {
      head: head.complained,
      class: 'num',
      cell: (row) =>
        row.tellsComplaints || row.complained > 0 ? (
          <Rated of={row} name="complained" />
        ) : (
          <span class="hint">{t.deliverability.notTold}</span>
        ),
    },
  ];
}
