import { worded } from '../../domain/problems';
import type { Problem } from '../../http/problem.filter';
import { refusal } from '../codes';
import { useReader } from '../reader';

export function ErrorPage({ problem }: { problem: Problem }) {
  const { t } = useReader();
  const message = problem.status === 409 ? problem.detail : t.errors.text(problem.status);
  const wrong = problem.errors?.map((error) => worded(t.problems, error)).join(' ');
  return (
    <div class="empty error-page">
      <p class="error-code" aria-hidden="true">
        {problem.status}
      </p>
      <h1>{t.errors.title(problem.status)}</h1>
      <p>{wrong ?? refusal({ code: problem.code, message }, t)}</p>
      <p>
        <a class="btn btn-primary" href="/">
          {t.errors.home}
        </a>
      </p>
      {problem.requestId && <p class="hint">{t.errors.requestId(problem.requestId)}</p>}
    </div>
  );
}
