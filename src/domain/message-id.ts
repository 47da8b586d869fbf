import { createHmac } from 'node:crypto';

/** What makes a delivery itself: the same on every try of it. */
export interface DeliveryKey {
  runId: number;
  deliveryId: number;
}

/**
 * The Message-ID of a delivery (RFC 5322 3.6.4), angle brackets included: the same on every try, different for every
 * delivery, and without `secret` neither guessable nor telling anything of the recipient.
 */
export function messageId(key: DeliveryKey, secret: string, senderDomain: string): string {
  return `<${digest('message-id', key, secret)}@${senderDomain}>`;
}

/** The MIME boundary of a delivery: stable like its Message-ID; `=_` occurs in no quoted-printable or base64 line. */
export function mimeBoundary(key: DeliveryKey, secret: string): string {
  return `=_${digest('boundary', key, secret)}`;
}

/** 128 bits, in hexadecimal. */
const digest = (purpose: string, key: DeliveryKey, secret: string): string =>
  createHmac('sha256', secret).update(`${purpose}:${key.runId}:${key.deliveryId}`).digest('hex').slice(0, 32);
