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
];

const NAMED: readonly [wanted: RegExp, variable: string][] = [
  [/e-?mail/i, 'client.email'],
  [/name|contact|subscriber|recipient/i, 'client.fullName'],
  [/unsub/i, 'unsubscribeUrl'],
];

/** Placeholders of other tools, which people would read as they are: how many, the first, and the variable that is probably meant. */
export function foreignTags(text: string): { n: number; example: string; meant: string } {
  const found = FOREIGN.flatMap((pattern) => [...text.matchAll(pattern)]).sort((a, b) => a.index - b.index);
  const example = found[0]?.[0] ?? '';
  const meant = NAMED.find(([wanted]) => wanted.test(example))?.[1] ?? 'client.fullName';
  return { n: found.length, example, meant };
}
