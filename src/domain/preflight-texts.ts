import type { ToldFinding } from './errors';
import type { Finding, FindingCode } from './preflight';
import { told } from './problem-texts';

/**
 * Findings in English, for REST, the command line and English pages: what was found, then what to do. A DNS record that
 * is to be published (`name` and `record`) is shown beside it.
 */
export const findingTexts: Record<FindingCode, (values: Finding['values']) => string> = {
  POSTAL_ADDRESS_MISSING: () =>
    'The letters would have no postal address, which the law requires. Enter one for the sender (PATCH /sender, or ' +
    'Account, Sender), or set SENDER_ADDRESS.',
  TEMPLATE_FAILED: () => 'No letter can be made of the message; it has to be corrected.',
  UNSUBSCRIBE_HIDDEN: () =>
    'Recipients would not see how to unsubscribe: a comment or an element at the end of the message is not closed. Close it.',
  TEXT_EMPTY: () =>
    'The text part of the letters is empty: spam filters and readers of plain text see nothing. Write some text, or ' +
    'give the pictures an alternative text (alt).',
  PUBLIC_URL_NOT_HTTPS: ({ url }) =>
    `Links to unsubscribe would begin with ${url}: mail programs accept only https. Set PUBLIC_URL.`,
  AUDIENCE_NOT_COUNTED: () => 'It takes too long to count who would get it. It can be sent all the same.',
  NOBODY_ELIGIBLE: ({ chosen }) => `Nobody would get it: all ${chosen} recipients are suppressed.`,

  FROM_UNREACHABLE: ({ domain }) =>
    `${domain} takes no mail (it has no MX and no A record): answers cannot arrive, and many servers refuse such a ` +
    'sender. Publish an MX record, or send from another domain.',
  SPF_MISSING: ({ name, record }) =>
    `${name} has no SPF record: servers cannot tell that your mail server may send for it. Publish one` +
    `${String(record).includes('…') ? ', with the address from which your letters leave' : ''}.`,
  SPF_SEVERAL: ({ domain, found }) =>
    `${domain} has ${found} SPF records, which makes all of them void. Join them into one.`,
  SPF_BROKEN: ({ domain, fault, at }) =>
    `The SPF record of ${domain} cannot be used: ${spfFault(String(fault), at)}. Correct it.`,
  SPF_LOOKUPS: ({ domain, lookups, max }) =>
    `The SPF record of ${domain} takes ${lookups} DNS look-ups. With more than ${max} of them, servers treat it as broken: remove ` +
    'services that you do not use any more, or name addresses (ip4:, ip6:).',
  DKIM_OFF: ({ domain }) =>
    `Letters are not signed here. Unless your mail server signs them for ${domain}, large mail providers refuse them in bulk. ` +
    'Set DKIM_DOMAIN and DKIM_PRIVATE_KEY.',
  DKIM_MISSING: ({ name }) => `The key of the DKIM signature is not published: ${name} has no TXT record. Publish it.`,
  DKIM_DIFFERENT: ({ name }) =>
    `${name} publishes another key than letters are signed with: every signature fails. Publish this one, or set the ` +
    'private key that belongs to it.',
  DKIM_SHORT: ({ selector, bits }) => `The key ${selector} has ${bits} bits, which is too short today. Use 2048.`,
  DKIM_ED25519_ALONE: () =>
    'The only DKIM key is Ed25519, which many receivers do not know: to them the letters are not signed. Add an RSA key ' +
    '(DKIM_PRIVATE_KEY_2).',
  DMARC_MISSING: ({ name }) =>
    `There is no DMARC record, which large mail providers require of bulk mail. Publish one at ${name}; p=none changes ` +
    'nothing for other mail.',
  DMARC_BROKEN: ({ name, found }) =>
    Number(found) > 1
      ? `${name} has ${found} DMARC records, which makes all of them void. Leave one.`
      : `The DMARC record at ${name} names no policy that receivers know: it is as if there were none. Correct it.`,
  NOT_ALIGNED: ({ domain, envelope, dkim }) =>
    dkim === ''
      ? `The envelope sender (Return-Path) is of ${envelope}, and letters are not signed here: unless your mail server signs them for ${domain}, ` +
        'the DMARC check fails. Make sure that it does, or set DKIM_DOMAIN and DKIM_PRIVATE_KEY.'
      : `Nothing vouches for the sender's domain ${domain}: the envelope sender (Return-Path) is of ${envelope}, the signature of ${dkim}. ` +
        `The DMARC check fails for every letter. Sign with a key of ${domain}.`,
  PTR_MISSING: ({ ip }) => `${ip} has no name (PTR): many servers refuse its mail. Have your provider set one.`,
  PTR_DIFFERENT: ({ ip, host }) =>
    `${ip} is called ${host} (PTR), which does not lead back to it. Give that name the address, or correct the PTR.`,
  RELAY_WITHOUT_TLS: ({ host }) =>
    `Letters may go to ${host} without TLS, readable on the way. Let SMTP_URL begin with smtps://, or add ` +
    'requireTLS=true.',
  FBL_NOT_ALIGNED: ({ address, domain }) =>
    `Letters do not name ${address} for complaints: the address has to be at ${domain} or a subdomain, and letters ` +
    'have to be signed for that domain. Change FBL_ADDRESS or DKIM_DOMAIN.',
  DNS_UNANSWERED: ({ names }) => `DNS did not answer in time, so this is not known: ${names}.`,

  FOREIGN_TAGS: ({ example, n, meant }) =>
    `The letter says ${example}${more(n)}: a placeholder of another service, which people will read as it is.` +
    (meant === '' ? '' : ` Did you mean {{ ${meant} }}?`),
  ATTACHMENTS_LARGE: ({ megabytes, max }) =>
    `The attachments have ${megabytes} MB: many servers refuse letters with more than ${max} MB. Send a link instead.`,
  HTML_LONG: ({ kilobytes, max }) =>
    `The HTML has ${kilobytes} KB. Gmail cuts letters off after ${max} KB, and with the end the link to unsubscribe. ` +
    'Shorten it.',
  IMAGES_WITHOUT_ALT: ({ n }) =>
    `${n === 1 ? 'A picture has' : `${n} pictures have`} no alternative text (alt): where pictures are not shown, ` +
    'their place is empty. Write one, or alt="".',
  MOSTLY_PICTURES: ({ percent }) =>
    `About ${percent} % of the letter is pictures, as in much spam. Say in text what matters.`,
  LINK_TEXT_DIFFERENT: ({ text, host, n }) =>
    `A link says ${text} and leads to ${host}, as in phishing${more(n)}. Write words instead of the address, or link ` +
    'to it directly.',
  SHORT_LINKS: ({ example, n }) =>
    `A link goes through a link shortener (${example}${more(n)}), which spam filters distrust. Link to the page itself.`,
  HTTP_LINKS: ({ example, n }) => `Not all links and pictures are https (${example}${more(n)}). Use https.`,
  DATA_IMAGES: ({ n }) =>
    `${n === 1 ? 'A picture stands' : `${n} pictures stand`} in the letter itself (data:), which Gmail and others do ` +
    'not show. Load pictures from an https address.',
  SPAM_SCORE: ({ score, max, tests }) =>
    `SpamAssassin gives it ${score} points; from ${max} points on it is taken for spam${tests === '' ? '' : `: ${tests}`}.`,
  SPAM_UNANSWERED: () => 'The spam filter (SPAMD) did not answer in time, so its score is not known.',

  PROOF_FAILED: ({ n }) =>
    `The last proof letter did not arrive as it was sent: ${n} of its checks failed. What to do stands on its page ` +
    '(Status, Proof letter; GET /transport/probe).',
  PROOF_MISSING: () =>
    'What becomes of letters on the way is not proven: no proof letter came back with the present settings. A manager ' +
    'can send one (Status, Proof letter; POST /transport/probe).',

  NEW_ADDRESSES: ({ percent, max }) =>
    `${percent} % of the recipients never got a letter from here (more than ${max} %). Mail providers slow down senders ` +
    'who suddenly write to many new addresses: begin with a smaller part.',
  LAST_RUN_BOUNCED: ({ percent, max }) =>
    `Last time, ${percent} % of the addresses did not exist (more than ${max} %). Check where they come from.`,
  LAST_RUN_COMPLAINED: ({ percent, max }) =>
    `Last time, ${percent} % of the recipients reported it as spam (more than ${max} %). Send only to those who asked ` +
    'for it.',
};

export function toldFinding({ errors, ...finding }: Finding): ToldFinding {
  const text = findingTexts[finding.code](finding.values);
  if (!errors) return { ...finding, message: text };
  const all = errors.map(told);
  return { ...finding, errors: all, message: [text, ...all.map((each) => `${each.field}: ${each.message}`)].join(' ') };
}

const more = (n: string | number | undefined) => (Number(n) > 1 ? `, and ${Number(n) - 1} more` : '');

function spfFault(fault: string, at: string | number | undefined): string {
  if (fault === 'syntax') return `it has a term that nobody knows, "${at}"`;
  if (fault === 'circle') return `it refers to ${at}, which refers to it again`;
  return `it refers to ${at}, which has no SPF record, or several`;
}
