import { Resolver } from 'node:dns/promises';
import type { Answer, Lookup } from '../domain/lookup';

/** How long one question may take, in milliseconds. */
const ANSWER_MS = 2_000;
const KEPT_MS = 10 * 60_000;
/** What was not answered is asked again sooner; until then nobody waits for it. */
const UNANSWERED_MS = 30_000;
const KEPT = 1_000;
const RECORDS = 50;
const RECORD_LENGTH = 8_192;
/** These say that there is no such record; everything else, that nobody could tell. */
const NONE = new Set(['ENODATA', 'ENOTFOUND', 'EBADNAME']);

/**
 * Asks DNS: two seconds for each question, answers kept for ten minutes. Never throws: what is not answered, or not in
 * time, is null.
 */
export class Dns implements Lookup {
  private readonly resolver = new Resolver({ timeout: ANSWER_MS, tries: 1 });
  private readonly kept = new Map<string, { answer: Promise<Answer>; until: number }>();

  /** @param servers IP addresses, with a port if need be; none: the system's */
  constructor(servers: readonly string[]) {
    if (servers.length > 0) this.resolver.setServers(servers);
  }

  readonly txt = (name: string): Promise<Answer> =>
    this.ask(`TXT ${name}`, async () => (await this.resolver.resolveTxt(name)).map((parts) => parts.join('')));

  readonly mx = (name: string): Promise<Answer> =>
    this.ask(`MX ${name}`, async () => {
      const hosts = await this.resolver.resolveMx(name);
      return hosts.sort((a, b) => a.priority - b.priority).map(({ exchange }) => exchange.replace(/\.$/, ''));
    });

  readonly addresses = async (name: string): Promise<Answer> => {
    const answers = await Promise.all([
      this.ask(`A ${name}`, () => this.resolver.resolve4(name)),
      this.ask(`AAAA ${name}`, () => this.resolver.resolve6(name)),
    ]);
    const found = answers.flatMap((answer) => answer ?? []);
    return found.length > 0 || !answers.includes(null) ? found : null;
  };

  /** Asks DNS, not this machine's file of hosts, as `reverse` would. */
  readonly names = (ip: string): Promise<Answer> =>
    this.ask(`PTR ${ip}`, () => this.resolver.resolvePtr(reverseName(ip)));

  private ask(question: string, resolve: () => Promise<string[]>): Promise<Answer> {
    const now = performance.now();
    const before = this.kept.get(question);
    if (before && before.until > now) return before.answer;
    this.kept.delete(question);
    const kept = { answer: answered(resolve), until: now + KEPT_MS };
    this.kept.set(question, kept);
    const oldest = this.kept.keys().next();
    if (this.kept.size > KEPT && !oldest.done) this.kept.delete(oldest.value);
    void kept.answer.then((answer) => {
      if (answer === null) kept.until = performance.now() + UNANSWERED_MS;
    });
    return kept.answer;
  }
}

/**
 * The same questions, all together for so many milliseconds: what is not known by then is null. The questions go on, so
 * that their answers are there the next time.
 */
export function inTime(lookup: Lookup, ms: number): Lookup {
  const end = new Promise<null>((resolve) => setTimeout(resolve, ms, null).unref());
  let over = false;
  void end.then(() => (over = true));
  const ask = (question: (name: string) => Promise<Answer>) => (name: string) =>
    over ? Promise.resolve(null) : Promise.race([question(name), end]);
  return {
    txt: ask(lookup.txt),
    mx: ask(lookup.mx),
    addresses: ask(lookup.addresses),
    names: ask(lookup.names),
  };
}

async function answered(resolve: () => Promise<string[]>): Promise<Answer> {
  const late = new Promise<null>((done) => setTimeout(done, ANSWER_MS, null).unref());
  const answer = resolve().then(
    (found) => found.slice(0, RECORDS).map((text) => text.slice(0, RECORD_LENGTH)),
    (error: unknown) => (NONE.has((error as NodeJS.ErrnoException).code ?? '') ? [] : null),
  );
  return Promise.race([answer, late]);
}

/** The name under which the names of an address stand (RFC 1035 3.5, RFC 3596 2.5). */
function reverseName(ip: string): string {
  if (!ip.includes(':')) return `${ip.split('.').reverse().join('.')}.in-addr.arpa`;
  const [front = '', back] = new URL(`http://[${ip}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const last = groups(back ?? '');
  const zeros = Array.from({ length: 8 - groups(front).length - last.length }, () => '0');
  const digits = [...groups(front), ...zeros, ...last].map((group) => group.padStart(4, '0')).join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}
