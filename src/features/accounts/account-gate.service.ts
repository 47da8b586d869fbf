import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { REPLIES_LOST, SAME_REFUSAL } from '../../domain/codes';
import { emailDomain } from '../../domain/email-address';
import { type RefusedLetter, SameRefusal, type Suspicion } from '../../domain/same-refusal';
import { responseText, STOPPED, type TransmitResult, type Verdict } from '../../domain/smtp-outcome';
import { FeedState } from '../../queue/feed-state';
import { SmtpPool } from '../../smtp/smtp-pool';
import type { Claim } from '../ledger/claims';
import { ACCOUNT, type Account } from './account';
import { ConnectionEase } from './connection-ease';
import { Debts } from './debts';
import { untriedLetter } from './probe-letters';
import { refusedAlike } from '../runs/refused-alike';
import { type Prober, AccountProbe, type Tried } from './account-probe';
import { type AccountState, type Trouble, AccountsService } from './accounts.service';

/** Single broken connections are normal; only so many in a row mean that the account is broken. */
const BREAKS_IN_A_ROW = 3;
/**
 * After so many replies lost after the dot, without a success in between, the server accepts letters and does not
 * answer.
 */
const LOST_IN_A_ROW = 5;
/** This worker's view of the SMTP account: whether it may send now, and what trouble to report to the other workers. */
@Injectable()
export class AccountGate {
  private seen: AccountState | undefined;
  /** Whether jobs may have been turned away since the runs were last fed from the beginning. */
  private turnedAway = false;
  private breaks = 0;
  private lost = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private telling: Promise<void> | undefined;
  private looking = false;
  private lookAgain = false;
  private readonly net = new SameRefusal();
  private readonly debts: Debts;
  private readonly connections: ConnectionEase;
  private readonly probe: AccountProbe;

