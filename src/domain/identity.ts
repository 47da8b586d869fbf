import { composeLetter, type LetterEnvelope, type PreparedLetter } from './compose';
import { dkimKeys, type DkimSettings, type PreparedDkim, signLetter } from './dkim';
import { emailDomain } from './email-address';
import { type NamedMailbox, parseMailbox } from './mailbox';

/** The identity of an account's letters: From and envelope sender, the domain of Message-IDs, and the DKIM keys. */
export interface Identity {
  from: NamedMailbox;
  domain: string;
  dkim: PreparedDkim[];
}

/** @throws Error, ValidationError naming the setting that is wrong */
export function identityOf(settings: DkimSettings & { mailFrom: string }): Identity {
  return { ...senderOf(settings.mailFrom), dkim: dkimKeys(settings) };
}

/** Parses a sender as settings and runs store it. @throws Error if it can't be parsed */
export function senderOf(text: string): Pick<Identity, 'from' | 'domain'> {
  const from = parseMailbox(text);
  if (!from) throw new Error('MAIL_FROM must be an address or Name <address@domain>');
  return { from, domain: emailDomain(from.address) };
}

/**
 * Composes a letter (`composeLetter`) and signs it, with what follows it. Signed letters are 7-bit: a relay that re-encodes 8-bit parts would
 * break the signature.
 */
export function composeSigned({ dkim }: Identity, prepared: PreparedLetter, letter: LetterEnvelope): Buffer {
  if (dkim.length === 0) return composeLetter(prepared, letter);
  return signLetter(
    dkim,
    composeLetter(prepared, { ...letter, eightBitMime: false }),
    letter.date,
    prepared.attached?.relaxed,
  );
}
