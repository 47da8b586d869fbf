import type { Finding } from '../../domain/preflight';
import type { Preflight } from '../../features/scheduling/preflight.service';
import { useReader } from '../reader';
import { Icon } from './icon';

/** The check before the start: what keeps the mailing from starting, and who gets nothing. */
export function PreflightBox({ check }: { check: Preflight }) {
  const { t, format } = useReader();
  const { findings, chosen, eligible, excluded } = check;
  const left = Object.entries(excluded) as [keyof Preflight['excluded'], number][];
  if (findings.length === 0 && left.length === 0) return null;
  const reasons = left.map(([reason, n]) => `${format.number(n)} ${t.reasons[reason]}`).join(', ');
  return (
    <div class={`alert ${findings.length > 0 ? 'alert-warning' : 'alert-info'}`}>
      <Icon name="warning" />
      <div>
        {findings.map((finding) => (
          <p key={finding.code}>
            {textOf(finding, t.preflight.findings)}{' '}
            {finding.code === 'POSTAL_ADDRESS_MISSING' && <a href="/sender">{t.preflight.toSender}</a>}
          </p>
        ))}
        {left.length > 0 && <p>{t.preflight.numbers(format.number(chosen), format.number(eligible), reasons)}</p>}
      </div>
    </div>
  );
}

const textOf = (
  { code, values }: Finding,
  texts: Record<Finding['code'], (values: Finding['values']) => string>,
): string => texts[code](values);
