/** What DNS says: the records of a name, none if it has none, or null if nobody answered in time. */
export type Answer = readonly string[] | null;

/** Questions to DNS. Answers are bounded in number and length; none of them throws. */
export interface Lookup {
  /** The texts of TXT records, the strings of each joined. */
  readonly txt: (this: void, name: string) => Promise<Answer>;
  /** The hosts of MX records, the preferred one first; an empty one takes no mail (RFC 7505). */
  readonly mx: (this: void, name: string) => Promise<Answer>;
  /** IPv4 and IPv6 addresses. */
  readonly addresses: (this: void, name: string) => Promise<Answer>;
  /** The names of an IP address. */
  readonly names: (this: void, ip: string) => Promise<Answer>;
}

export type RecordType = 'TXT' | 'MX' | 'A' | 'PTR';

/** One question and its answer. */
export interface Asked {
  type: RecordType;
  name: string;
  found: Answer;
}

/** The same questions, each noted once with its answer. */
export function noted(lookup: Lookup): { lookup: Lookup; asked: Asked[] } {
  const asked: Asked[] = [];
  const note = (type: RecordType, ask: (name: string) => Promise<Answer>) => async (name: string) => {
    const found = await ask(name);
    if (!asked.some((one) => one.type === type && one.name === name)) asked.push({ type, name, found });
    return found;
  };
  return {
    asked,
    lookup: {
      txt: note('TXT', lookup.txt),
      mx: note('MX', lookup.mx),
      addresses: note('A', lookup.addresses),
      names: note('PTR', lookup.names),
    },
  };
}
