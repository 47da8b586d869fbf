import type { AttemptStatus, DeliveryStatus } from './states';

/**
 * What became of the letter after an attempt. Only `failed` is for a person to handle: the delivery ended so with this
 * attempt. `retry`: it will be tried again; `retried`: it was; `ended`: it failed, and the delivery came to another
 * end, such as its run being cancelled.
 */
export type AttemptFate = 'ok' | 'unknown' | 'failed' | 'retry' | 'retried' | 'ended';

export interface TriedAttempt {
  status: AttemptStatus;
  attemptNumber: number;
  /** Its delivery as it is now, and how often that was tried. */
  deliveryStatus: DeliveryStatus;
  deliveryAttempts: number;
}

export function attemptFate({ status, attemptNumber, deliveryStatus, deliveryAttempts }: TriedAttempt): AttemptFate {
  if (status !== 'failed') return status;
  if (attemptNumber < deliveryAttempts) return 'retried';
  if (deliveryStatus === 'failed') return 'failed';
  return ['pending', 'sending', 'deferred'].includes(deliveryStatus) ? 'retry' : 'ended';
}
