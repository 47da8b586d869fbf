import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { failpoint } from '../../config/failpoint';
import { claimsHeld } from '../../domain/claims-held';
import type { MovedTo } from '../../domain/delivery-moves';
import { emailDomain } from '../../domain/email-address';
import { classify, responseText, type TransmitResult, type Verdict } from '../../domain/smtp-outcome';
import { RateLimiter } from '../../queue/rate-limiter';
import { wordingOf } from '../../smtp/deliver';
import { SmtpPool } from '../../smtp/smtp-pool';
import { AccountGate } from '../accounts/account-gate.service';
import type { Tried } from '../accounts/account-probe';
import type { Claim } from '../ledger/claims';
import type { DeliveryRecord } from '../ledger/records';
import { WorkerRegistry } from '../ledger/worker-registry.service';
import { LedgerWriter, UNTRIED } from './ledger-writer.service';
import { LetterComposer, type ReadyLetter } from './letter-composer';
import { MailingStreaks, type ParkMailing } from './mailing-streaks';
import { Slot, Slots } from './slots';
import { recordOf } from './verdict-record';

/** The outcome of one job. */
export type SendOutcome =
  /** Nothing to do now: claimed by another worker, final, its run is paused, or the account rests. */
  | { kind: 'nothing'; tried?: Tried }
  /** It waits until it is due, because its domain rests, or for the sweeper, because its run can't be read at present. */
  | { kind: 'waits' }
  /** This process is stopping; another worker gets the job. */
  | { kind: 'stopping' }
  /** The recipient's address is suppressed: the delivery is skipped. */
  | { kind: 'skipped'; runId: number }
  /** The result is recorded in the ledger. */
  | {
      kind: 'recorded';
      claim: Claim;
      status: MovedTo<'record'>;
      response: string;
      park: ParkMailing | null;
      tried: Tried;
    };

const NOTHING: SendOutcome = { kind: 'nothing' };
const WAITS: SendOutcome = { kind: 'waits' };
/**
 * A delivery whose domain rests is deferred for at least so long. The feeder goes through deferred deliveries by the time
 * at which they are due, and would miss one that is due before its record is written.
 */
const DEFERRED_MS = 1_000;

/** How one delivery is to be sent. */
interface Turn {
  deliveryId: number;
  slot: Slot;
  /**
   * It is sent although the account rests, and before all others: its answer decides whether the others may be sent.
   */
  probe: boolean;
  /** Set if the letter has to go through a new connection: the wording of the refusal on a used one. */
  fresh: string | undefined;
  /** The worker's epoch when it claimed; a claim of an earlier epoch may have been taken over. */
  epoch: number;
}

/** The result of transmitting a letter. */
interface Transmitted {
  result: TransmitResult;
  durationMs: number;
  /** `performance.now()` */
  startedAt: number;
  /** The letter's envelope sender. */
  from: string;
}

/** Sends one delivery: claim, mayGo, compose, transmit, record. */
@Injectable()
export class SenderService {
  private readonly slots: Slots;
  private stopped = false;
  private readonly streaks = new MailingStreaks();
  /** Called with the outcome of a probe, which belongs to no job, and its delivery. */
  onProbed: (outcome: SendOutcome, deliveryId: number) => Promise<void> = () => Promise.resolve();

  constructor(
    private readonly ledger: LedgerWriter,
    private readonly registry: WorkerRegistry,
    private readonly gate: AccountGate,
    private readonly composer: LetterComposer,
    private readonly pool: SmtpPool,
    private readonly limiter: RateLimiter,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.slots = new Slots(() => claimsHeld(pool.ready, pool.letterMs, ledger.claimMs));
    pool.attend({
      wanted: () => this.slots.wanted,
      ready: () => this.slots.serve(),
      unreachable: (failure) => this.note(failure, classify(failure)),
    });
    gate.probeWith((id) => this.probe(id));
    registry.onFenced(() => pool.fence());
  }

  send(deliveryId: number): Promise<SendOutcome> {
    return this.take(deliveryId, false);
  }

  /** From now on nothing is claimed; claimed letters are still sent. */
  stop(): void {
    this.stopped = true;
    this.slots.close();
    this.limiter.close();
    this.ledger.stop();
  }

  /** Sends one letter although the account rests; null if it can't be claimed. */
  private async probe(deliveryId: number): Promise<Tried | null> {
    const outcome = await this.take(deliveryId, true);
    await this.onProbed(outcome, deliveryId);
    return 'tried' in outcome ? (outcome.tried ?? null) : null;
  }

  private async take(deliveryId: number, probe: boolean): Promise<SendOutcome> {
    if (!this.isOpen(probe) || !this.ledger.take(deliveryId)) return NOTHING;
    try {
      if (!(await this.place(probe))) return this.stopped ? { kind: 'stopping' } : NOTHING;
      const slot = new Slot(this.slots);
      try {
        return await this.story({ deliveryId, slot, probe, fresh: undefined, epoch: 0 });
      } finally {
        slot.release();
      }
    } finally {
      this.ledger.letGo(deliveryId);
    }
  }

