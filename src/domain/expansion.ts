import type { RecipientReport } from './delivery-report';
import { sameAddress } from './same-address';

const EXPANDED = /(?:expanded|generated) from:?\s{0,20}<?([^\s<>()]{3,320})/gi;
const TEXT_MAX = 64 * 1024;

/** Whether a text says that another address was made from this one, as Postfix, sendmail and Exim do. */
export const saysExpanded = (text: string, email: string): boolean =>
  [...text.slice(0, TEXT_MAX).matchAll(EXPANDED)].some(([, from = '']) => sameAddress(from, email));

/**
 * Whether what failed is one of those to whom the address passes its letters on, so that the address itself may well
 * be in use: a list, a group, a forward to elsewhere. An alias of one mailbox at the same organisation is the address
 * itself. In doubt it is passed on.
 * @param own what is reported about letters to this address
 * @param text what the report says to people
 */
export function isPassedOn(report: RecipientReport, own: RecipientReport[], text: string, email: string): boolean {
  const final = report.finalRecipient;
  if (final === '' || sameAddress(final, email)) return false;
  const others = new Set(own.map(({ finalRecipient }) => finalRecipient).filter((each) => each !== ''));
  if (others.size > 1 || own.some(({ action }) => action === 'expanded')) return true;
  const [one, two] = [final, email.toLowerCase()].map(partsOf);
  if (one!.domain === two!.domain) return saysExpanded(text, email);
  if (!isWithin(one!.domain, two!.domain) && !isWithin(two!.domain, one!.domain)) return true;
  return saysExpanded(text, email) && !one!.local.startsWith(two!.local) && !two!.local.startsWith(one!.local);
}

function partsOf(address: string) {
  const at = address.lastIndexOf('@');
  return { local: address.slice(0, at), domain: address.slice(at + 1) };
}

const isWithin = (domain: string, other: string): boolean => domain.endsWith(`.${other}`);
