/** The states of the ledger. A test compares each list with the CHECK of its column. */
export const mailingStatuses = ['created', 'started', 'paused', 'done'] as const;
export type MailingStatus = (typeof mailingStatuses)[number];

export const runStatuses = ['planning', 'sending', 'done', 'cancelled', 'missed'] as const;
export type RunStatus = (typeof runStatuses)[number];

export const runTriggers = ['schedule', 'demand', 'resend'] as const;
export type RunTrigger = (typeof runTriggers)[number];

export const runReasons = ['down', 'paused', 'overlap', 'ended', 'finished'] as const;
export type RunReason = (typeof runReasons)[number];

export const deliveryStatuses = [
  'pending',
  'sending',
  'deferred',
  'sent',
  'failed',
  'unknown',
  'skipped',
  'cancelled',
] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

export const attemptStatuses = ['ok', 'failed', 'unknown'] as const;
export type AttemptStatus = (typeof attemptStatuses)[number];

export const unknownPolicies = ['resend', 'hold'] as const;
export type UnknownPolicy = (typeof unknownPolicies)[number];

/** From which status each action on a mailing is allowed; `done` is final. */
export const mailingVerbs = {
  started: ['created'],
  paused: ['started'],
  resumed: ['paused'],
  finished: ['created', 'started', 'paused'],
  changed: ['created', 'started', 'paused'],
  sent: ['created', 'started'],
} as const satisfies Record<string, readonly MailingStatus[]>;
export type MailingVerb = keyof typeof mailingVerbs;

/** Counts of a run's deliveries by state; `total` is always their sum. */
export type DeliveryCounts = Record<DeliveryStatus, number> & { total: number };
