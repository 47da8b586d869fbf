import type { Answer } from './lookup';

/** Why a receiver can't evaluate an SPF record (a permanent error, RFC 7208 2.6.7). */
export type SpfFault =
  { kind: 'syntax'; at: string } | { kind: 'not_one'; at: string } | { kind: 'circle'; at: string };

export interface Spf {
  /** The SPF records of the domain itself; null if nobody answered. There must be one. */
  records: readonly string[] | null;
  /** Terms that make receivers ask DNS, in this record and all that it refers to; not counted above SPF_COUNTED. */
  lookups: number;
  fault: SpfFault | null;
  /** Whether all that it refers to could be read; else `lookups` may be more. */
  complete: boolean;
}

/** More of them are a permanent error (RFC 7208 4.6.4). */
export const SPF_LOOKUPS = 10;
/** No more terms are counted, nor records read. */
export const SPF_COUNTED = 30;

const VERSION = /^v=spf1(?= |$)/i;
const MECHANISM = /^[+?~-]?(all|include|a|mx|ptr|ip4|ip6|exists)(?::([^/]+))?((?:\/\d{1,3})?(?:\/\/\d{1,3})?)$/i;
const ADDRESS = /^[+?~-]?(?:ip4:\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?|ip6:[\da-f:.]{2,45}(?:\/\d{1,3})?)$/i;
const MODIFIER = /^([a-z][\w.-]*)=(.*)$/i;

/**
 * Reads the SPF record of a domain and counts its DNS look-ups (RFC 7208 4.6.4), in the worst case: as if no mechanism
 * before `all` matched. Mechanisms behind `all` are never tested (5.1). Names made of macros depend on the letter; they
 * count, and are not followed.
 * @param txt asked at most SPF_COUNTED + 1 times
 */
export async function readSpf(domain: string, txt: (name: string) => Promise<Answer>): Promise<Spf> {
  const spf: Spf = { records: spfRecords(await txt(domain)), lookups: 0, fault: null, complete: true };
  if (spf.records?.length === 1) await count(spf.records[0]!, [domain.toLowerCase()], spf, txt);
  return spf;
}

const spfRecords = (answer: Answer): Answer => answer && answer.filter((text) => VERSION.test(text));

async function count(record: string, path: string[], spf: Spf, txt: (name: string) => Promise<Answer>): Promise<void> {
  let redirect: string | null = null;
  for (const term of record.replace(VERSION, '').split(' ')) {
    if (term === '') continue;
    const modifier = MODIFIER.exec(term);
    if (modifier) {
      if (modifier[1]!.toLowerCase() === 'redirect') redirect = modifier[2]!;
      continue;
    }
    const [name, target] = mechanism(term);
    if (name === null) {
      spf.fault ??= { kind: 'syntax', at: term };
      return;
    }
    if (name === 'all') return;
    if (name === 'ip4' || name === 'ip6') continue;
    if (spf.lookups >= SPF_COUNTED) return;
    spf.lookups++;
    if (name === 'include') await follow(target, path, spf, txt);
    if (spf.fault) return;
  }
  if (redirect === null || spf.lookups >= SPF_COUNTED) return;
  spf.lookups++;
  await follow(redirect, path, spf, txt);
}

async function follow(target: string, path: string[], spf: Spf, txt: (name: string) => Promise<Answer>): Promise<void> {
  if (target.includes('%')) return;
  const name = target.toLowerCase().replace(/\.$/, '');
  if (path.includes(name)) {
    spf.fault ??= { kind: 'circle', at: name };
    return;
  }
  const records = spfRecords(await txt(name));
  if (records === null) spf.complete = false;
  else if (records.length !== 1) spf.fault ??= { kind: 'not_one', at: name };
  else await count(records[0]!, [...path, name], spf, txt);
}

/** Its name in lower case and what it refers to; null if it can't be read. */
function mechanism(term: string): [string, string] | [null] {
  if (ADDRESS.test(term)) return ['ip4', ''];
  const read = MECHANISM.exec(term);
  const name = read?.[1]?.toLowerCase();
  const target = read?.[2] ?? '';
  if (!name || name === 'ip4' || name === 'ip6') return [null];
  if (read![3] !== '' && name !== 'a' && name !== 'mx') return [null];
  const isNamed = target !== '';
  if (name === 'all' ? isNamed : (name === 'include' || name === 'exists') && !isNamed) return [null];
  return [name, target];
}
