/** Who takes the mail of a domain, as far as senders care: each of these has rules and a memory of its own. */
export const mailProviders = ['google', 'microsoft', 'yahoo', 'apple', 'mailru', 'yandex', 'gmx', 'other'] as const;
export type MailProvider = (typeof mailProviders)[number];
type Named = Exclude<MailProvider, 'other'>;

/** The ends of the names of their MX hosts, whoever's domain it is. */
const MX_ENDS: Record<Named, readonly string[]> = {
  google: ['google.com', 'googlemail.com'],
  microsoft: ['protection.outlook.com', 'mx.microsoft', 'hotmail.com', 'outlook.com'],
  yahoo: ['yahoodns.net'],
  apple: ['mail.icloud.com', 'mail.me.com'],
  mailru: ['mail.ru'],
  yandex: ['yandex.ru', 'yandex.net', 'yandex.com'],
  gmx: ['gmx.net', 'gmx.com', 'web.de', 'mail.com'],
};

/** Domains of their own, for which nobody has to ask DNS. */
const OWN_DOMAINS: Record<Named, RegExp> = {
  google: /^(?:gmail|googlemail|google)\.com$/,
  microsoft: /^(?:(?:outlook|hotmail|live)\.[a-z]{2,3}(?:\.[a-z]{2})?|msn\.com|passport\.com)$/,
  yahoo: /^(?:yahoo\.[a-z]{2,3}(?:\.[a-z]{2})?|(?:ymail|rocketmail|aol|aim|myyahoo)\.com)$/,
  apple: /^(?:icloud|me|mac)\.com$/,
  mailru: /^(?:mail|inbox|list|bk|internet|xmail)\.ru$/,
  yandex: /^(?:yandex\.(?:ru|com|by|kz|ua|uz|com\.tr)|ya\.ru|narod\.ru)$/,
  gmx: /^(?:gmx\.(?:de|net|com|at|ch|org|info|fr|es|us|co\.uk)|web\.de|mail\.com|email\.com)$/,
};

const names = Object.keys(MX_ENDS) as Named[];

/** The provider whose own domain this is; null: only DNS knows. */
export const providerOfDomain = (domain: string): MailProvider | null =>
  names.find((name) => OWN_DOMAINS[name].test(domain.toLowerCase())) ?? null;

/** The provider that takes the mail of a domain with these MX hosts, by the one that is preferred. */
export function providerOfMx(hosts: readonly string[]): MailProvider {
  const [host = ''] = hosts;
  const name = `.${host.toLowerCase().replace(/\.$/, '')}`;
  return names.find((each) => MX_ENDS[each].some((end) => name.endsWith(`.${end}`))) ?? 'other';
}

/** These tell senders of no complaint by its letter; what there is stands in tools of their own. */
export const SILENT_ABOUT_COMPLAINTS: ReadonlySet<MailProvider> = new Set<MailProvider>(['google']);

/** How letters fare at a provider, as counted. */
export interface ProviderCounts {
  /** Letters that were taken. */
  sent: number;
  /** Answers that refused one for good, and for now. */
  refused: number;
  deferred: number;
  bounced: number;
  softBounced: number;
  complained: number;
}

export const providerCountNames = [
  'sent',
  'refused',
  'deferred',
  'bounced',
  'softBounced',
  'complained',
] as const satisfies (keyof ProviderCounts)[];

export const deliverabilityLevels = ['good', 'watch', 'bad'] as const;
/** `watch`: it will soon be a problem; `bad`: it is one. */
export type DeliverabilityLevel = (typeof deliverabilityLevels)[number];

export interface ProviderRates {
  /** Of all answers for good: those that refused. */
  refusedRate: number | null;
  /** Of the letters that were taken; null if there were none. */
  bounceRate: number | null;
  complaintRate: number | null;
  refusedLevel: DeliverabilityLevel;
  bounceLevel: DeliverabilityLevel;
  complaintLevel: DeliverabilityLevel;
}

/** Google and Yahoo ask bulk senders to stay below 0.1 %, and never to reach 0.3 %. */
const COMPLAINTS = { watch: 0.001, bad: 0.003 };
/** More than this says that the list is old, or that the sender is blocked. */
const LOST = 0.02;

/** The shares of what was counted, and whether they are too high. */
export function ratesOf({ sent, refused, bounced, complained }: ProviderCounts): ProviderRates {
  const refusedRate = sent + refused > 0 ? refused / (sent + refused) : null;
  const [bounceRate, complaintRate] = [bounced, complained].map((n) => (sent > 0 ? n / sent : null)) as [
    number | null,
    number | null,
  ];
  return {
    refusedRate,
    bounceRate,
    complaintRate,
    refusedLevel: (refusedRate ?? 0) > LOST ? 'watch' : 'good',
    bounceLevel: (bounceRate ?? 0) > LOST ? 'watch' : 'good',
    complaintLevel: complaintLevel(complaintRate ?? 0),
  };
}

const complaintLevel = (rate: number): DeliverabilityLevel =>
  rate >= COMPLAINTS.bad ? 'bad' : rate >= COMPLAINTS.watch ? 'watch' : 'good';
