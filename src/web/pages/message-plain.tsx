import { ALIGNS } from '../../domain/letter-document/limits';
import { isLink, isPictureSource } from '../../domain/letter-document/links';
import type { FormState } from '../answers';
import { Field } from '../components/form';
import { columnKinds, type PlainBlock, type PlainKind, plainKinds } from '../letter/plain-blocks';
import { useReader } from '../reader';

/** The letter without a script: each block a group of fields, with buttons that keep everything that is typed. */
export function PlainLetter({ form, blocks }: { form: FormState; blocks: PlainBlock[] }) {
  const { t } = useReader();
  return (
    <>
      <p class="hint">{t.letterEditor.plainHelp}</p>
      {blocks.map((block, i) => (
        <Block key={i} form={form} block={block} at={String(i)} kinds={plainKinds} count={blocks.length} />
      ))}
    </>
  );
}

interface BlockProps {
  form: FormState;
  block: PlainBlock;
  /** Where it stands: `2`, or `3.c1.0` in a column. */
  at: string;
  kinds: readonly PlainKind[];
  count: number;
}

function Block({ form, block, at, kinds, count }: BlockProps) {
  const { t } = useReader();
  const words = t.letterEditor;
  const { kind, columns } = block;
  const number = Number(at.split('.').at(-1)) + 1;
  return (
    <fieldset class="plain-block">
      <legend>{`${number}. ${usePlainName()(kind)}`}</legend>
      <input type="hidden" name={`b.${at}.kind`} value={kind} />
      <Fields form={form} block={block} at={at} />
      {columns.map((inner, column) => (
        <fieldset key={column} class="plain-block">
          <legend>{words.column(column + 1)}</legend>
          {inner.map((one, i) => (
            <Block
              key={i}
              form={form}
              block={one}
              at={`${at}.c${column}.${i}`}
              kinds={columnKinds}
              count={inner.length}
            />
          ))}
        </fieldset>
      ))}
      <Deeds at={at} kinds={kinds} isFirst={number === 1} isLast={number === count} isOnly={count === 1} />
    </fieldset>
  );
}

const usePlainName = () => {
  const { t } = useReader();
  const { blocks, columnsOf } = t.letterEditor;
  return (kind: PlainKind): string =>
    kind === 'two' || kind === 'three' ? columnsOf[kind] : kind === 'text' ? blocks.paragraph : blocks[kind];
};

interface DeedsProps {
  at: string;
  kinds: readonly PlainKind[];
  isFirst: boolean;
  isLast: boolean;
  isOnly: boolean;
}

function Deeds({ at, kinds, isFirst, isLast, isOnly }: DeedsProps) {
  const { t } = useReader();
  const { live, addAfter } = t.letterEditor;
  const nameOf = usePlainName();
  const deed = (name: string, text: string) => (
    <button class="btn btn-sm btn-secondary" name="then" value={`${name} ${at}`}>
      {text}
    </button>
  );
  return (
    <div class="actions">
      {!isFirst && deed('up', live.up)}
      {!isLast && deed('down', live.down)}
      {deed('copy', live.copy)}
      {!isOnly && deed('remove', live.remove)}
      <details>
        <summary class="btn btn-sm btn-secondary">{addAfter}</summary>
        <div class="actions">
          {kinds.map((kind) => (
            <button key={kind} class="btn btn-sm btn-secondary" name="then" value={`add ${at} ${kind}`}>
              {nameOf(kind)}
            </button>
          ))}
        </div>
      </details>
    </div>
  );
}

/** Which fields a kind has, in their order. */
const FIELDS: Record<PlainKind, readonly (keyof ReturnType<typeof useInputs>)[]> = {
  text: ['text', 'align'],
  heading: ['line', 'level', 'align'],
  picture: ['src', 'alt', 'width', 'align', 'href'],
  button: ['label', 'target', 'align'],
  two: [],
  three: [],
  divider: [],
  spacer: ['height'],
  social: ['links'],
  footer: ['text'],
};

function useInputs() {
  const { t } = useReader();
  const { live, plainText, plainLine, plainLinks, level } = t.letterEditor;
  const rows = { rows: 6 };
  return {
    text: { name: 'text', label: t.letterEditor.blocks.paragraph, hint: plainText, ...rows },
    line: { name: 'text', label: t.letterEditor.blocks.heading, hint: plainLine },
    label: { name: 'text', label: live.emptyButton },
    level: {
      name: 'level',
      label: live.kind,
      options: [1, 2, 3].map((n) => ({ value: String(n), text: level(n) })),
    },
    align: {
      name: 'align',
      label: live.align,
      options: ALIGNS.map((one) => ({ value: one, text: live.aligned[one] })),
    },
    src: { name: 'src', label: live.src },
    alt: { name: 'alt', label: live.alt },
    width: { name: 'width', label: live.width },
    href: { name: 'href', label: live.href },
    target: { name: 'href', label: live.hrefOf },
    height: { name: 'height', label: live.height },
    links: { name: 'links', label: t.letterEditor.blocks.social, hint: plainLinks, ...rows },
  };
}

/** The field of a block that is to be looked at, where the check has found fault with the block. */
function doubtful({ kind, fields }: PlainBlock): string {
  if (kind === 'picture') {
    if (!isPictureSource(fields.src ?? '')) return 'src';
    return fields.href && !isLink(fields.href) ? 'href' : 'width';
  }
  return kind === 'button' ? 'href' : kind === 'spacer' ? 'height' : kind === 'social' ? 'links' : 'text';
}

function problemsOf(form: FormState, block: PlainBlock, at: string): FormState['problems'] {
  const [from, to] = block.covers;
  for (let i = from; i < to && !at.includes('.'); i++) {
    const problem = form.problems[`document.doc.content.${i}`];
    if (problem) return { [`b.${at}.${doubtful(block)}`]: problem };
  }
  return {};
}

function Fields({ form, block, at }: Pick<BlockProps, 'form' | 'block' | 'at'>) {
  const inputs = useInputs();
  const state: FormState = {
    values: Object.fromEntries(Object.entries(block.fields).map(([name, value]) => [`b.${at}.${name}`, value])),
    problems: problemsOf(form, block, at),
  };
  return (
    <>
      {FIELDS[block.kind].map((id) => {
        const { name, ...about } = inputs[id];
        return (
          <Field key={id} form={state} required name={`b.${at}.${name}`} attributes={{ dir: 'auto' }} {...about} />
        );
      })}
    </>
  );
}
