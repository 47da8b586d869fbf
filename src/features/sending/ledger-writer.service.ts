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
/** An outage is told of so often, not at each try. */
const TELL_MS = 10_000;
/** A result that Postgres refuses to take is tried again after so long. */
const REFUSED_RETRY_MS = 5_000;

/** Back where it was before the claim. */
export const UNTRIED = {
  attempt: null,
  status: 'pending',
  reason: null,
  delayMs: null,
  triesUsed: 0,
  breaks: 0,
  lostReplies: 0,
} as const;

/** This worker's hand in the ledger: its claims, and what they came to, many in one statement. */
@Injectable()
export class LedgerWriter {
  /** How long a claim takes lately. */
  claimMs = 0;
  private readonly inHand = new Set<number>();
  /** Deliveries whose results Postgres refuses to take. */
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
        'Waiting for Postgres to write the ledger; what is in hand is kept',
      );
    };
    this.entries = new GroupCommit((entries) => writeLedger(database, registry.id, entries), {
      maxBatch: BATCH,
      // A record and the claim that takes its slot are two: half of the slots' work, while the other half is being sent.
      gather: 3 * config.smtpConnections,
      gatherMs: GATHER_MS,
      parallel: 1,
      retryMs: 250,
      onUnavailable,
    });
  }

  /** From now until `letGo` this process works on the delivery. @returns false if it does already */
  take(deliveryId: number): boolean {
    if (this.inHand.has(deliveryId)) return false;
    this.inHand.add(deliveryId);
    return true;
  }

  letGo(deliveryId: number): void {
    this.inHand.delete(deliveryId);
  }

  /** Null if it is not to be had, now or at all. */
  async claim(deliveryId: number): Promise<Claim | null> {
    const askedAt = performance.now();
    const claim = await this.entries.add({ claim: deliveryId });
    this.claimMs += (performance.now() - askedAt - this.claimMs) * NEWEST;
    return claim;
  }

  /**
   * Under the policy `hold` the ledger learns that a letter may go out only when a connection is ready for it: should this
   * worker die before, the delivery is certainly not sent and goes back.
   * @returns false if the claim was taken over
   */
  async offer(claim: Claim): Promise<boolean> {
    return (await this.entries.add({ offer: claim })) !== null;
  }

  /** Claims that are not being written yet are withdrawn. */
  stop(): void {
    this.entries.withdraw((entry) => 'claim' in entry, null);
  }

  /**
   * The slot is free once the record stands in line: entries are written in order, so the next claim is committed with this
   * record or after it, and never more claims are held than there are slots.
   * What Postgres refuses to take, though it answers, is not the other letters' trouble: its claim is kept, so that nobody
   * sends the letter again while this worker lives, and it is tried again now and then, for its cause may be mended.
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
        { event: 'ledger.accepted', deliveryId: record.deliveryId, kept: this.refused.size },
        'A result that had been refused is written',
      );
  }

  /**
   * Gives back claims of this worker that none of its jobs knows of: their statement was committed, its answer was lost, and
   * the statement's repetition came after a pause. Nothing of them was offered to the server.
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
      'Claims that nobody works on were given back',
    );
    return ids.length;
  }
}
