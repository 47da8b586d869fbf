/**
 * What the demo's people do about their letters: some of them unsubscribe, as their mail programs do it for them, by the
 * link in the header of the letter that they got.
 */

/** Every eightieth person of demo/clients.csv from the sixtieth on; none of those whom the mail server treats specially. */
export const unsubscribes = (position) => position % 80 === 60;

/**
 * One click of a mail program (RFC 8058), on the link of this letter.
 * @param {string} letter as it arrived
 * @param {string} url where the demo's service listens, whatever address its links begin with
 */
export async function clickUnsubscribe(letter, url) {
  const link = /^List-Unsubscribe:.*?<(https?:[^>]*)>/ims.exec(letter.replace(/\r?\n(?=[ \t])/g, ''))?.[1];
  if (!link) throw new Error('a letter has no link to unsubscribe');
  const answer = await fetch(new URL(new URL(link).pathname, url), {
    method: 'POST',
    body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
  });
  if (!answer.ok) throw new Error(`the link to unsubscribe answered ${answer.status}`);
}

const WORDS = {
  unsubscribed: 'unsubscribed',
  hard_bounce: 'bounced',
  complaint: 'complained',
  manual: 'excluded by hand',
  invalid: 'can get no mail',
};

/** How many a check before the start leaves out, and why, in words. */
export function excludedInWords({ chosen, eligible, excluded }) {
  const reasons = Object.entries(excluded).map(([reason, n]) => `${n} ${WORDS[reason] ?? reason}`);
  return `of ${chosen} clients chosen ${eligible} would get it${reasons.length ? `: ${reasons.join(', ')}` : ''}`;
}
