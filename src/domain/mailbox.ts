import { parseEmailAddress, singleLineProblem } from './email-address';

export interface NamedMailbox {
  name: string;
  address: string;
}

/** Reads `Name <address@domain>`, `"Name" <…>` or an address alone; null if it is none of these. */
export function parseMailbox(text: string): NamedMailbox | null {
  const match = /^(?:"([^"<>]*)"|([^"<>]*))<([^<>]+)>$/.exec(text.trim().replace(/"\s+</, '"<'));
  const parsed = parseEmailAddress(match?.[3] ?? text);
  if (!parsed.ok) return null;
  const name = (match?.[1] ?? match?.[2] ?? '').trim();
  return singleLineProblem(name, 200) ? null : { name, address: parsed.email };
}
