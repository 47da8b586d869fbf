import { parentPort } from 'node:worker_threads';

/** The components that letters use; each is a package of its own. */
const COMPONENTS = [
  'mjml-head',
  'mjml-head-attributes',
  'mjml-head-style',
  'mjml-head-title',
  'mjml-raw',
  'mjml-body',
  'mjml-section',
  'mjml-column',
  'mjml-text',
  'mjml-image',
  'mjml-button',
  'mjml-divider',
  'mjml-spacer',
];

/** A module's own default: Node gives that of a CommonJS module in another one. */
const defaultOf = (loaded: { default: unknown }): unknown => {
  const inner = loaded.default;
  return typeof inner === 'object' && inner !== null && 'default' in inner ? inner.default : inner;
};

async function load() {
  const core = await import('mjml-core');
  for (const name of COMPONENTS) core.registerComponent(defaultOf((await import(name)) as { default: unknown }));
  return defaultOf(core) as (typeof core)['default'];
}

const loading = load();

/**
 * Without the indentation of its source: outside of text, blanks only cost bytes. The expression begins at the first of
 * several blanks only: tried from each of them, a text of 250,000 blanks would take a minute.
 */
const compact = (html: string) => html.replace(/(?<![ \t])[ \t]*\n\s*/g, '\n').trim();

parentPort?.on('message', ({ id, mjml }: { id: number; mjml: object }) => {
  void loading
    .then((toHtml) => toHtml(mjml, { fonts: {}, keepComments: true, validationLevel: 'skip' }))
    .then(
      ({ html }) => parentPort?.postMessage({ id, html: compact(html) }),
      (error: unknown) => parentPort?.postMessage({ id, error: String(error) }),
    );
});
