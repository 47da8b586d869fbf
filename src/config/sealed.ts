import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** What is sealed: each purpose has its own key, so that a value sealed for one can't be used for the other. */
export type SealPurpose = 'second-factor' | 'oidc-sign-in' | 'mailbox-token' | 'webhook-key';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const keyFor = (secretKey: string, purpose: SealPurpose): Buffer =>
  Buffer.from(hkdfSync('sha256', secretKey, '', `gonets:${purpose}`, 32));

/**
 * Encrypts and authenticates (AES-256-GCM) under a key that comes from SECRET_KEY by HKDF. `context` is not in the
 * result, but opens it: a user's id, so that what was sealed for one is worth nothing in the row of another.
 */
export function seal(secretKey: string, purpose: SealPurpose, text: string, context = ''): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyFor(secretKey, purpose), nonce).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

/**
 * What was sealed, or null for anything else: changed on the way, for something or somebody else, under another
 * SECRET_KEY.
 */
export function unseal(secretKey: string, purpose: SealPurpose, sealed: Buffer, context = ''): string | null {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv('aes-256-gcm', keyFor(secretKey, purpose), sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString(
      'utf8',
    );
  } catch {
    return null;
  }
}
