import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { ProviderCounts } from '../features/statistics/provider-counts.service';
import { ProviderLookup } from '../features/statistics/provider-lookup.service';
import { Repeated } from '../logging/repeated';

/** Counts how letters fare at providers, behind the letters; of all workers one at a time. */
@Injectable()
export class Counting {
  private isUnderWay = false;
  private readonly failures: Repeated;

  constructor(
    private readonly counts: ProviderCounts,
    private readonly lookup: ProviderLookup,
    logger: PinoLogger,
  ) {
    this.failures = new Repeated(logger);
  }

  /** Never throws. */
  async run(): Promise<void> {
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    try {
      if ((await this.counts.count()) !== 'busy') await this.lookup.look();
    } catch (error) {
      this.failures.warn(
        { event: 'providers.not_counted', reason: (error as Error).message },
        'How letters fare at providers was not counted; it is repeated',
      );
    } finally {
      this.isUnderWay = false;
    }
  }
}