  /** Waits for a slot; a probe needs no ready connection, since it has to find out whether there is one. */
  private place(probe: boolean): Promise<boolean> {
    if (probe) return Promise.resolve(this.slots.force());
    const acquired = this.slots.acquire();
    this.pool.prepare();
    return acquired;
  }

  private isOpen(probe: boolean): boolean {
    return probe || this.gate.open;
  }

  /** The way of one letter: each step returns what the next ones need, or the outcome that ends it. */
  private async story(turn: Turn): Promise<SendOutcome> {
    const claim = await this.claim(turn);
    if ('kind' in claim) return claim;
    const held = this.mayGo(claim, turn);
    if (held) return held;
    const letter = await this.compose(claim, turn);
    if ('kind' in letter) return letter;
    const transmitted = await this.transmit(claim, letter, turn);
    return this.record(claim, transmitted, turn);
  }

  private async claim(turn: Turn): Promise<Claim | SendOutcome> {
    if (!this.isOpen(turn.probe) || !this.registry.alive) return NOTHING;
    if (!(await this.limiter.take())) return { kind: 'stopping' };
    turn.epoch = this.registry.epoch;
    const claim = await this.ledger.claim(turn.deliveryId);
    if (claim && claim.skippedFor !== null) return { kind: 'skipped', runId: claim.runId };
    if (claim) failpoint('claimed');
    return claim ?? NOTHING;
  }

  /** Null if nothing delays it. */
  private mayGo(claim: Claim, turn: Turn): Promise<SendOutcome> | null {
    const restMs = this.gate.rests.restMs(claim.email);
    if (restMs === 0) return null;
    const delayMs = Math.max(DEFERRED_MS, Math.ceil(restMs));
    return this.giveBack(claim, turn, { status: 'deferred', reason: 'domain_rests', delayMs });
  }

  private async compose(claim: Claim, turn: Turn): Promise<ReadyLetter | SendOutcome> {
    const letter = await this.composer.letter(claim);
    // Composing may have taken a while: the account may rest by now, or have just recognised that the domain must.
    if (!this.isOpen(turn.probe)) return this.giveBack(claim, turn);
    if (!letter) {
      await this.giveBack(claim, turn);
      return WAITS;
    }
    return this.mayGo(claim, turn) ?? letter;
  }

  private async transmit(claim: Claim, { from, raw, tail }: ReadyLetter, turn: Turn): Promise<Transmitted> {
    const startedAt = performance.now();
    const result: TransmitResult =
      turn.epoch === this.registry.epoch
        ? await this.pool.transmit({
            from,
            to: claim.email,
            raw,
            tail,
            first: turn.probe || turn.fresh !== undefined,
            fresh: turn.fresh,
            permit: claim.offered ? undefined : () => this.ledger.offer(claim),
          })
        : { kind: 'withheld', phase: 'connect', text: 'this worker was silent for too long' };
    failpoint('after-reply');
    return { result, durationMs: Math.round(performance.now() - startedAt), startedAt, from };
  }

  private async record(claim: Claim, transmitted: Transmitted, turn: Turn): Promise<SendOutcome> {
    const { result, durationMs, startedAt, from } = transmitted;
    const facts = { from, to: claim.email, brokenBefore: claim.breaks };
    const verdict = this.streaks.blame(claim, classify(result, facts));
    const record = recordOf(claim, result, verdict, durationMs, this.config, Math.random());
    // A probe is owed its try like the letters before it.
    this.note(result, verdict, claim, turn.probe ? -Infinity : startedAt);
    // While the account rests because all recipients get the same refusal, the refusal counts against no mailing.
    const park = verdict.refusal !== null && !this.gate.open ? null : this.streaks.note(claim, result, verdict);
    if (verdict.consequence.kind === 'fresh') {
      await this.ledger.record(record);
      return this.story({ ...turn, fresh: wordingOf(result, facts) });
    }
    await this.ledger.record(record, turn.slot);
    failpoint('recorded');
    if (verdict.consequence.kind === 'rest_domain')
      await this.gate.rests.begin(emailDomain(claim.email), responseText(result));
    const tried = { result, verdict };
    if (record.attempt === null && record.status === 'pending' && park === null) return { kind: 'nothing', tried };
    return { kind: 'recorded', claim, status: record.status, response: responseText(result), park, tried };
  }

  /** Tells the account gate the result; if the account has to rest, letters that wait for a connection are withheld. */
  private note(result: TransmitResult, verdict: Verdict, claim?: Claim, startedAt?: number): void {
    this.gate.note(result, verdict, claim, startedAt);
    if (!this.gate.open) this.slots.turnAway();
  }

  private async giveBack(claim: Claim, { slot }: Turn, to: Partial<DeliveryRecord> = {}): Promise<SendOutcome> {
    await this.ledger.record({ deliveryId: claim.id, ...UNTRIED, ...to }, slot);
    return to.status === 'deferred' ? WAITS : NOTHING;
  }
}
