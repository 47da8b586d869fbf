import type { Language } from './language';

/**
 * The standard footer of marketing letters: why people get the letter, who sends it, and how to unsubscribe. It is Liquid,
 * rendered with the letter. Each part is added only where the letter does not show it by itself.
 */
const WORDS: Record<Language, { why: (sender: string) => string; leave: string }> = {
  en: {
    why: (sender) => `You get this letter because your address is on the mailing list of ${sender}.`,
    leave: 'Unsubscribe',
  },
  ru: {
    why: (sender) => `Вы получили это письмо, потому что ваш адрес есть в списке рассылки: ${sender}.`,
    leave: 'Отписаться',
  },
};

/** Which parts of the footer are to be added. */
export interface FooterParts {
  link: boolean;
  address: boolean;
}

/** What `{{ footerText }}` says unless the sender has words of their own. */
export const reasonText = (language: Language, sender: string): string => WORDS[language].why(sender);

/** Where the HTML that is made of a document has its footer: within the width of the letter. */
export const FOOTER_PLACE = '<!--gonets:footer-->';

/** The body with the footer in its place, or before the end of what is shown. */
export function withHtmlFooter(body: string, language: Language, parts: FooterParts): string {
  const paragraph = (content: string) => `<p style="margin:0 0 4px">${content}</p>`;
  const place = body.indexOf(FOOTER_PLACE);
  const colour = place < 0 ? 'color:#666666' : 'color:inherit';
  const inner =
    (parts.link ? paragraph('{{ footerText }}') : '') +
    (parts.address ? paragraph('{{ senderAddress }}') : '') +
    (parts.link ? paragraph(`<a href="{{ unsubscribeUrl }}" style="${colour}">${WORDS[language].leave}</a>`) : '');
  if (place >= 0) return body.replace(FOOTER_PLACE, () => inner);
  const style = 'margin-top:32px;padding-top:12px;border-top:1px solid #dddddd;font:13px/1.5 sans-serif;color:#666666';
  const at = endOfBody(body);
  return `${body.slice(0, at)}<div style="${style}">${inner}</div>${body.slice(at)}`;
}

/** The text with the footer below it. */
export function withTextFooter(text: string, language: Language, parts: FooterParts): string {
  const lines = [
    ...(parts.link ? ['{{ footerText }}'] : []),
    ...(parts.address ? ['{{ senderAddress }}'] : []),
    ...(parts.link ? [`${WORDS[language].leave}: {{ unsubscribeUrl }}`] : []),
  ];
  return `${text}\n\n---\n${lines.join('\n')}\n`;
}

function endOfBody(html: string): number {
  const lower = html.toLowerCase();
  const end = lower.lastIndexOf('</body');
  const at = end < 0 ? lower.lastIndexOf('</html') : end;
  return at < 0 ? html.length : at;
}
