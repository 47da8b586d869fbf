import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import {
  parseReturnAddress,
  returnAddress,
  type ReturnAddress,
  type ReturnToken,
  tokenTextOf,
} from '../../domain/bounce-address';
import { LinkKeys } from './link-keys.service';

/** Where one letter comes back to. */
export interface ReturnPair {
  /** Its envelope sender. */
  bounce: string;
  /** The address to which a letter unsubscribes. */
  unsubscribe: string;
}

/** The addresses to which letters come back, one for each letter (VERP). */
@Injectable()
export class ReturnAddresses {
  private readonly address: ReturnAddress | null;

  constructor(
    private readonly keys: LinkKeys,
    @Inject(CONFIG) private readonly config: Pick<Config, 'bounceAddress' | 'feedbackAddress'>,
  ) {
    this.address = config.bounceAddress === '' ? null : parseReturnAddress(config.bounceAddress);
  }

  /** The function that gives a letter its addresses; null if none are set up. */
  async writer(): Promise<((deliveryId: number) => ReturnPair) | null> {
    const { address } = this;
    if (!address) return null;
    const tokensOf = await this.keys.returnSigner();
    return (deliveryId) => {
      const { bounce, unsubscribe } = tokensOf(deliveryId);
      return { bounce: returnAddress(address, bounce), unsubscribe: returnAddress(address, unsubscribe) };
    };
  }

  /** The address to which a proof letter goes, and by which it comes back; null if none are set up. */
  async ofProof(proofId: number): Promise<string | null> {
    return this.address && returnAddress(this.address, await this.keys.proofToken(proofId));
  }

  /** What an address says that we gave out, whatever its case and what stands before the token; null for any other. */
  async read(address: string): Promise<ReturnToken | null> {
    const text = this.address === null ? '' : tokenTextOf(address, this.address);
    if (text === '') return null;
    const token = await this.keys.returnTokenOf(text);
    if (token) return token;
    // A person may have taken the token of the link.
    const link = await this.keys.tokenOf(text);
    return link?.kind === 'unsubscribe' ? { kind: 'unsubscribe', deliveryId: link.deliveryId } : null;
  }

  /** Whether complaints are reported to this address. */
  isFeedback(address: string): boolean {
    const bare = address.trim().replace(/^<|>$/g, '').toLowerCase();
    return this.config.feedbackAddress !== '' && bare === this.config.feedbackAddress;
  }
}
