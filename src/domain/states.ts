/** The states of the ledger and which follows which. A test compares each list with the CHECK of its column. */
export const mailingStatuses = ['created', 'started', 'paused', 'done'] as const;
export type MailingStatus = (typeof mailingStatuses)[number];

export const runStatuses = ['planning', 'sending', 'done', 'cancelled', 'missed'] as const;
export type RunStatus = (typeof runStatuses)[number];

export const runTriggers = ['schedule', 'demand', 'resend'] as const;
export type RunTrigger = (typeof runTriggers)[number];

export const runReasons = ['down', 'paused', 'overlap', 'ended', 'finished', 'deleted'] as const;
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

export const audiences = ['all', 'selected'] as const;
export type Audience = (typeof audiences)[number];
export const unknownPolicies = ['resend', 'hold'] as const;
export type UnknownPolicy = (typeof unknownPolicies)[number];

export const mailingTransitions: Record<MailingStatus, readonly MailingStatus[]> = {
  created: ['started', 'done'],
  started: ['paused', 'done'],
  paused: ['started', 'done'],
  done: [],
};

export const runTransitions: Record<RunStatus, readonly RunStatus[]> = {
  planning: ['sending', 'cancelled'],
  sending: ['done', 'cancelled'],
  done: ['sending'],
  cancelled: [],
  missed: [],
};

export const deliveryTransitions: Record<DeliveryStatus, readonly DeliveryStatus[]> = {
  pending: ['sending', 'skipped', 'cancelled'],
  sending: ['sent', 'deferred', 'failed', 'unknown', 'pending', 'cancelled'],
  deferred: ['sending', 'skipped', 'failed', 'cancelled'],
  sent: [],
  failed: [],
  unknown: ['pending', 'sent'],
  skipped: [],
  cancelled: [],
};

/** Counts of a run's deliveries by state; `total` is always their sum. */
export type DeliveryCounts = Record<DeliveryStatus, number> & { total: number };
