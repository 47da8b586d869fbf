import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { SmtpPool } from '../../smtp/smtp-pool';
import { AccountGate } from '../accounts/account-gate.service';
import { WorkerRegistry } from '../ledger/worker-registry.service';
import { FeederService } from './feeder.service';
import { LedgerWriter } from './ledger-writer.service';
import { SenderService } from './sender.service';

/** Everything that sends in a worker, from its registration to its end. */
@Injectable()
export class SendingEngine {
  private feeding = false;

  constructor(
    readonly registry: WorkerRegistry,
    readonly gate: AccountGate,
    private readonly sender: SenderService,
    private readonly ledger: LedgerWriter,
    private readonly feeder: FeederService,
    private readonly pool: SmtpPool,
    private readonly logger: PinoLogger,
  ) {}

  /** Feeds the queue once, unless that is under way, the account rests or this worker is not alive. */
  async feed(): Promise<void> {
    if (this.feeding || !this.gate.open || !this.registry.alive) return;
    this.feeding = true;
    try {
      // Jobs that wait for a connection asked for it once; since then the account may have rested.
      this.pool.prepare();
      await this.feeder.feed();
    } catch (error) {
      this.logger.debug({ event: 'feed.failed', reason: (error as Error).message }, 'Queue was not filled');
    } finally {
      this.feeding = false;
    }
  }

  /** Reads what other workers found out, and gives back claims that no job works on. */
  async mend(): Promise<void> {
    await this.gate.learnRests();
    await this.ledger.releaseOrphans();
  }

  /** Nothing new is claimed; claimed letters are still sent. */
  stop(): void {
    this.gate.stop();
    this.sender.stop();
  }

  /** Resolves when the last letter has its answer. */
  drain(): Promise<void> {
    return this.pool.close();
  }

  /** Others may take over the remaining claims. */
  leave(): Promise<void> {
    const told = this.registry.stop();
    this.pool.dropAll();
    return told;
  }
}
