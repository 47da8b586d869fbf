/** A document's nodes as JSON, for starters that are written down here. */
export type Json = Record<string, unknown>;
type Inline = Json | string;

const node = (type: string, content: Inline[] | null, attrs?: Json): Json => ({
  type,
  ...(attrs && { attrs }),
  ...(content && { content: content.map((each) => (typeof each === 'string' ? { type: 'text', text: each } : each)) }),
});

export const bold = (text: string): Json => ({ type: 'text', text, marks: [{ type: 'strong' }] });
export const name = (fallback: string): Json => node('variable', null, { name: 'client.fullName', fallback });
export const sender: Json = node('variable', null, { name: 'sender.name', fallback: '' });
export const newLine: Json = node('hard_break', null);

export const h = (level: 1 | 2 | 3, ...content: Inline[]): Json => node('heading', content, { level });
export const p = (...content: Inline[]): Json => node('paragraph', content);
export const centered = (...content: Inline[]): Json => node('paragraph', content, { align: 'center' });
export const title = (...content: Inline[]): Json => node('heading', content, { level: 1, align: 'center' });
export const list = (...items: Inline[][]): Json =>
  node(
    'bullet_list',
    items.map((item) => node('list_item', [p(...item)])),
  );
export const picture = (starter: string, alt: string): Json =>
  node('picture', null, { src: `starter:${starter}`, alt, width: 100, align: 'center', href: null });
export const button = (text: string, align: 'start' | 'center' = 'start'): Json =>
  node('button', [text], { href: 'https://example.com/', align });
export const quote = (...content: Inline[]): Json => node('blockquote', [p(...content)]);
export const divider: Json = node('divider', null);
export const columns = (...each: Json[][]): Json =>
  node(
    'columns',
    each.map((content) => node('column', content)),
  );
