import { ATTACHMENTS_LARGE } from './attachment';
import { dmarcName, type KeyFacts, type SenderFacts, spfRecord } from './sender-domain';
import { DMARC_RECORD } from './dmarc';
import type { ForeignTag } from './foreign-tags';
import type { ContentFacts } from './letter-content';
import type { Finding, FindingCode, FindingLevel, PreflightMode, ProofFacts } from './preflight';
import type { FieldProblem } from './problems';
import { SPF_COUNTED, SPF_LOOKUPS } from './spf';
import type { MailingKind } from './suppression';

/** What is known about a mailing's letters and recipients. */
export interface LocalFacts {
  kind: MailingKind;
  /** In one line; empty if neither the owner nor the settings give one. */
  postalAddress: string;
  /** Why no letter can be made of the message; empty if letters can be made. */
  templateErrors: readonly FieldProblem[];
  /** A reader would not see the standard footer, and with it the link to unsubscribe. */
  hidesFooter: boolean;
  /** The text part says nothing. */
  textEmpty: boolean;
  /** Of all files that each letter carries. */
  attachedBytes?: number;
  /** How many recipients it has, and how many of them are not suppressed; null if it took too long to find out. */
  chosen: number | null;
  eligible: number | null;
  publicUrl: string;
  production: boolean;
}

/** What is known about the addresses that a mailing goes to; a part is null if it is not known. */
export interface ListFacts {
  /** Of so many recipients, so many were never sent a letter; maybe a sample. */
  never: { of: number; never: number } | null;
  /** The mailing's last run: letters that were taken or refused, and what came back. */
  last: { sent: number; bounced: number; complained: number } | null;
}

/** What the content of letters has been found to be, with the judgement of a spam filter, if one is asked. */
export interface LetterFacts extends ContentFacts {
  /** Placeholders of other services. */
  foreign?: ForeignTag & { n: number };
  /** Undefined: none is set; null: it did not answer. */
  spam?: { score: number; tests: readonly string[] } | null;
}

type Values = Finding['values'];
/**
 * `grave`: receivers may refuse all letters of a sender for it. It blocks large mailings, or with `PREFLIGHT=strict` all.
 */
type Level = FindingLevel | 'grave';

interface Rule<Facts> {
  code: FindingCode;
  level: Level | ((facts: Facts) => Level);
  /** What it is about; null, false or an empty list if all is well. */
  when: (facts: Facts) => Values | Values[] | null | false;
}

/** So many recipients make a mailing a large one, as Gmail and Yahoo count. */
export const LARGE = 5_000;

const MEGABYTE = 1024 * 1024;
const isMarketing = ({ kind }: LocalFacts) => kind === 'marketing';

const LOCAL: Rule<LocalFacts>[] = [
  { code: 'POSTAL_ADDRESS_MISSING', level: 'block', when: (f) => isMarketing(f) && f.postalAddress === '' && {} },
  {
    code: 'TEMPLATE_FAILED',
    level: 'block',
    when: ({ templateErrors, hidesFooter }) => templateErrors.length > 0 && !hidesFooter && {},
  },
  { code: 'UNSUBSCRIBE_HIDDEN', level: 'block', when: ({ hidesFooter }) => hidesFooter && {} },
  { code: 'TEXT_EMPTY', level: 'block', when: ({ textEmpty }) => textEmpty && {} },
  {
    code: 'PUBLIC_URL_NOT_HTTPS',
    level: 'block',
    when: (f) => isMarketing(f) && f.production && !f.publicUrl.startsWith('https:') && { url: f.publicUrl },
  },
  {
    code: 'NOBODY_ELIGIBLE',
    level: 'block',
    when: ({ chosen, eligible }) => chosen !== null && chosen > 0 && eligible === 0 && { chosen },
  },
  {
    code: 'ATTACHMENTS_LARGE',
    level: 'warn',
    when: ({ attachedBytes = 0 }) =>
      attachedBytes > ATTACHMENTS_LARGE && {
        megabytes: Math.round((attachedBytes / MEGABYTE) * 10) / 10,
        max: ATTACHMENTS_LARGE / MEGABYTE,
      },
  },
  { code: 'AUDIENCE_NOT_COUNTED', level: 'unknown', when: ({ chosen }) => chosen === null && {} },
];

/** A signature that verifies is enough: another key's record may wait. */
const unlessAnotherIsRight = ({ keys }: SenderFacts): Level =>
  keys.some(({ state }) => state === 'right') ? 'warn' : 'grave';
const keysThatAre =
  (state: KeyFacts['state']) =>
  ({ keys }: SenderFacts) =>
    keys.filter((key) => key.state === state).map(({ name, record }) => ({ name, record }));
