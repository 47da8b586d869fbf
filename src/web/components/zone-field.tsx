import { TIME_ZONES } from '../../domain/time-zone';
import type { FormState } from '../form-state';
import { useReader } from '../reader';
import { Field } from './form';

const LIST = 'time-zones';

/** A time zone, found by typing a part of its name; the browser suggests those that there are. */
export function ZoneField({ form }: { form: FormState }) {
  const { t } = useReader();
  return (
    <>
      <Field
        form={form}
        name="timeZone"
        label={t.field.timeZone}
        hint={t.shell.zoneHint}
        required
        autocomplete="off"
        attributes={{ list: LIST, spellcheck: 'false', autocapitalize: 'off' }}
      />
      <datalist id={LIST}>
        {TIME_ZONES.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  );
}
