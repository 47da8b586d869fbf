import { createHmac } from 'node:crypto';

/** What makes a delivery itself: the same on every try of it. */
export interface DeliveryKey {
  runId: number;
  deliveryId: number;
}

/**
 * The Message-ID of a delivery (RFC 5322 3.6.4), angle brackets included, and its MIME boundary: the same on every try,
 * different for every delivery, and without `secret` neither guessable nor telling anything of the recipient.
 * `=_` occurs in no quoted-printable or base64 line. Each is 128 bits of one keyed digest, in hexadecimal.
 */
export function letterIdentity(
  key: DeliveryKey,
  secret: string,
  senderDomain: string,
): { messageId: string; boundary: string } {
  const digest = createHmac('sha256', secret).update(`${key.runId}:${key.deliveryId}`).digest('hex');
  return { messageId: `<${digest.slice(0, 32)}@${senderDomain}>`, boundary: `=_${digest.slice(32)}` };
}