const byType = (type: string) => (type === 'A' ? 'A, AAAA' : type);

const SENDER: Rule<SenderFacts>[] = [
  { code: 'FROM_UNREACHABLE', level: 'grave', when: (f) => f.takesMail === false && { domain: f.setup.domain } },
  {
    code: 'SPF_MISSING',
    level: 'grave',
    when: ({ spf, setup }) => spf.records?.length === 0 && { name: setup.envelope, record: spfRecord(setup) },
  },
  {
    code: 'SPF_SEVERAL',
    level: 'warn',
    when: ({ spf, setup }) =>
      (spf.records?.length ?? 0) > 1 && { domain: setup.envelope, found: spf.records?.length ?? 0 },
  },
  {
    code: 'SPF_BROKEN',
    level: 'warn',
    when: ({ spf, setup }) => spf.fault && { domain: setup.envelope, fault: spf.fault.kind, at: spf.fault.at },
  },
  {
    code: 'SPF_LOOKUPS',
    level: 'warn',
    when: ({ spf, setup }) =>
      spf.lookups > SPF_LOOKUPS && {
        domain: setup.envelope,
        lookups: spf.lookups < SPF_COUNTED ? spf.lookups : `≥ ${SPF_COUNTED}`,
        max: SPF_LOOKUPS,
      },
  },
  { code: 'DKIM_OFF', level: 'warn', when: ({ keys, setup }) => keys.length === 0 && { domain: setup.domain } },
  { code: 'DKIM_MISSING', level: unlessAnotherIsRight, when: keysThatAre('missing') },
  { code: 'DKIM_DIFFERENT', level: unlessAnotherIsRight, when: keysThatAre('different') },
  {
    code: 'DKIM_SHORT',
    level: 'warn',
    when: ({ keys }) =>
      keys.flatMap((key) =>
        key.rsaBits !== null && key.rsaBits < 2048 ? [{ selector: key.name, bits: key.rsaBits }] : [],
      ),
  },
  {
    code: 'DKIM_ED25519_ALONE',
    level: 'warn',
    when: ({ keys }) => keys.length > 0 && keys.every(({ rsaBits }) => rsaBits === null) && {},
  },
  {
    code: 'DMARC_MISSING',
    level: 'grave',
    when: ({ dmarc, setup }) => dmarc === undefined && { name: dmarcName(setup.domain), record: DMARC_RECORD },
  },
  {
    code: 'DMARC_BROKEN',
    level: 'grave',
    when: ({ dmarc }) =>
      dmarc && dmarc.policy === null ? { name: dmarc.name, record: DMARC_RECORD, found: dmarc.records.length } : null,
  },
  {
    code: 'NOT_ALIGNED',
    level: ({ aligned }) => (aligned.dkim === null ? 'warn' : 'grave'),
    when: ({ aligned, setup }) =>
      !aligned.dkim &&
      !aligned.envelope && {
        domain: setup.domain,
        envelope: setup.envelope,
        dkim: setup.keys[0]?.domain ?? '',
      },
  },
  {
    code: 'PTR_MISSING',
    level: 'warn',
    when: ({ ips }) => ips.filter(({ names }) => names?.length === 0).map(({ ip }) => ({ ip })),
  },
  {
    code: 'PTR_DIFFERENT',
    level: 'warn',
    when: ({ ips }) =>
      ips.flatMap(({ ip, names, confirmed }) =>
        names && names.length > 0 && confirmed === false ? [{ ip, host: names[0] ?? '' }] : [],
      ),
  },
  {
    code: 'RELAY_WITHOUT_TLS',
    level: 'warn',
    when: ({ setup: { relay } }) => !relay.isPrivate && !relay.needsTls && { host: relay.host },
  },
  {
    code: 'FBL_NOT_ALIGNED',
    level: 'warn',
    when: ({ setup: { complaints, domain } }) =>
      complaints !== null && !complaints.usable && { address: complaints.address, domain },
  },
  {
    code: 'DNS_UNANSWERED',
    level: 'unknown',
    when: ({ asked }) => {
      const names = asked.filter(({ found }) => found === null).map(({ type, name }) => `${name} (${byType(type)})`);
      return names.length > 0 && { names: names.slice(0, 10).join(', ') };
    },
  },
];

const PROOF: Rule<ProofFacts>[] = [
  { code: 'PROOF_FAILED', level: 'warn', when: ({ last }) => last !== null && last.failed > 0 && { n: last.failed } },
  { code: 'PROOF_MISSING', level: 'unknown', when: ({ last }) => last === null && {} },
];

