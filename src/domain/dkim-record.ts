import { createPublicKey, type KeyObject } from 'node:crypto';
import type { PreparedDkim } from './dkim';
import { recordTags } from './record-tags';

/** The name under which a key's record stands (RFC 6376 3.6.2.1). */
export const dkimRecordName = ({ selector, domain }: Pick<PreparedDkim, 'selector' | 'domain'>): string =>
  `${selector}._domainkey.${domain}`;

/** The record to publish for a key (RFC 6376 3.6.1, RFC 8463 4). */
export const dkimRecord = (dkim: PreparedDkim): string =>
  `v=DKIM1; k=${keyType(dkim)}; p=${publicKeyOf(dkim).toString('base64')}`;

/**
 * Whether a record publishes the public part of this key. RSA keys are published as SubjectPublicKeyInfo, some as
 * RSAPublicKey. An empty key is a revoked one.
 */
export function isRecordOf(record: string, dkim: PreparedDkim): boolean {
  const tags = recordTags(record);
  if ((tags.get('v') ?? 'DKIM1') !== 'DKIM1') return false;
  if ((tags.get('k') ?? 'rsa').toLowerCase() !== keyType(dkim)) return false;
  const published = Buffer.from((tags.get('p') ?? '').replace(/\s+/g, ''), 'base64');
  const ours = publicKeyOf(dkim);
  return published.equals(ours) || (dkim.algorithm === 'rsa-sha256' && rsaKey(published)?.equals(ours) === true);
}

/** Bits of an RSA key; null for another kind. */
export const rsaBits = ({ key }: PreparedDkim): number | null => key.asymmetricKeyDetails?.modulusLength ?? null;

const keyType = ({ algorithm }: PreparedDkim) => (algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519');

/** As it stands in a record: SubjectPublicKeyInfo of an RSA key, the 32 octets of an Ed25519 key. */
function publicKeyOf({ algorithm, key }: PreparedDkim): Buffer {
  const spki = spkiOf(createPublicKey(key));
  return algorithm === 'rsa-sha256' ? spki : spki.subarray(-32);
}

function rsaKey(der: Buffer): Buffer | null {
  try {
    return spkiOf(createPublicKey({ key: der, format: 'der', type: 'pkcs1' }));
  } catch {
    return null;
  }
}

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
