import { createHash, randomBytes } from 'node:crypto';
import { generateSecret, generateURI, verifySync } from 'otplib';

const PERIOD_S = 30;
const RECOVERY_CODES = 10;
/** Crockford's Base32: what looks like 0 or 1 is read as 0 or 1. */
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';
const CODE_LETTERS = 24;

/** 160 random bits in Base32, as authenticator apps take them. */
export const newTotpSecret = (): string => generateSecret();

/** The content of the QR code for an authenticator app. */
export const totpUri = (secret: string, email: string): string =>
  generateURI({ issuer: 'Gonets', label: email, secret });

/**
 * The time step (RFC 6238: SHA-1, six digits, 30 s) of this code, if it is the present one or the one before or after
 * it: phones' clocks differ, and typing takes time. Null for any other code.
 */
export function totpStep(secret: string, code: string, epochS: number): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const result = verifySync({ secret, token: code, epoch: Math.floor(epochS), epochTolerance: PERIOD_S });
  return result.valid ? Math.floor(epochS / PERIOD_S) + result.delta : null;
}

/** Ten codes of 120 random bits each, so that their SHA-256 reveals nothing. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () =>
    [...randomBytes(CODE_LETTERS)]
      .map((byte) => LETTERS[byte & 31])
      .join('')
      .replace(/.{4}(?=.)/g, '$&-'),
  );
}

/** Without the spaces and hyphens that people type. */
export const plainCode = (typed: string): string => typed.replace(/[\s\p{Dash}]/gu, '');

/** Capitals count as small letters, and O, I and L as 0 and 1. */
export function hashRecoveryCode(typed: string): Buffer {
  const code = plainCode(typed).toLowerCase().replaceAll('o', '0').replace(/[il]/g, '1');
  return createHash('sha256').update(code).digest();
}
