import { sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Messages as Amazon SNS sends them, signed by the key of `sns.pem`. */

export const SNS_PEM = readFileSync(join(__dirname, 'sns.pem'), 'utf8');
/** The certificate alone, as SNS gives it out. */
export const SNS_CERTIFICATE = SNS_PEM.slice(SNS_PEM.indexOf('-----BEGIN CERTIFICATE'));
export const SNS_CERTIFICATE_URL = 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-9c6465fa.pem';
export const SNS_TOPIC = 'arn:aws:sns:eu-west-1:123456789012:bounces';

type Fields = Record<string, string>;
let messages = 0;

export function snsNotification(message: unknown, more: Fields = {}, key = SNS_PEM): Fields {
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  return signed({ ...base('Notification'), Message: text, ...more }, key);
}

export function snsConfirmation(more: Fields = {}, type = 'SubscriptionConfirmation'): Fields {
  const subscribe = `https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${SNS_TOPIC}&Token=2336412f`;
  const own = { Token: '2336412f', Message: 'You have chosen to subscribe …', SubscribeURL: subscribe };
  return signed({ ...base(type), ...own, ...more });
}

const base = (type: string): Fields => ({
  Type: type,
  MessageId: `22b80b92-fdea-4c2c-8f9d-${String(++messages).padStart(12, '0')}`,
  TopicArn: SNS_TOPIC,
  Timestamp: '2026-11-30T08:00:06.000Z',
  SignatureVersion: '2',
  SigningCertURL: SNS_CERTIFICATE_URL,
});

/** Written down here once more, so that a mistake in what is signed shows. */
function signed(message: Fields, key = SNS_PEM): Fields {
  const names =
    message.Type === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  let text = '';
  for (const name of names) if (message[name] !== undefined) text += `${name}\n${message[name]}\n`;
  const algorithm = message.SignatureVersion === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
  return { ...message, Signature: sign(algorithm, Buffer.from(text), key).toString('base64') };
}
