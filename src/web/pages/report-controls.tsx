import {
  type DayRange,
  type Report,
  type ReportPeriod,
  reportParts,
  reportPeriods,
} from '../../features/statistics/reports.service';
import { useReader } from '../reader';

/** What stands above a report: its time, its mailing, its files. */

/** Mailings that a search found, of which one is to be chosen. */
export interface FoundMailings {
  items: { id: number; name: string }[];
  more: boolean;
}

interface PresetsProps {
  report: Report;
  periods: Record<ReportPeriod, DayRange>;
  mailing: ChosenMailing;
}

export type ChosenMailing = { id: number; name: string } | null;

/** What the page was asked for; a mailing that was found by its name stands there by its number. */
export function useAsked(mailing: ChosenMailing): URLSearchParams {
  const asked = new URLSearchParams(useReader().query);
  if (!mailing) return asked;
  asked.delete('mailing');
  asked.set('mailingId', String(mailing.id));
  return asked;
}

/** This page with other parameters; what the list of them does not name stays. */
function useLink(mailing: ChosenMailing) {
  const asked = useAsked(mailing);
  return (change: Record<string, string | null>): string => {
    const next = new URLSearchParams(asked);
    for (const [name, value] of Object.entries(change))
      if (value === null) next.delete(name);
      else next.set(name, value);
    const text = next.toString();
    return text ? `/reports?${text}` : '/reports';
  };
}

/** The named ranges as links; other days are chosen in the form. */
export function Presets({ report, periods, mailing }: PresetsProps) {
  const { t, query } = useReader();
  const link = useLink(mailing);
  const rest = { from: null, to: null, by: null, mailing: null };
  const asked = query.get('period');
  const isShown = (name: ReportPeriod) => periods[name].from === report.from && periods[name].to === report.to;
  const shown = reportPeriods.find((name) => name === asked && isShown(name)) ?? reportPeriods.find(isShown);
  const byDefault = !asked && !query.get('from') && !query.get('to') && report.by === 'day';
  return (
    <nav class="presets" aria-label={t.reports.presets}>
      <a class="btn btn-secondary" href={link({ ...rest, period: null })} aria-current={byDefault ? 'true' : undefined}>
        {t.reports.lastDays}
      </a>
      {reportPeriods.map((name) => (
        <a
          class="btn btn-secondary"
          key={name}
          href={link({ ...rest, period: name })}
          aria-current={!byDefault && shown === name ? 'true' : undefined}
        >
          {t.reports.preset[name]}
        </a>
      ))}
    </nav>
  );
}

export function Files({ mailing }: { mailing: ChosenMailing }) {
  const { t } = useReader();
  const query = useAsked(mailing);
  const asked = query.size > 0 ? `?${query.toString()}` : '';
  return (
    <div class="actions">
      <button class="btn btn-secondary" type="button" data-print hidden>
        {t.reports.print}
      </button>
      <details class="more">
        <summary class="btn btn-secondary">{t.list.csv}</summary>
        <div class="more-menu">
          {reportParts.map((part) => (
            <a class="btn btn-quiet" key={part} href={`/reports/${part}.csv${asked}`} download>
              {t.reports.csv[part]}
            </a>
          ))}
        </div>
      </details>
    </div>
  );
}

/** One mailing is found by its name or subject, however many there are; once chosen it can be left again. */
export function MailingFilter({ mailing }: { mailing: ChosenMailing }) {
  const { t, query } = useReader();
  const link = useLink(mailing);
  if (mailing)
    return (
      <div class="pick">
        <span>{t.field.mailing}</span>
        <input type="hidden" name="mailingId" value={mailing.id} />
        <strong class="clip">{mailing.name}</strong>
        <a href={link({ mailingId: null, mailing: null })}>{t.reports.allMailings}</a>
      </div>
    );
  return (
    <label class="pick">
      <span>{t.reports.mailing}</span>
      <input class="form-control" type="search" name="mailing" value={query.get('mailing') ?? ''} maxlength={200} />
    </label>
  );
}

export function Found({ found: { items, more } }: { found: FoundMailings }) {
  const { t } = useReader();
  const link = useLink(null);
  if (items.length === 0) return <p class="hint report-found">{t.reports.noMailing}</p>;
  return (
    <div class="card-box report-found">
      <p>{more ? t.reports.whichFirst(items.length) : t.reports.which(items.length)}</p>
      <ul class="plain">
        {items.map(({ id, name }) => (
          <li key={id}>
            <a href={link({ mailing: null, mailingId: String(id) })}>{name}</a>
          </li>
        ))}
      </ul>
    </div>
  );
}
