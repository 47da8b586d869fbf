import { createHash, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { parseEmailAddress } from './email-address';
import { ValidationError } from './errors';

/** Whose signature, and the key's PEM (PKCS#8, or PKCS#1 for RSA). */
export interface DkimOptions {
  domain: string;
  selector: string;
  privateKey: string;
}

/** A DKIM identity whose key has been parsed. */
export interface PreparedDkim {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
  readonly key: KeyObject;
}

const MIN_RSA_BITS = 1024; // RFC 8301 3.2
const SELECTOR = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** Fields that are signed where present (RFC 6376 5.4.1), and `from` once more, so that none can be added. */
const SIGNED_FIELDS = new Set(
  (
    'from to cc reply-to subject date message-id mime-version content-type content-transfer-encoding list-id ' +
    'list-unsubscribe list-unsubscribe-post list-help list-owner auto-submitted in-reply-to references feedback-id'
  ).split(' '),
);

/**
 * Parses the key, once for all letters: RSA of at least 1024 bits (RFC 6376), or Ed25519 (RFC 8463).
 * @throws ValidationError naming what is wrong; never with the key in it
 */
export function prepareDkim(options: DkimOptions): PreparedDkim {
  const parsed = parseEmailAddress(`postmaster@${options.domain}`);
  if (!parsed.ok) throw invalid('domain', 'is not a domain name');
  if (!SELECTOR.test(options.selector)) throw invalid('selector', 'is not a DKIM selector');
  const key = readKey(options.privateKey);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'ed25519' && (key.asymmetricKeyType !== 'rsa' || bits < MIN_RSA_BITS)) {
    throw invalid('privateKey', `must be an Ed25519 key, or an RSA key of at least ${MIN_RSA_BITS} bits`);
  }
  const algorithm = key.asymmetricKeyType === 'rsa' ? 'rsa-sha256' : 'ed25519-sha256';
  return { domain: parsed.email.slice('postmaster@'.length), selector: options.selector, algorithm, key };
}

/**
 * The letter with a DKIM-Signature in front (RFC 6376; relaxed/relaxed), signed as of `signedAt`. RSA and Ed25519 signatures
 * are functions of their input: the same letter at the same time gives the same octets.
 * @param letter a whole letter with CRLF line ends, as `composeLetter` makes it
 */
export function signLetter(dkim: PreparedDkim, letter: Buffer, signedAt: Date): Buffer {
  const end = letter.indexOf('\r\n\r\n');
  const header = letter.toString('latin1', 0, end < 0 ? letter.length : end);
  const body = end < 0 ? '' : letter.toString('latin1', end + 4);
  const bodyHash = createHash('sha256').update(relaxedBody(body), 'latin1').digest('base64');

  // A field that occurs twice is signed from the bottom up (RFC 6376 5.4.2).
  const fields = readFields(header)
    .filter((field) => SIGNED_FIELDS.has(field.name))
    .reverse();
  const names = [...fields.map((field) => field.name), 'from'].join(':').replace(/(.{50,60}:)/g, '$1\r\n\t ');
  const unsigned =
    `DKIM-Signature: v=1; a=${dkim.algorithm}; c=relaxed/relaxed;\r\n\td=${dkim.domain}; s=${dkim.selector};\r\n` +
    `\tt=${Math.floor(signedAt.getTime() / 1000)};\r\n\th=${names};\r\n\tbh=${bodyHash};\r\n\tb=`;
  const input = [...fields, ...readFields(unsigned)].map((field) => `${field.name}:${field.value}`).join('\r\n');
  const signature = signText(dkim, Buffer.from(input, 'latin1')).replace(/.{72}(?=.)/g, '$&\r\n\t ');
  return Buffer.concat([Buffer.from(`${unsigned}${signature}\r\n`, 'latin1'), letter]);
}

/** Ed25519 signs the SHA-256 of the input (RFC 8463 3), RSA the input by PKCS#1 v1.5 with SHA-256. */
function signText(dkim: PreparedDkim, input: Buffer): string {
  const signature =
    dkim.algorithm === 'rsa-sha256'
      ? sign('sha256', input, dkim.key)
      : sign(null, createHash('sha256').update(input).digest(), dkim.key);
  return signature.toString('base64');
}

/** The header's fields by relaxed canonicalization (RFC 6376 3.4.2). */
function readFields(header: string): { name: string; value: string }[] {
  return header
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')
    .map((line) => {
      const colon = line.indexOf(':');
      const value = line.slice(colon + 1).replace(/[ \t]+/g, ' ');
      return { name: line.slice(0, colon).trim().toLowerCase(), value: value.replace(/^ | $/g, '') };
    });
}

/** The body by relaxed canonicalization (RFC 6376 3.4.4): an empty one stays empty, any other ends in one CRLF. */
function relaxedBody(body: string): string {
  const text = /[ \t][ \t\r]|\t/.test(body)
    ? body
        .replace(/[ \t]+/g, ' ')
        .replaceAll(' \r\n', '\r\n')
        .replace(/ $/, '')
    : body.replace(/ $/, '');
  let end = text.length;
  while (end >= 2 && text[end - 1] === '\n' && text[end - 2] === '\r') end -= 2;
  return end === 0 ? '' : `${text.slice(0, end)}\r\n`;
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw invalid('privateKey', 'is not an unencrypted private key in PEM');
  }
}

const invalid = (field: string, message: string) => new ValidationError([{ field: `dkim.${field}`, message }]);
