import type { ToldFinding } from '../../domain/errors';
import { isBlocking } from '../../domain/preflight';
import type { FormState } from '../answers';
import { FormProblem } from '../components/form';
import { PageHead } from '../components/list';
import { type Anyway, AnywayForm, Findings, type LettersOf, mayGoAnyway } from '../components/preflight';
import { useReader } from '../reader';

export interface Blocked extends LettersOf {
  /** The page where it was asked for. */
  back: { to: string; text: string };
  /** The same once more, for a reason. */
  anyway: Anyway;
}

interface Props {
  findings: readonly ToldFinding[];
  blocked: Blocked;
  form: FormState;
}

/** Nothing went out: what the check found, where it is put right, and for managers and admins the way past it. */
export function BlockedPage({ findings, blocked, form }: Props) {
  const { t, user } = useReader();
  return (
    <>
      <PageHead title={t.preflight.blocked} back={blocked.back} />
      <div class="card-box">
        <FormProblem form={form} />
        <Findings findings={findings.filter(isBlocking)} of={blocked} />
        {mayGoAnyway(user?.role, findings) && <AnywayForm actions={[blocked.anyway]} form={form} />}
      </div>
    </>
  );
}
