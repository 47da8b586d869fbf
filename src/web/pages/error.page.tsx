import type { Problem } from '../../http/problem.filter';
import { useReader } from '../reader';

export function ErrorPage({ problem }: { problem: Problem }) {
  const { t } = useReader();
  const known = t.refusals as Record<string, string>;
  const why = known[problem.code] ?? (problem.status === 409 || problem.status === 400 ? problem.detail : undefined);
  return (
    <div class="empty error-page">
      <p class="error-code" aria-hidden="true">
        {problem.status}
      </p>
      <h1>{t.errors.title(problem.status)}</h1>
      <p>{why ?? t.errors.text(problem.status)}</p>
      <p>
        <a class="btn btn-primary" href="/">
          {t.errors.home}
        </a>
      </p>
      {problem.requestId && <p class="hint">{t.errors.requestId(problem.requestId)}</p>}
    </div>
  );
}
