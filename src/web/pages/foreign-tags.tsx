import { foreignTags } from '../../domain/foreign-tags';
import type { FormValues } from '../form-state';
import { readOf } from '../letter/letter-words';
import { useReader } from '../reader';

/** So many are said at once. */
const SAID = 5;

/**
 * The placeholders of other tools in a message, with what to write instead.
 * @param apart whether it comes with another part of the page, and replaces the one that is there
 */
export function ForeignTags({ values, apart = false }: { values: FormValues; apart?: boolean }) {
  const { t } = useReader();
  const found = [...new Map(foreignTags(readOf(values)).map((tag) => [tag.example, tag])).values()];
  return (
    <div id="foreign-tags" aria-live="polite" {...(apart && { 'hx-swap-oob': 'outerHTML' })}>
      {found.length > 0 && (
        <div class="alert alert-warning">
          <ul class="plain">
            {found.slice(0, SAID).map(({ example, meant }) => (
              <li key={example}>{t.letterEditor.foreign(example, meant)}</li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
