import { Injectable } from '@nestjs/common';

const WITHIN_MS = 5_000;
const ANSWER_BYTES = 64 * 1024;
const KEPT = 20;

/** The only requests that the service makes to Amazon SNS: certificates, and the confirmation of a subscription. */
@Injectable()
export class SnsClient {
  private readonly certificates = new Map<string, Promise<string>>();

  /** The certificate at this address, asked for once. @param url of a host of SNS @throws Error */
  async certificate(url: string): Promise<string> {
    const known = this.certificates.get(url);
    if (known) return known;
    if (this.certificates.size >= KEPT) this.certificates.clear();
    const asked = ask(url);
    this.certificates.set(url, asked);
    asked.catch(() => this.certificates.delete(url));
    return asked;
  }

  /** Confirms a subscription. @param url of a host of SNS @throws Error */
  async confirm(url: string): Promise<void> {
    await ask(url);
  }
}

/** At most ANSWER_BYTES of the answer, which has to be 200, from this very address. */
async function ask(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(WITHIN_MS) });
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += piece.length;
    // Leaving the loop ends the connection.
    if (size > ANSWER_BYTES) throw new Error('the answer of SNS is too long');
    pieces.push(piece);
  }
  if (response.status !== 200) throw new Error(`SNS answered ${response.status}`);
  return Buffer.concat(pieces).toString();
}
