import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { type Claim, heldClaims } from '../ledger/claims';
import type { Entry } from '../ledger/ledger';
import type { DeliveryRecord } from '../ledger/records';
import { WorkerRegistry } from '../ledger/worker-registry.service';
import { GroupCommit } from './group-commit';
import type { Slot } from './slots';
import { writeLedger } from './write-ledger';

const BATCH = 500;
const GATHER_MS = 6;
/** The weight of the newest claim in the mean duration. */
const NEWEST = 1 / 16;
/** An outage is logged so often, not at each try. */
const TELL_MS = 10_000;
/** After so long a result that Postgres refused is written again. */
const REFUSED_RETRY_MS = 5_000;

/** The record that gives a claim back without a try. */
export const UNTRIED = {
  attempt: null,
  status: 'pending',
  reason: null,
  delayMs: null,
  triesUsed: 0,
  breaks: 0,
  lostReplies: 0,
} as const;

/** Writes this worker's claims and records to the ledger, many in one statement. */
@Injectable()
export class LedgerWriter {
  /** The recent mean duration of a claim. */
  claimMs = 0;
  private readonly inHand = new Set<number>();
  /** Deliveries whose results Postgres refuses. */
  private readonly refused = new Set<number>();
  private readonly entries: GroupCommit<Entry, Claim | null>;

  constructor(
    private readonly database: Database,
    private readonly registry: WorkerRegistry,
    @Inject(CONFIG) config: Config,
    private readonly logger: PinoLogger,
  ) {
    let toldAt = -Infinity;
    const onUnavailable = (error: unknown) => {
      if (performance.now() - toldAt < TELL_MS) return;
      toldAt = performance.now();
      logger.warn(
        { event: 'ledger.unavailable', reason: (error as Error).message },
        'Waiting for Postgres; claims and results are kept until it answers',
      );
    };
    this.entries = new GroupCommit((entries) => writeLedger(database, registry.id, entries), {
      maxBatch: BATCH,
      // A batch has about half of the slots' entries, while the letters of the other half are being sent; a record and
      // the next claim in its slot are two entries.
      gather: 3 * config.smtpConnections,
      gatherMs: GATHER_MS,
      parallel: 1,
      retryMs: 250,
      onUnavailable,
    });
  }

  /** From now until `letGo` a job of this process works on the delivery. @returns false if another one does already */
  take(deliveryId: number): boolean {
    if (this.inHand.has(deliveryId)) return false;
    this.inHand.add(deliveryId);
    return true;
  }

  letGo(deliveryId: number): void {
    this.inHand.delete(deliveryId);
  }

  /** Null if the delivery can't be claimed. */
  async claim(deliveryId: number): Promise<Claim | null> {
    const askedAt = performance.now();
    const claim = await this.entries.add({ claim: deliveryId });
    this.claimMs += (performance.now() - askedAt - this.claimMs) * NEWEST;
    return claim;
  }

  /**
   * Under the policy `hold` the ledger is told that a letter may be sent only when a connection is ready for it: if
   * this worker dies before, the delivery was certainly not sent and is pending again.
   * @returns false if the claim was taken over
   */
  async offer(claim: Claim): Promise<boolean> {
    return (await this.entries.add({ offer: claim })) !== null;
  }

  /** Withdraws claims that are not being written yet. */
  stop(): void {
    this.entries.withdraw((entry) => 'claim' in entry, null);
  }

  /**
   * The slot is free as soon as the record is queued: entries are written in order, so the next claim is committed with
   * this record or after it, and there are never more claims than slots. A result that Postgres refuses must not stop
   * other letters: its claim is kept, so that nobody sends the letter again while this worker lives, and writing is
   * repeated now and then, because the cause may be corrected.
   */
  async record(record: DeliveryRecord, slot?: Slot): Promise<void> {
    for (let refused = false; ;) {
      try {
        const written = this.entries.add({ record });
        slot?.release();
        await written;
        break;
      } catch (error) {
        if (!refused) {
          refused = true;
          this.refused.add(record.deliveryId);
          this.logger.error(
            { event: 'ledger.refused', deliveryId: record.deliveryId, kept: this.refused.size, err: error },
            'Postgres refuses the result of a letter; it is kept and tried again',
          );
        }
        await sleep(REFUSED_RETRY_MS);
      }
    }
    if (this.refused.delete(record.deliveryId))
      this.logger.info(
        { event: 'ledger.written', deliveryId: record.deliveryId, kept: this.refused.size },
        'A result that had been refused is written',
      );
  }

  /**
   * Gives back claims of this worker that none of its jobs knows: their statement was committed, its answer was lost,
   * and the repeated statement came after a pause. Their letters were not offered to the server.
   * @returns how many
   */
  async releaseOrphans(): Promise<number> {
    const held = await heldClaims(this.database);
    const mine = held.filter(({ claimedBy }) => claimedBy === this.registry.id);
    const ids = mine.map(({ id }) => id).filter((id) => !this.inHand.has(id));
    if (ids.length === 0) return 0;
    for (const id of ids) this.inHand.add(id);
    try {
      for (const deliveryId of ids) await this.record({ deliveryId, ...UNTRIED });
    } finally {
      for (const id of ids) this.inHand.delete(id);
    }
    this.logger.warn(
      { event: 'claims.released', deliveries: ids.length },
      'Claims that no job works on were given back',
    );
    return ids.length;
  }
}
