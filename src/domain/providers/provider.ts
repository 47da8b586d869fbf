import { storable } from '../storable';
import type { BounceRuling } from '../bounce-rules';

/** The mail providers whose webhooks are understood. */
export const providerNames = ['ses', 'sendgrid', 'mailgun', 'postmark', 'brevo', 'mailjet', 'sparkpost'] as const;
export type ProviderName = (typeof providerNames)[number];

/** A part of a provider's JSON: whatever it sends, reading it never throws. */
export type Json = unknown;

/** What an event says of a letter. */
export type Meaning =
  | {
      is: 'failed';
      /** What the provider's own class of bounces says. It counts if the receiving server's words say nothing, */
      ruling: BounceRuling;
      /** or if it was the provider that refused the letter, and no server said anything. */
      isOwn?: true;
    }
  /** `feedback`: the type of the feedback report (RFC 5965), where the provider names it. */
  | { is: 'complaint'; feedback?: string }
  | { is: 'delayed' | 'unsubscribed' | 'auto_reply' };

/** What a provider reports about one letter to one recipient. */
export interface ProviderReport {
  /** The event's name at the provider, as people see it. */
  name: string;
  /** The same for an event that is sent again, and for no other; '': the whole event tells it. */
  id: string;
  /** When it happened; null if it does not say. */
  at: Date | null;
  /** The recipient that it is about. */
  address: string;
  meaning: Meaning;
  /** What the receiving server said; '' if nothing. */
  said: string;
  /** The enhanced status code (RFC 3463), if it is told by itself. */
  status: string | null;
  /** The Message-ID that we gave the letter; null if the provider does not tell it, or another one. */
  messageId: string | null;
  /** The letter's envelope sender, if it is told. */
  sender: string | null;
  /** What the provider calls the letter, perhaps in its answer when it took it; null: nothing of that kind. */
  handle: string | null;
}

/** What checks that a body comes from the provider, where the secret in the URL is not all. */
export interface KeySignature {
  /** Whether this may be the key: what a manager copied from the provider's page. */
  isKey(key: string): boolean;
  check(key: string, request: SignedRequest): SignatureCheck;
}

export interface SignedRequest {
  /** By lower-case name. */
  headers: Readonly<Record<string, string | undefined>>;
  raw: Buffer;
  body: Json;
  /** Of the database. */
  now: Date;
}

/** `once`: what may be used for one request only, if the signature does not cover the body. */
export type SignatureCheck = { is: 'right'; once?: string } | { is: 'signature' | 'too_old' };

/**
 * A mail provider. To add one: a file of this shape in this folder, its name in `providerNames` and a line in
 * `providers.ts`, its examples with what comes of them in `test/fixtures/webhooks`, a migration of
 * `inbound_letters_source_check` and `webhook_secrets_provider_check`, its title in `PROVIDER_TITLES`, and where to click
 * in `docs/inbound.md` and the page's texts.
 */
export interface Provider {
  /** The events of a body, each about one recipient: so they are kept. Works on whatever is sent. */
  events(body: Json): Json[];
  /** What an event of `events` reports; null: nothing that matters here, or nothing that can be read. */
  report(event: Json): ProviderReport | null;
  /** `sns`: bodies come through Amazon SNS, which signs them by a certificate of its own. */
  signature?: 'sns' | KeySignature;
}

/** How providers write their names. */
export const PROVIDER_TITLES: Record<ProviderName, string> = {
  ses: 'Amazon SES',
  sendgrid: 'SendGrid',
  mailgun: 'Mailgun',
  postmark: 'Postmark',
  brevo: 'Brevo',
  mailjet: 'Mailjet',
  sparkpost: 'SparkPost',
};

export const isProvider = (name: string): name is ProviderName => (providerNames as readonly string[]).includes(name);

/** A field of an object; undefined if this is none, or has none of its own. */
export function field(of: Json, name: string): Json {
  return typeof of === 'object' && of !== null && Object.hasOwn(of, name)
    ? (of as Record<string, Json>)[name]
    : undefined;
}

/** A text or number there, as a text that Postgres can hold; '' for anything else. */
export function text(of: Json, name: string): string {
  const value = field(of, name);
  if (typeof value === 'string') return storable(value);
  return typeof value === 'number' ? String(value) : '';
}

export const textOrNull = (of: Json, name: string): string | null => text(of, name) || null;

/** The items of a list; of anything else itself, as its only one. */
export const list = (value: Json): Json[] =>
  Array.isArray(value) ? (value as Json[]) : value === undefined || value === null ? [] : [value];

/** A time in seconds since 1970, in milliseconds, or in ISO 8601; null for anything else. */
export function time(value: Json): Date | null {
  const number = typeof value === 'string' && /^\d{9,14}(?:\.\d+)?$/.test(value) ? Number(value) : value;
  const date =
    typeof number === 'number'
      ? new Date(number > 1e11 ? number : number * 1_000)
      : typeof value === 'string' && /^\d{4}-\d\d-\d\d[T ]/.test(value)
        ? new Date(value.slice(0, 40))
        : null;
  const year = date?.getUTCFullYear() ?? 0;
  return year >= 2000 && year < 2200 ? date : null;
}

/** The first row whose expression is found in the class. */
export const meaningOf = (rows: readonly (readonly [RegExp, Meaning])[], named: string): Meaning | null =>
  rows.find(([expression]) => expression.test(named))?.[1] ?? null;

const ruled = (
  kind: 'hard' | 'soft',
  reason: BounceRuling['reason'],
  blame: BounceRuling['blame'] = 'recipient',
): Meaning => ({ is: 'failed', ruling: { kind, reason, blame } });
export const hard = (reason: BounceRuling['reason']): Meaning => ruled('hard', reason);
export const soft = (reason: BounceRuling['reason'], blame?: BounceRuling['blame']): Meaning =>
  ruled('soft', reason, blame);
/** The provider keeps a list of its own, and sends nothing to who stands there because their letters came back. */
export const SUPPRESSED: Meaning = {
  is: 'failed',
  ruling: { kind: 'hard', reason: 'provider_suppressed', blame: 'recipient' },
  isOwn: true,
};
/** The provider did not take the letter, for a reason that is about us. */
export const REFUSED: Meaning = {
  is: 'failed',
  ruling: { kind: 'soft', reason: 'policy_refused', blame: 'sender' },
  isOwn: true,
};
export const UNKNOWN: Meaning = soft('undetermined', null);