/** Gmail cuts off what is longer. */
const HTML_BYTES = 102 * 1024;
const PICTURE_SHARE = 0.6;
const SPAM_SCORE = 5;
const percent = (share: number) => Math.round(share * 100);
const found = (n: number, example: string | undefined) => n > 0 && { n, example: example ?? '' };

const LETTER: Rule<LetterFacts>[] = [
  { code: 'FOREIGN_TAGS', level: 'warn', when: ({ foreign }) => foreign !== undefined && { ...foreign } },
  {
    code: 'HTML_LONG',
    level: 'warn',
    when: ({ htmlBytes }) => htmlBytes > HTML_BYTES && { kilobytes: Math.ceil(htmlBytes / 1024), max: 102 },
  },
  { code: 'IMAGES_WITHOUT_ALT', level: 'warn', when: (f) => f.imagesWithoutAlt > 0 && { n: f.imagesWithoutAlt } },
  {
    code: 'MOSTLY_PICTURES',
    level: 'warn',
    when: ({ pictureShare }) => pictureShare > PICTURE_SHARE && { percent: percent(pictureShare) },
  },
  {
    code: 'LINK_TEXT_DIFFERENT',
    level: 'warn',
    when: ({ misleading: [first, ...others] }) => (first ? { ...first, n: others.length + 1 } : null),
  },
  { code: 'SHORT_LINKS', level: 'warn', when: ({ shortened }) => found(shortened.n, shortened.example) },
  { code: 'HTTP_LINKS', level: 'warn', when: ({ plainHttp }) => found(plainHttp.n, plainHttp.example) },
  { code: 'DATA_IMAGES', level: 'warn', when: ({ dataImages: n }) => n > 0 && { n } },
  {
    code: 'SPAM_SCORE',
    level: 'warn',
    when: ({ spam }) =>
      spam && spam.score >= SPAM_SCORE ? { score: spam.score, max: SPAM_SCORE, tests: spam.tests.join(', ') } : null,
  },
  { code: 'SPAM_UNANSWERED', level: 'unknown', when: ({ spam }) => spam === null && {} },
];

const NEW_SHARE = 0.3;
const BOUNCED_SHARE = 0.02;
const COMPLAINED_SHARE = 0.001;
/** With fewer of them a share says nothing. */
const ENOUGH = 50;

const LIST: Rule<ListFacts>[] = [
  {
    code: 'NEW_ADDRESSES',
    level: 'warn',
    when: ({ never }) => overShare(never && { n: never.never, of: never.of }, NEW_SHARE),
  },
  {
    code: 'LAST_RUN_BOUNCED',
    level: 'warn',
    when: ({ last }) => overShare(last && { n: last.bounced, of: last.sent }, BOUNCED_SHARE),
  },
  {
    code: 'LAST_RUN_COMPLAINED',
    level: 'warn',
    when: ({ last }) => overShare(last && { n: last.complained, of: last.sent }, COMPLAINED_SHARE),
  },
];

function overShare(part: { n: number; of: number } | null, share: number): Values | null {
  if (!part || part.of < ENOUGH || part.n <= part.of * share) return null;
  const exact = (part.n / part.of) * 100;
  return { percent: exact < 10 ? Math.round(exact * 10) / 10 : Math.round(exact), max: share * 100 };
}

export const localFindings = (facts: LocalFacts): Finding[] =>
  findings(LOCAL, facts, 'block').map((finding) =>
    finding.code === 'TEMPLATE_FAILED' ? { ...finding, errors: facts.templateErrors } : finding,
  );
export const letterFindings = (facts: LetterFacts): Finding[] => findings(LETTER, facts, 'warn');
export const listFindings = (facts: ListFacts): Finding[] => findings(LIST, facts, 'warn');
export const proofFindings = (facts: ProofFacts): Finding[] => findings(PROOF, facts, 'warn');

/** @param recipients how many the mailing has; null if it took too long to count them, which many do */
export const senderFindings = (facts: SenderFacts, mode: PreflightMode, recipients: number | null): Finding[] =>
  findings(SENDER, facts, mode === 'strict' || recipients === null || recipients >= LARGE ? 'block' : 'warn');

function findings<Facts>(rules: readonly Rule<Facts>[], facts: Facts, grave: FindingLevel): Finding[] {
  return rules.flatMap(({ code, level, when }) => {
    const values = when(facts) || [];
    const given = typeof level === 'function' ? level(facts) : level;
    return (Array.isArray(values) ? values : [values]).map((each) => ({
      code,
      level: given === 'grave' ? grave : given,
      values: each,
    }));
  });
}
