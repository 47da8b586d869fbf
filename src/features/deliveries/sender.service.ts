import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { failpoint } from '../../config/failpoint';
import { Database } from '../../database/database';
import { emailDomain } from '../../domain/email-address';
import { classify, type TransmitResult } from '../../domain/smtp-outcome';
import type { DeliveryStatus } from '../../domain/states';
import { RateLimiter } from '../../queue/rate-limiter';
import { SmtpPool } from '../../smtp/smtp-pool';
import { type Claim, heldClaims } from './claims';
import { DomainHolds } from './domain-holds';
import { GroupCommit } from './group-commit';
import { type Entry, writeLedger } from './ledger';
import { LetterComposer } from './letter-composer';
import { MailingStreaks, type ParkMailing } from './parking';
import type { DeliveryRecord } from './records';
import { Slot, Slots } from './slots';
import { TransportGate } from './transport-gate.service';
import { recordOf, responseText } from './verdict-record';
import { WorkerRegistry } from './worker-registry.service';

/** What became of one job. */
export type SendOutcome =
  /** Not ours to do now: claimed by another, final, its run paused, or the account is resting. The ledger knows. */
  | { kind: 'nothing' }
  /** This process is stopping; the job is another worker's. */
  | { kind: 'stopping' }
  /** The ledger has it. */
  | { kind: 'recorded'; claim: Claim; status: DeliveryStatus; response: string; park: ParkMailing | null };

const BATCH = 500;
const GATHER_MS = 6;

/** Back where it was before the claim. */
const UNTRIED = { status: 'pending', reason: null, delayMs: null, triesUsed: 0, breaks: 0, lostReplies: 0 } as const;

/** Sends one delivery: claim, compose, transmit, classify, record. */
@Injectable()
export class SenderService {
  private readonly slots: Slots;
  private readonly inHand = new Set<number>();
  private readonly ledger: GroupCommit<Entry, Claim | null>;
  private readonly streaks = new MailingStreaks();
  readonly holds: DomainHolds;

  constructor(
    private readonly database: Database,
    private readonly registry: WorkerRegistry,
    private readonly gate: TransportGate,
    private readonly composer: LetterComposer,
    private readonly pool: SmtpPool,
    private readonly limiter: RateLimiter,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {
    this.slots = new Slots(2 * config.smtpConnections);
    this.holds = new DomainHolds(database, config.domainHoldMs);
    const onUnavailable = (error: unknown) =>
      logger.warn(
        { event: 'ledger.unavailable', reason: (error as Error).message },
        'Waiting for Postgres to write the ledger',
      );
    this.ledger = new GroupCommit((entries) => writeLedger(database, registry.id, entries), {
      maxBatch: BATCH,
      // A record and the claim that takes its slot are two: half of the slots' work, while the other half is being sent.
      gather: 3 * config.smtpConnections,
      gatherMs: GATHER_MS,
      parallel: 1,
      retryMs: 250,
      onUnavailable,
    });
    registry.onFenced(() => pool.dropAll());
  }

  async send(deliveryId: number): Promise<SendOutcome> {
    if (!this.gate.open || this.inHand.has(deliveryId)) return { kind: 'nothing' };
    this.inHand.add(deliveryId);
    try {
      if (!(await this.slots.acquire())) return { kind: 'stopping' };
      const slot = new Slot(this.slots);
      try {
        return await this.sendInSlot(deliveryId, slot);
      } finally {
        slot.release();
      }
    } finally {
      this.inHand.delete(deliveryId);
    }
  }

  /** Nothing new is claimed from now on; what is claimed ends. */
  stop(): void {
    this.slots.close();
    this.limiter.close();
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
      for (const deliveryId of ids) await this.write({ deliveryId, attempt: null, ...UNTRIED });
    } finally {
      for (const id of ids) this.inHand.delete(id);
    }
    this.logger.warn(
      { event: 'claims.released', deliveries: ids.length },
      'Claims that nobody works on were given back',
    );
    return ids.length;
  }

  private async sendInSlot(deliveryId: number, slot: Slot): Promise<SendOutcome> {
    if (!this.gate.open || !this.registry.alive) return { kind: 'nothing' };
    if (!(await this.limiter.take())) return { kind: 'stopping' };
    const { epoch } = this.registry;
    const claim = await this.ledger.add({ claim: deliveryId });
    if (!claim) return { kind: 'nothing' };
    failpoint('claimed');
    const restMs = this.holds.restMs(emailDomain(claim.email));
    if (restMs > 0)
      return this.giveBack(claim, slot, { status: 'deferred', reason: 'domain_held', delayMs: Math.ceil(restMs) });
    if (!this.gate.open) return this.giveBack(claim, slot, { status: 'pending', reason: null, delayMs: null });

    let raw: Awaited<ReturnType<LetterComposer['letter']>>;
    try {
      raw = await this.composer.letter(claim);
    } catch (error) {
      this.logger.warn(
        { event: 'letter.not_composed', runId: claim.runId, reason: (error as Error).message },
        'Content of a run was not read; its deliveries go back',
      );
      return this.giveBack(claim, slot, { status: 'pending', reason: null, delayMs: null });
    }
    const startedAt = performance.now();
    const result: TransmitResult =
      epoch === this.registry.epoch
        ? await this.pool.transmit({ from: this.composer.from.address, to: claim.email, raw })
        : { kind: 'withheld', phase: 'connect', text: 'this worker was silent for too long' };
    failpoint('after-reply');
    return this.conclude(claim, slot, result, Math.round(performance.now() - startedAt));
  }

  private async conclude(claim: Claim, slot: Slot, result: TransmitResult, durationMs: number): Promise<SendOutcome> {
    const verdict = classify(result, { brokenBefore: claim.breaks });
    const record = recordOf(claim, result, verdict, durationMs, this.config, Math.random());
    this.gate.note(result, verdict);
    const park = this.streaks.note(claim, result, verdict);
    await this.write(record, slot);
    failpoint('recorded');
    if (verdict.consequence.kind === 'hold_domain') await this.hold(emailDomain(claim.email), responseText(result));
    if (record.attempt === null && record.status === 'pending' && park === null) return { kind: 'nothing' };
    return { kind: 'recorded', claim, status: record.status, response: responseText(result), park };
  }

  private async hold(domain: string, detail: string): Promise<void> {
    try {
      await this.holds.hold(domain, detail);
    } catch (error) {
      this.logger.warn(
        { event: 'domain.hold_untold', domain, reason: (error as Error).message },
        'Only this worker holds',
      );
    }
  }

  /**
   * The slot is free once the record stands in line: entries are written in order, so the next claim is committed with this
   * record or after it, and never more claims are held than there are slots.
   * What can't be written would hold its claim for ever: then this worker ends, and others find the claim.
   */
  private async write(record: DeliveryRecord, slot?: Slot): Promise<void> {
    try {
      const written = this.ledger.add({ record });
      slot?.release();
      await written;
    } catch (error) {
      this.logger.fatal(
        { event: 'ledger.unwritable', deliveryId: record.deliveryId, err: error },
        'A result can not be written; this worker ends itself',
      );
      process.exitCode = 1;
      process.kill(process.pid, 'SIGTERM');
      throw error;
    }
  }

  private async giveBack(
    claim: Claim,
    slot: Slot,
    to: Pick<DeliveryRecord, 'status' | 'reason' | 'delayMs'>,
  ): Promise<SendOutcome> {
    await this.write({ deliveryId: claim.id, attempt: null, triesUsed: 0, breaks: 0, lostReplies: 0, ...to }, slot);
    return { kind: 'nothing' };
  }
}
