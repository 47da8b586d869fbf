import { domainToASCII } from 'node:url';
import { refusalFingerprint } from '../domain/refusal-text';
import type { TransmitResult, UnsendableProblem } from '../domain/smtp-outcome';
import { ASCII, type Envelope } from './letter-transaction';
import type { SmtpFailure } from './smtp-failure';
import type { SmtpCapabilities } from './smtp-handshake';
import type { SmtpSession } from './smtp-session';

const MAILBOX = /^[^\s<>\p{Cc}]+@[^\s<>@\p{Cc}]+$/u;

export interface Letter extends Envelope {
  /** The whole letter, or how to make it once it is known what the server can take. */
  raw: Buffer | ((capabilities: SmtpCapabilities) => Buffer);
  /** What follows it, the same octets for many letters: lines that end in CRLF, none of which begins with a dot. */
  tail?: Buffer | undefined;
  /** Goes ahead of all waiting letters. */
  first?: boolean;
  /**
   * Set if a connection that had served letters refused this one: the wording of the refusal. It now goes through an
   * unused connection.
   */
  fresh?: string | undefined;
  /** Asked when a connection is ready for this letter, before anything of it is sent; false withholds it. */
  permit?: (() => Promise<boolean>) | undefined;
}

/** Runs our own checks against the server's capabilities, then sends the letter. If a check fails, nothing was sent. */
export function deliver(session: SmtpSession, letter: Letter): Promise<TransmitResult> | TransmitResult {
  const { capabilities: server } = session;
  const from = letter.from && asciiDomain(letter.from);
  const to = asciiDomain(letter.to);
  if (to === null) return unsendable('bad_address', 'The address cannot be used in an SMTP command.');
  if (from === null) return unsendable('sender_needs_utf8', 'The sender address cannot be used in an SMTP command.');
  if (!server.smtpUtf8 && !ASCII.test(to)) {
    return unsendable('address_needs_utf8', 'The address is not ASCII and the server does not offer SMTPUTF8.');
  }
  if (!server.smtpUtf8 && !ASCII.test(from)) {
    return unsendable('sender_needs_utf8', 'The sender address is not ASCII and the server does not offer SMTPUTF8.');
  }
  let raw: Buffer;
  try {
    raw = typeof letter.raw === 'function' ? letter.raw(server) : letter.raw;
  } catch (error) {
    return unsendable('template_failed', error instanceof Error ? error.message : String(error));
  }
  const { tail } = letter;
  const size = tail ? raw.length + tail.length : raw.length;
  if (server.size !== null && size > server.size) {
    return unsendable('too_large', `The letter has ${size} bytes, the server takes ${server.size}.`);
  }
  return session.send({ from, to }, raw, tail);
}

/**
 * The address with its domain in ASCII (RFC 5890), or null where it is no address for an SMTP command: nothing that
 * could end the command gets past here.
 */
function asciiDomain(address: string): string | null {
  if (!MAILBOX.test(address)) return null;
  if (ASCII.test(address)) return address;
  const at = address.lastIndexOf('@');
  const domain = domainToASCII(address.slice(at + 1));
  return domain && `${address.slice(0, at)}@${domain}`;
}

const unsendable = (problem: UnsendableProblem, text: string): SmtpFailure => ({ kind: 'unsendable', problem, text });

/** The wording to be tested on a new connection, after a refusal that may be a limit of letters per connection. */
export const wordingOf = (result: TransmitResult, letter: Envelope): string =>
  result.kind === 'refused' ? refusalFingerprint(result.reply, letter) : '';