  constructor(
    @Inject(ACCOUNT) readonly account: Account,
    private readonly accounts: AccountsService,
    private readonly feed: FeedState,
    private readonly pool: SmtpPool,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {
    this.probe = new AccountProbe(accounts, pool, config);
    this.debts = new Debts(accounts.database, config.takeoverMs);
    this.connections = new ConnectionEase(pool, config.smtpConnections);
  }

  get open(): boolean {
    return this.seen?.state === 'open' && !this.telling;
  }

  get rests() {
    return this.accounts.rests;
  }

  /** Sends a notice, which may serve as the probe that is due; null while the account rests. */
  async lend(send: (account: Account) => Promise<Tried | null>): Promise<Tried | null> {
    const lent = () => send(this.account);
    const tried = this.open ? await lent() : await this.probe.lend(await this.accounts.read(this.account.id), lent);
    if (tried) this.note(tried.result, tried.verdict);
    if (tried && !this.open && !this.telling) await this.look();
    return tried;
  }

  /** Sets the function that sends a single letter although the account rests. */
  probeWith(prober: Prober): void {
    this.probe.prober = prober;
  }

  async start(): Promise<void> {
    await this.accounts.adoptSettings(this.account.id);
    await this.look();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.connections.stop();
  }

  /** Learns from every try, which began at `startedAt` (`performance.now()`); `claim` is absent for a notice. */
  note(result: TransmitResult, verdict: Verdict, claim?: Claim, startedAt = performance.now()): void {
    if (verdict.delivery === 'sent') return this.noteSent(claim);
    if (this.stopped) return;
    const { consequence } = verdict;
    const { kind } = consequence;
    if (verdict.attempt !== 'none' && kind !== 'breaker' && kind !== 'ease') this.breaks = 0;
    if (result.kind === 'refused' && claim) this.noteRefusal(verdict, claim, startedAt);
    switch (kind) {
      case 'breaker':
        if (verdict.reason === 'connection_broken' && ++this.breaks < BREAKS_IN_A_ROW) return;
        return this.trip(result, verdict, null);
      case 'ease':
        this.connections.ease(consequence.after, consequence.withinMs);
        return this.trip(result, verdict, null);
      case 'fewer':
        return this.fewer(result, verdict);
      case 'rest':
        return this.trip(result, verdict, null);
      case 'park':
        if (consequence.what === 'account') this.trip(result, verdict, consequence.after);
        return;
      case 'none':
        if (verdict.delivery === 'unknown') this.noteLost(result);
        return;
      case 'fresh':
      case 'rest_domain':
      case 'park_share':
        return;
    }
  }

  private noteSent(claim?: Claim): void {
    this.breaks = this.lost = 0;
    this.net.sent(claim ? emailDomain(claim.email) : null);
    if (!this.seen || (this.seen.step === 0 && this.seen.strikes === 0)) return;
    this.seen = { ...this.seen, step: 0, strikes: 0 };
    void this.accounts.forgive(this.account.id).then(
      () => this.look(),
      () => undefined,
    );
  }

  private noteLost(result: TransmitResult): void {
    if (result.kind === 'broken' && result.error === STOPPED) return;
    if (++this.lost < LOST_IN_A_ROW) return;
    this.tell({ reason: REPLIES_LOST, detail: responseText(result), parkAfter: null, long: false });
  }

  /** A letter that was deferred before for its own reasons is no evidence when it is deferred again. */
  private noteRefusal(verdict: Verdict, claim: Claim, startedAt: number): void {
    const { refusal } = verdict;
    if (refusal === null) {
      if (verdict.scope === 'recipient' || verdict.scope === 'domain') this.net.other();
      return;
    }
    this.debts.note(refusal, claim.id, startedAt);
    if (verdict.delivery !== 'failed' && claim.tries > 0) return;
    const letter: RefusedLetter = {
      refusal,
      deliveryId: claim.id,
      clientId: claim.clientId,
      domain: emailDomain(claim.email),
    };
    const suspicion = this.net.refused(letter);
    if (suspicion && this.open) this.suspect(suspicion, verdict);
  }

  private trip(result: TransmitResult, verdict: Verdict, parkAfter: number | null): void {
    const { reason, consequence } = verdict;
    this.tell({ reason, detail: responseText(result), parkAfter, long: consequence.kind === 'rest' });
  }

  private tell(trouble: Trouble): void {
    const { seen } = this;
    if (!seen || seen.state !== 'open' || this.telling) return;
    this.breaks = this.lost = 0;
    this.close(() => this.accounts.trip(seen, trouble));
  }

  /** Closes the gate until `work` is done and the account's state was read again. */
  private close(work: () => Promise<unknown>): void {
    this.turnedAway = true;
    this.pool.turnAway();
    this.telling = work()
      .catch((error: unknown) =>
        this.logger.warn(
          { event: 'account.not_written', reason: (error as Error).message },
          'State of the SMTP account was not written',
        ),
      )
      .then(() => {
        this.telling = undefined;
        return this.look();
      });
  }

  /**
   * All recipients got the same refusal. If letters to other domains are accepted, only that domain rests. Otherwise
   * one more letter, as different from those as can be found, shows whether the refusal is about the recipients after
   * all. If it is not, the account rests, and the deliveries that were charged a try are pending again.
   */
  private suspect({ refusal, domain }: Suspicion, { reason }: Verdict): void {
    const { seen } = this;
    if (!seen) return;
    const refused = this.net.lettersOf(refusal);
    this.close(async () => {
      if (domain !== null) {
        this.debts.owe(refusal, refused);
        this.debts.oweDomain(domain, refusal, this.config.domainRestMs);
        this.net.clear(refusal);
        this.logger.warn(
          { event: 'domain.same_refusal', domain, refusal },
          'A domain refuses all recipients with the same answer; it rests',
        );
        return this.accounts.rests.begin(domain, refusal);
      }
      const other = await this.probe.send(await untriedLetter(this.accounts.database, refused), refusal);
      if (other?.judgement === 'well') return this.net.clear(refusal);
      this.debts.owe(refusal, this.net.lettersOf(refusal));
      const detail = other?.judgement === 'still' ? responseText(other.result) : `${reason}: ${refusal}`;
      await this.accounts.trip(seen, { reason: SAME_REFUSAL, detail, parkAfter: null, long: true, refusal });
    });
  }

  /** Learns which domains rest: what this worker's letters were refused there is taken back, too. */
  async learnRests(): Promise<void> {
    for (const { domain, detail, restMs } of await this.rests.refresh()) this.debts.oweDomain(domain, detail, restMs);
  }

  /** Called at each refresh, because letters that were being transmitted are recorded later. */
  private async payBack({ refusal }: AccountState): Promise<void> {
    if (refusal)
      this.debts.owe(refusal, [
        ...this.net.lettersOf(refusal),
        ...(await refusedAlike(this.accounts.database, refusal)),
      ]);
    if (await this.debts.pay()) this.turnedAway = true;
  }

  /**
   * One connection less; if it is the last one, the account waits. A delivery that was refused before its letter began
   * is fed again.
   */
  private fewer(result: TransmitResult, verdict: Verdict): void {
    if (!this.connections.fewer()) return this.trip(result, verdict, null);
    this.turnedAway ||= verdict.attempt === 'none';
  }

  private async look(): Promise<void> {
    clearTimeout(this.timer);
    this.lookAgain = this.looking;
    if (this.stopped || this.looking) return;
    this.looking = true;
    try {
      await this.readAndProbe();
    } catch (error) {
      this.logger.debug(
        { event: 'account.not_read', reason: (error as Error).message },
        'State of the SMTP account was not read',
      );
    } finally {
      this.looking = false;
    }
    if (this.stopped) return;
    if (this.lookAgain) return this.look();
    const soon = Math.min(
      this.config.heartbeatMs,
      ...(this.seen?.state === 'waiting' ? [Math.min(...this.config.breakerDelaysMs)] : []),
    );
    this.timer = setTimeout(() => void this.look(), soon);
  }

  /** Reads the shared state, and probes if a probe is due and this worker wins the lease for it. */
  private async readAndProbe(): Promise<void> {
    await this.readState();
    if (this.seen?.probeDue && !this.telling) await this.probeAccount(this.seen);
    if (this.seen?.state !== 'open') this.turnedAway = true;
    else if (this.turnedAway && !this.telling) {
      this.turnedAway = false;
      await this.feed.refeed().catch(() => (this.turnedAway = true));
    }
  }

  /** Closes the gate at once, and opens it when what is owed was paid: a letter that goes out before keeps the try. */
  private async readState(): Promise<AccountState> {
    const now = await this.accounts.read(this.account.id);
    if (now.state !== 'open') this.seen = now;
    await this.payBack(now);
    this.seen = now;
    return now;
  }

  private async probeAccount(seen: AccountState): Promise<void> {
    const others = await this.probe.run(seen);
    const now = await this.readState();
    // The refusal is about single recipients, or temporary for new ones, as in greylisting: the next suspicion needs
    // more of them.
    const passed = seen.refusal !== null && now.state === 'open';
    if (passed && (others || seen.refusal?.startsWith('4'))) this.net.clear(seen.refusal ?? '');
  }
}
