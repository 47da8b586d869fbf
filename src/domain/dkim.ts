import { createHash, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { parseEmailAddress } from './email-address';
import { invalid, type ValidationError } from './errors';
import { problem, type UnusableFault } from './problems';

/** Signing domain, selector, and the private key as PEM (PKCS#8, or PKCS#1 for RSA). */
export interface DkimOptions {
  domain: string;
  selector: string;
  privateKey: string;
}

/** The settings of an account's signatures; an empty domain or key is none. */
export interface DkimSettings {
  dkimDomain: string;
  dkimSelector: string;
  dkimPrivateKey: string;
  dkimSelector2: string;
  dkimPrivateKey2: string;
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

/**
 * Fields that nobody may add later: listed once more than they occur, so that another one breaks the signature (RFC
 * 6376 5.4.2).
 */
const SEALED_FIELDS =
  'from to cc sender reply-to subject date message-id mime-version content-type content-transfer-encoding list-id ' +
  'list-unsubscribe list-unsubscribe-post';
/** Fields that are signed in the same way if they are present; if they are absent, a relay may add one. */
const OTHER_FIELDS = 'list-help list-owner auto-submitted precedence in-reply-to references feedback-id cfbl-address';
const SEALED = SEALED_FIELDS.split(' ');
const SIGNED_FIELDS = new Set([...SEALED, ...OTHER_FIELDS.split(' ')]);

/**
 * The keys that letters are signed with: none, one, or two of one domain (RSA for all, Ed25519 for those who know it).
 * @throws ValidationError naming the setting that is wrong
 */
export function dkimKeys(settings: DkimSettings): PreparedDkim[] {
  const { dkimDomain: domain, dkimSelector, dkimPrivateKey, dkimSelector2, dkimPrivateKey2 } = settings;
  if (!domain) return [];
  const first = prepareDkim({ domain, selector: dkimSelector, privateKey: dkimPrivateKey });
  if (!dkimPrivateKey2) return [first];
  if (dkimSelector2 === dkimSelector) throw unusable('selector2', 'dkim_same_selector');
  return [first, prepareDkim({ domain, selector: dkimSelector2, privateKey: dkimPrivateKey2 }, '2')];
}

/**
 * Parses the key, once for all letters: RSA of at least 1024 bits (RFC 6376), or Ed25519 (RFC 8463).
 * @throws ValidationError naming what is wrong; never with the key in it
 */
export function prepareDkim(options: DkimOptions, which: '' | '2' = ''): PreparedDkim {
  const parsed = parseEmailAddress(`postmaster@${options.domain}`);
  if (!parsed.ok) throw unusable('domain', 'dkim_domain');
  if (!SELECTOR.test(options.selector)) throw unusable(`selector${which}`, 'dkim_selector');
  const key = readKey(options.privateKey, `privateKey${which}`);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'ed25519' && (key.asymmetricKeyType !== 'rsa' || bits < MIN_RSA_BITS)) {
    throw unusable(`privateKey${which}`, 'dkim_key', MIN_RSA_BITS);
  }
  const algorithm = key.asymmetricKeyType === 'rsa' ? 'rsa-sha256' : 'ed25519-sha256';
  return { domain: parsed.email.slice('postmaster@'.length), selector: options.selector, algorithm, key };
}

/**
 * The letter with a DKIM-Signature of each key in front (RFC 6376; relaxed/relaxed), signed as of `signedAt`. RSA and
 * Ed25519 signatures are functions of their input: the same letter at the same time gives the same octets.
 * @param letter a whole letter with CRLF line ends, as `composeLetter` makes it
 * @param rest what follows it, in its relaxed form, if the letter ends in one line end; it is not in what is returned
 */
export function signLetter(keys: PreparedDkim[], letter: Buffer, signedAt: Date, rest?: Buffer): Buffer {
  const end = letter.indexOf('\r\n\r\n');
  const header = letter.toString('latin1', 0, end < 0 ? letter.length : end);
  const body = end < 0 ? '' : letter.toString('latin1', end + 4);
  const hash = createHash('sha256').update(relaxedBody(body), 'latin1');
  const bodyHash = (rest ? hash.update(rest) : hash).digest('base64');

  // A field that occurs twice is signed from the bottom up (RFC 6376 5.4.2).
  const fields = readFields(header)
    .filter((field) => SIGNED_FIELDS.has(field.name))
    .reverse();
  const names = listedNames(fields.map((field) => field.name));
  const signed = fields.map((field) => `${field.name}:${field.value}\r\n`).join('');
  const signatures = keys.map((dkim) => {
    const unsigned =
      `DKIM-Signature: v=1; a=${dkim.algorithm}; c=relaxed/relaxed;\r\n\td=${dkim.domain}; s=${dkim.selector};\r\n` +
      `\tt=${Math.floor(signedAt.getTime() / 1000)};\r\n\th=${names};\r\n\tbh=${bodyHash};\r\n\tb=`;
    const own = readFields(unsigned).map((field) => `${field.name}:${field.value}`);
    const signature = signText(dkim, Buffer.from(signed + own.join(''), 'latin1'));
    return `${unsigned}${signature.replace(/.{72}(?=.)/g, '$&\r\n\t ')}\r\n`;
  });
  return Buffer.concat([Buffer.from(signatures.join(''), 'latin1'), letter]);
}

/** The list `h=` of a letter with these fields, folded; letters of a run have the same fields. */
let lastListed: { present: string; names: string } | undefined;
function listedNames(present: string[]): string {
  const key = present.join(':');
  if (lastListed?.present !== key) {
    const sealed = new Set([...present, ...SEALED]);
    lastListed = { present: key, names: [...present, ...sealed].join(':').replace(/.{1,60}:/g, '$&\r\n\t ') };
  }
  return lastListed.names;
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
export function readFields(header: string): { name: string; value: string }[] {
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
export function relaxedBody(body: string): string {
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

function readKey(pem: string, field: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw unusable(field, 'dkim_pem');
  }
}

const unusable = (field: string, fault: UnusableFault, bits?: number): ValidationError =>
  invalid(`dkim.${field}`, problem('unusable', { fault, ...(bits && { bits }) }));
