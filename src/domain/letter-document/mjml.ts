/** MJML as JSON, which spares a parser: `content` is HTML, `children` are elements. */
export interface Mjml {
  tagName: string;
  attributes: Record<string, string>;
  children?: Mjml[];
  content?: string;
}

export const element = (tagName: string, attributes: Record<string, string>, inner: Mjml[] | string = []): Mjml =>
  typeof inner === 'string' ? { tagName, attributes, content: inner } : { tagName, attributes, children: inner };
