import type { ComponentChildren } from 'preact';
import { newFormKey } from '../form-key';
import type { FormState } from '../form-state';
import { useReader } from '../reader';
import { Field, FormProblem } from './form';

/** Its value `refused`: the file which the problem is about; those before it were taken. */
interface Props {
  action: string;
  form: FormState;
  label: string;
  hint: string;
  /** The kinds of files that browsers offer. */
  accept?: string;
  /** Whether one file is all that is taken. */
  single?: boolean;
  /** What the button says. */
  children: ComponentChildren;
}

/** A form with one or several files, whose token and key stand in the address: they are checked before files come in. */
export function FilesForm({ action, form, label, hint, accept, single = false, children }: Props) {
  const { t, csrfToken } = useReader();
  const { problems, values } = form;
  return (
    <form
      method="post"
      action={`${action}?_csrf=${encodeURIComponent(csrfToken)}&key=${newFormKey()}`}
      enctype="multipart/form-data"
      class="card-box narrow"
    >
      <FormProblem
        form={problems.file && values.refused ? { ...form, problem: t.media.refused(values.refused) } : form}
      />
      <Field
        form={form}
        name="file"
        label={label}
        hint={hint}
        type="file"
        required
        attributes={{ multiple: !single, ...(accept && { accept }) }}
      />
      <div class="actions">
        <button class="btn btn-primary">{children}</button>
      </div>
    </form>
  );
}
