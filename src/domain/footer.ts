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

/** The body with the footer before the end of what is shown. */
export function withHtmlFooter(body: string, language: Language, parts: FooterParts): string {
  const paragraph = (content: string) => `<p style="margin:0 0 4px">${content}</p>`;
  const link = `<a href="{{ unsubscribeUrl }}" style="color:#666666">${WORDS[language].leave}</a>`;
  const footer =
    '<div style="margin-top:32px;padding-top:12px;border-top:1px solid #dddddd;font:13px/1.5 sans-serif;color:#666666">' +
    (parts.link ? paragraph('{{ footerText }}') : '') +
    (parts.address ? paragraph('{{ senderAddress }}') : '') +
    (parts.link ? paragraph(link) : '') +
    '</div>';
  const at = endOfBody(body);
  return `${body.slice(0, at)}${footer}${body.slice(at)}`;
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
