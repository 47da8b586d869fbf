/** How other tools write what stands for people's data. Each ends soon, so that the search takes time in proportion to the text. */
const FOREIGN: readonly RegExp[] = [
  // Mailchimp
  /\*\|[A-Z][A-Z0-9_:]{0,40}\|\*/g,
  // ActiveCampaign, MailerLite: %%name%%, %recipient.name%
  /%%[a-z][\w .-]{0,40}%%|%recipient\.\w{1,40}%/gi,
  // UniSender, Zoho: [Name,fallback=…], [[name]]
  /\[\[[a-z][\w .-]{0,40}\]\]|\[[a-z][\w ]{0,40},\s?fallback=[^\]\n]{0,80}\]/gi,
  // Those in single braces, where only a name is meant
  /\{(?:first|last|full)?[_ -]?name\}|\{e-?mail\}/gi,
  // Those whose tags look like ours. Where ours are filled in already, or are chips, what is left are unknown names and filters
  /\{\{[^{}\n]{1,120}\}\}/g,
];

const NAMED: readonly [wanted: RegExp, variable: string][] = [
  [/e-?mail/i, 'client.email'],
  [/name|contact|subscriber|recipient/i, 'client.fullName'],
  [/unsub/i, 'unsubscribeUrl'],
];

export interface ForeignTag {
  example: string;
  /** The variable that is probably meant; empty if there is no telling. */
  meant: string;
}

/** Placeholders of other tools in what people read: they would read them as they are. In the order of the text. */
export const foreignTags = (text: string): ForeignTag[] =>
  FOREIGN.flatMap((pattern) => [...text.matchAll(pattern)])
    .sort((a, b) => a.index - b.index)
    .map(([example]) => ({ example, meant: NAMED.find(([wanted]) => wanted.test(example))?.[1] ?? '' }));
