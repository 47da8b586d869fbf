import { SMTP_REASONS } from './smtp-ruling';
import type { MailingStatus } from './states';
import { suppressionReasons } from './suppression';

/** The codes that pages show. Each has a text in every language: a catalogue that lacks one does not compile. */

/** Why a delivery is in its state. */
export const deliveryReasons = [
  ...SMTP_REASONS,
  'ended',
  'finished',
  'client_deleted',
  'domain_rests',
  ...suppressionReasons,
  'unconfirmed',
  'worker_lost',
  'unknown',
] as const;
/** Why recipients of a mailing get nothing of it, as far as this is known before it starts. */
export const exclusionReasons = [...suppressionReasons, 'unconfirmed'] as const;
export type ExclusionReason = (typeof exclusionReasons)[number];

export type DeliveryReason = (typeof deliveryReasons)[number];

/**
 * Reasons found from many answers together: all recipients got the same refusal; letters were handed over and not
 * answered.
 */
export const SAME_REFUSAL = 'same_refusal';
export const REPLIES_LOST = 'replies_lost';
/** Why the SMTP account waits or is parked: because of one answer, or of many answers together. */
export type AccountReason = (typeof SMTP_REASONS)[number] | typeof SAME_REFUSAL | typeof REPLIES_LOST;

/** Why a mailing is paused or done, if not by its owner. */
export const mailingCodes = [
  'paused_by_manager',
  'owner_blocked',
  'ended',
  'letters_per_day',
  'POSTAL_ADDRESS_MISSING',
  'complaint_rate',
  'restored',
  ...SMTP_REASONS,
] as const;
export type MailingCode = (typeof mailingCodes)[number];

/** What happened to the SMTP account. */
export const accountEvents = ['settings_changed', 'waiting', 'parked', 'resumed', 'resumed_by_hand'] as const;
export type AccountEvent = (typeof accountEvents)[number];

/** Why a service refused a well-formed request. */
export type RefusalCode =
  | 'BAD_REQUEST'
  | `MAILING_${Uppercase<MailingStatus>}`
  | 'BUSY'
  | 'CHANGED_MEANWHILE'
  | 'CROSS_SITE'
  | 'CSRF_TOKEN'
  | 'ACCOUNT_BLOCKED'
  | 'DATABASE_UNAVAILABLE'
  | 'DELIVERY_NOT_UNKNOWN'
  | 'DELIVERY_REPEATED'
  | 'EMAIL_TAKEN'
  | 'FORMS_FULL'
  | 'FIELDS_FULL'
  | 'FIELD_EXISTS'
  | 'FIELD_IN_USE'
  | 'FIELD_OPTION_IN_USE'
  | 'IDENTITY_TAKEN'
  | 'IMPORT_APPLIED'
  | 'IMPORT_FILE_GONE'
  | 'IMPORT_NOT_UNDOABLE'
  | 'IMPORT_RUNNING'
  | 'LETTERS_PER_DAY'
  | 'LIMITS_UNAVAILABLE'
  | 'LIFTED_LATELY'
  | 'LINK_INVALID'
  | 'MAILING_AUDIENCE_ALL'
  | 'MAILING_EMPTY'
  | 'MAILING_ENDED'
  | 'MAILING_DUE'
  | 'MAILING_NEVER_RUN'
  | 'MAILING_SENDING'
  | 'MEDIA_FULL'
  | 'MEDIA_IN_USE'
  | 'MESSAGE_IN_USE'
  | 'LETTER_NOT_MADE'
  | 'LETTER_UNDER_WAY'
  | 'NOTHING_WITHHELD'
  | 'OIDC_EMAIL_UNVERIFIED'
  | 'OIDC_FAILED'
  | 'OIDC_LINK_FIRST'
  | 'OIDC_UNAVAILABLE'
  | 'OWNER_BLOCKED'
  | 'OWN_ROLE'
  | 'PREFLIGHT_BLOCKED'
  | 'PASSWORD_MISSING'
  | 'PROOF_NEEDS_ADDRESS'
  | 'RATE_LIMITED'
  | 'REGISTRATION_CLOSED'
  | 'RUN_CLOSING'
  | 'RUN_NOTHING_FAILED'
  | 'RUN_NOT_HELD'
  | 'RUN_RESENDING'
  | 'SEARCH_TOO_SLOW'
  | 'SECOND_FACTOR_FAILED'
  | 'SECOND_FACTOR_OFF'
  | 'SECOND_FACTOR_ON'
  | 'SEGMENT_IN_USE'
  | 'SEGMENT_NAME_TAKEN'
  | 'SEGMENT_TOO_SLOW'
  | 'SIGN_IN_FAILED'
  | 'SIGN_IN_OVER'
  | 'SNS_UNREACHABLE'
  | 'STORAGE_UNAVAILABLE'
  | 'SUPPRESSION_LIFTED'
  | 'TAGS_FULL'
  | 'TAG_EXISTS'
  | 'TAG_IN_USE'
  | 'TEMPLATE_FAILED'
  | 'TOO_MANY_SEGMENTS'
  | 'USER_NOT_BLOCKED'
  | 'USER_NOT_INVITED'
  | 'USER_NOT_WAITING'
  | 'USER_UNCONFIRMED'
  | 'WEBHOOKS_FULL';

/** Every code of an expected error: a refusal, or the code of an error kind. */
export type ErrorCode =
  | RefusalCode
  | 'VALIDATION_FAILED'
  | 'NOT_FOUND'
  | 'FORBIDDEN'
  | 'UNAUTHENTICATED'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'TOO_LARGE';
