import { type KeyObject, verify, X509Certificate } from 'node:crypto';
import { type Json, text, time } from './provider';

/** A message of Amazon SNS by HTTPS (docs.aws.amazon.com/sns, "Verifying the signatures of Amazon SNS messages"). */
export interface SnsMessage {
  type: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';
  topicArn: string;
  /** What it carries, as a text. */
  message: string;
  signatureVersion: '1' | '2';
  signature: Buffer;
  signingCertUrl: string;
  subscribeUrl: string;
  /** What is signed. */
  signed: string;
}

const FIELDS: Record<SnsMessage['type'], readonly string[]> = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
  UnsubscribeConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
};

/** Hosts of SNS, and nothing beside the host: no port, user, escapes or fragment. */
const HOST = 'https://sns\\.[a-z0-9-]{1,40}\\.amazonaws\\.com(?:\\.cn)?';
const CERTIFICATE = new RegExp(`^${HOST}/[\\w-]{1,100}\\.pem$`);
const SUBSCRIBE = new RegExp(`^${HOST}/\\?[\\w.:~&=%+-]{1,2000}$`);
const ARN = /^arn:aws[a-z-]{0,20}:sns:[a-z0-9-]{1,40}:\d{12}:[\w.-]{1,256}$/;

export const isCertificateUrl = (url: string): boolean => CERTIFICATE.test(url);
export const isSubscribeUrl = (url: string): boolean => SUBSCRIBE.test(url);

/** Null for what is no message of SNS, or lacks its signature. */
export function snsMessage(body: Json): SnsMessage | null {
  const type = text(body, 'Type');
  const fields = Object.hasOwn(FIELDS, type) ? FIELDS[type as SnsMessage['type']] : undefined;
  const signatureVersion = text(body, 'SignatureVersion');
  const topicArn = text(body, 'TopicArn');
  const signature = Buffer.from(text(body, 'Signature'), 'base64');
  if (!fields || !ARN.test(topicArn) || time(text(body, 'Timestamp')) === null || signature.length === 0) return null;
  if (signatureVersion !== '1' && signatureVersion !== '2') return null;
  const whole = (name: string): string | undefined => {
    const value = (body as Record<string, Json>)[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    type: type as SnsMessage['type'],
    topicArn,
    message: whole('Message') ?? '',
    signatureVersion,
    signature,
    signingCertUrl: text(body, 'SigningCertURL'),
    subscribeUrl: text(body, 'SubscribeURL'),
    signed: fields
      .map((name) => [name, whole(name)] as const)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}\n${value}\n`)
      .join(''),
  };
}

/** The key of a certificate that is valid now; null for anything else. */
export function certificateKey(pem: string, now: Date): KeyObject | null {
  try {
    const certificate = new X509Certificate(pem);
    const isValid = certificate.validFromDate <= now && now <= certificate.validToDate;
    return isValid && certificate.publicKey.asymmetricKeyType === 'rsa' ? certificate.publicKey : null;
  } catch {
    return null;
  }
}

/** Version 1 signs by SHA-1, version 2 by SHA-256. */
export const isSignedBy = (key: KeyObject, { signatureVersion, signed, signature }: SnsMessage): boolean =>
  verify(signatureVersion === '1' ? 'sha1' : 'sha256', Buffer.from(signed), key, signature);
