import * as fc from 'fast-check';

/** Documents of blocks for tests: by hand, and at random. */
export type Json = Record<string, unknown>;

export const words = (text: string, ...marks: Json[]): Json => ({
  type: 'text',
  text,
  ...(marks.length > 0 && { marks }),
});
export const variable = (name: string, fallback = ''): Json => ({ type: 'variable', attrs: { name, fallback } });
export const linkTo = (href: string): Json => ({ type: 'link', attrs: { href } });

export const block = (type: string, content?: (Json | string)[], attrs?: Json): Json => ({
  type,
  ...(attrs && { attrs }),
  ...(content && { content: content.map((child) => (typeof child === 'string' ? words(child) : child)) }),
});

export const paragraph = (...content: (Json | string)[]): Json => block('paragraph', content);
export const heading = (level: number, ...content: (Json | string)[]): Json => block('heading', content, { level });
export const button = (text: string, href: string): Json => block('button', [text], { href });
export const picture = (attrs: Json = {}): Json =>
  block('picture', undefined, { src: 'https://example.org/p.png', alt: 'A picture', ...attrs });
export const list = (type: 'bullet_list' | 'ordered_list', ...items: Json[][]): Json =>
  block(
    type,
    items.map((item) => block('list_item', item)),
  );
export const columns = (...each: Json[][]): Json =>
  block(
    'columns',
    each.map((content) => block('column', content)),
  );

export const documentOf = (...blocks: Json[]) => ({
  version: 1,
  preheader: 'In short: {{ client.fullName | default: "you" }}',
  doc: { type: 'doc', content: blocks },
});

const linkUrls = fc.constantFrom('https://example.org/a?b=c&d=1', 'mailto:ann@example.org', '{{ unsubscribeUrl }}');
const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
);
const marks = fc.subarray([{ type: 'strong' }, { type: 'em' }, linkTo('https://example.org/')] as Json[]);
const inline = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant('text'), text, marks }) },
    fc.constant({ type: 'hard_break' }),
    fc
      .record({ name: fc.constantFrom('client.fullName', 'date'), fallback: text })
      .map((attrs) => ({ type: 'variable', attrs })),
  ),
  { maxLength: 6 },
) as fc.Arbitrary<Json[]>;
const align = fc.constantFrom('start', 'center', 'end');
const paragraphs = fc.tuple(inline, align).map(([content, to]) => block('paragraph', content, { align: to }));
const lists = fc
  .tuple(
    fc.constantFrom('bullet_list' as const, 'ordered_list' as const),
    fc.array(fc.array(paragraphs, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 3 }),
  )
  .map(([type, items]) => list(type, ...items));
const small = fc.oneof(
  paragraphs,
  fc
    .tuple(inline, fc.constantFrom(1, 2, 3), align)
    .map(([content, level, to]) => block('heading', content, { level, align: to })),
  lists,
  fc
    .tuple(text, fc.integer({ min: 10, max: 100 }), align, fc.option(linkUrls))
    .map(([alt, width, to, href]) => picture({ alt, width, align: to, href })),
  fc.tuple(text, linkUrls, align).map(([label, href, to]) => block('button', [`x${label}`], { href, align: to })),
  fc.constant(block('divider')),
  fc.integer({ min: 8, max: 120 }).map((height) => block('spacer', undefined, { height })),
);

/** Any document that may be saved. */
export const anyDocument = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: small },
      fc.array(paragraphs, { minLength: 1, maxLength: 3 }).map((content) => block('blockquote', content)),
      fc.array(paragraphs, { minLength: 1, maxLength: 3 }).map((content) => block('footer', content)),
      fc
        .array(fc.array(small, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 3 })
        .map((each) => columns(...each)),
      fc
        .array(fc.record({ network: fc.constantFrom('facebook', 'vk', 'website'), url: linkUrls }), { maxLength: 4 })
        .map((links) => block('social', undefined, { links })),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((blocks) => documentOf(...blocks));

/** One of each kind. */
export const EVERYTHING = documentOf(
  heading(1, 'Hello ', variable('client.fullName', 'friend')),
  paragraph(
    'Plain, ',
    words('bold', { type: 'strong' }),
    words(' italic', { type: 'em' }),
    words(' linked', linkTo('https://example.org/x')),
    { type: 'hard_break' },
    'and on.',
  ),
  list('bullet_list', [paragraph('one'), list('ordered_list', [paragraph('inner')])], [paragraph('two')]),
  list('ordered_list', [paragraph('first')], [paragraph('second'), paragraph('more')]),
  block('blockquote', [paragraph('Quoted')]),
  picture({ width: 50, href: 'https://example.org/?to={{ client.email }}' }),
  button('Go there', 'https://example.org/go'),
  block('divider'),
  block('spacer', undefined, { height: 24 }),
  columns([picture(), heading(3, 'Left')], [paragraph('Right'), button('More', 'https://example.org/')]),
  columns([paragraph('1')], [paragraph('2')], [paragraph('3')]),
  paragraph('שלום'),
  block('social', undefined, {
    links: [
      { network: 'vk', url: 'https://vk.com/x' },
      { network: 'x', url: 'https://x.com/y' },
    ],
  }),
  block('footer', [paragraph('Small print')]),
);
