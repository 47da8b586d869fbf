import { templateColumns } from '../../domain/client-columns';
import type { FieldDefinition } from '../../domain/client-fields';
import { NETWORKS } from '../../domain/letter-document/social';
import { TEMPLATE_VARIABLES } from '../../domain/template';
import type { FormState } from '../answers';
import { assetUrl } from '../assets';
import { plainBlocks } from '../letter/letter-form';
import { PlainLetter } from './message-plain';
import { useReader } from '../reader';
import type { Texts } from '../texts/texts';
import { Field } from '../components/form';

interface LetterEditorProps {
  form: FormState;
  /** What its owner's clients have beside what all have. */
  fields: readonly FieldDefinition[];
}

/** What a letter may say of its client, with words for each; `{{ name }}` in templates. */
export function variablesFor(fields: readonly FieldDefinition[], t: Texts): { name: string; about: string }[] {
  const own = templateColumns(fields).filter((column) => column.own);
  return [
    ...TEMPLATE_VARIABLES.map(({ name }) => ({ name, about: t.variable(name) })),
    ...own.map(({ key, label }) => ({ name: `client.${key}`, about: label })),
  ];
}

/**
 * The editor of letters in blocks (browser/letter-editor.ts), over a hidden field; without a script a form with the same
 * blocks. Its script and styles are loaded here alone.
 */
export function LetterEditor({ form, fields }: LetterEditorProps) {
  const { t, path } = useReader();
  const isPlain = form.values.plain === '1' || form.values.document === undefined;
  const texts = t.letterEditor;
  const words = {
    live: texts.live,
    blocks: texts.blocks,
    columnsOf: texts.columnsOf,
    levels: [1, 2, 3].map((n) => texts.level(n)),
    networks: NETWORKS,
    variables: variablesFor(fields, t),
  };
  return (
    <>
      <link rel="stylesheet" href={assetUrl('letter-editor.css')} />
      <Field
        form={form}
        name="preheader"
        label={texts.preheader}
        hint={texts.preheaderHint}
        attributes={{ 'data-line': true, dir: 'auto' }}
      />
      <input type="hidden" name="document" value={form.values.document ?? ''} />
      <p class="form-label" id="letter-label">
        {texts.letter}
      </p>
      <LetterProblems form={form} />
      {isPlain ? (
        <>
          <input type="hidden" name="plain" value="1" />
          <PlainLetter form={form} blocks={plainBlocks(form.values)} />
        </>
      ) : (
        <>
          <div class="letter-editor" data-letter-editor={JSON.stringify(words)}>
            <noscript>
              <PlainLetter form={form} blocks={plainBlocks(form.values)} />
            </noscript>
          </div>
          <p class="needs-script">
            <a class="btn btn-sm btn-quiet" href={`${path}${path.includes('?') ? '&' : '?'}plain=1`}>
              {texts.plain}
            </a>
          </p>
          <script type="module" src={assetUrl('letter-editor.js')}></script>
        </>
      )}
    </>
  );
}

/** What is wrong with the document; the form without a script says it at the block's field, too. */
function LetterProblems({ form }: { form: FormState }) {
  const { t } = useReader();
  const found = Object.entries(form.problems).filter(([name]) => name.startsWith('document'));
  if (found.length === 0) return null;
  return (
    <div class="alert alert-danger" role="group" aria-label={t.letterEditor.problemsOf}>
      <ul class="plain">
        {found.map(([name, problem]) => (
          <li key={name} data-at={name}>
            {problem}
          </li>
        ))}
      </ul>
    </div>
  );
}
