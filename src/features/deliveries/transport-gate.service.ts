import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { classify, type TransmitResult, type Verdict } from '../../domain/smtp-outcome';
import { SmtpPool } from '../../smtp/smtp-pool';
import { FeederService } from './feeder.service';
import { type TransportState, TransportService } from './transport.service';
import { responseText } from './verdict-record';

/** Single connections break everywhere; only so many in a row say that the account is broken. */
const BREAKS_IN_A_ROW = 3;

/** This worker's view of the SMTP account: whether to send now, and what trouble to tell the others of. */
@Injectable()
export class TransportGate {
  private seen: TransportState | undefined;
  /** Jobs may have been turned away since all were last fed from the beginning. */
  private turnedAway = false;
  private breaks = 0;
  private busySince: number[] = [];
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private telling: Promise<void> | undefined;

  constructor(
    private readonly transport: TransportService,
    private readonly feeder: FeederService,
    private readonly pool: SmtpPool,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  get open(): boolean {
    return this.seen?.state === 'open' && !this.telling;
  }

  async start(): Promise<void> {
    await this.transport.adoptSettings();
    await this.look();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Learns from every try. */
  note(result: TransmitResult, verdict: Verdict): void {
    const { consequence } = verdict;
    if (verdict.attempt !== 'none' && consequence.kind !== 'breaker' && consequence.kind !== 'ease') this.breaks = 0;
    if (verdict.delivery === 'sent' && this.seen && (this.seen.step > 0 || this.seen.strikes > 0)) {
      this.seen = { ...this.seen, step: 0, strikes: 0 };
      void this.transport.forgive().then(
        () => this.look(),
        () => undefined,
      );
    }
    switch (consequence.kind) {
      case 'breaker':
        if (verdict.reason === 'connection_broken' && ++this.breaks < BREAKS_IN_A_ROW) return;
        return this.trip(result, verdict, null);
      case 'ease':
        this.ease(consequence.after, consequence.withinMs);
        return this.trip(result, verdict, null);
      case 'park':
        if (consequence.what === 'account') this.trip(result, verdict, consequence.after);
        return;
      case 'none':
      case 'hold_domain':
      case 'park_share':
        return;
    }
  }

  private trip(result: TransmitResult, verdict: Verdict, parkAfter: number | null): void {
    const { seen } = this;
    if (!seen || seen.state !== 'open' || this.telling) return;
    this.breaks = 0;
    this.turnedAway = true;
    this.telling = this.transport
      .trip(seen, verdict.reason, responseText(result), parkAfter)
      .catch((error: unknown) =>
        this.logger.warn(
          { event: 'transport.untold', reason: (error as Error).message },
          'State of the SMTP account was not written',
        ),
      )
      .then(() => {
        this.telling = undefined;
        return this.look();
      });
  }

  /** Too many connections for the server: halve them, and give them back after a while. */
  private ease(after: number, withinMs: number): void {
    const now = performance.now();
    this.busySince = [...this.busySince.filter((at) => now - at < withinMs), now];
    if (this.busySince.length < after) return;
    this.busySince = [];
    this.pool.setLimit(Math.ceil(this.pool.connections.limit / 2));
    setTimeout(() => this.pool.setLimit(this.config.smtpConnections), 5 * withinMs).unref();
  }

  /** Reads the shared state, and probes when it is time to and this worker wins the probe. */
  private async look(): Promise<void> {
    clearTimeout(this.timer);
    if (this.stopped) return;
    try {
      this.seen = await this.transport.read();
      if (this.seen.probeDue && (await this.transport.takeProbe(this.seen))) await this.probe();
      if (this.seen.state !== 'open') this.turnedAway = true;
      else if (this.turnedAway && !this.telling) {
        this.turnedAway = false;
        await this.feeder.refeed().catch(() => (this.turnedAway = true));
      }
    } catch (error) {
      this.logger.debug(
        { event: 'transport.unread', reason: (error as Error).message },
        'State of the SMTP account was not read',
      );
    }
    if (this.stopped) return;
    const soon = Math.min(
      this.config.heartbeatMs,
      ...(this.seen?.state === 'waiting' ? [Math.min(...this.config.breakerDelaysMs)] : []),
    );
    this.timer = setTimeout(() => void this.look(), soon);
  }

  private async probe(): Promise<void> {
    const check = await this.pool.verify();
    if (check.ok) {
      await this.transport.reopen();
    } else {
      const verdict = classify(check.result);
      const { consequence } = verdict;
      const parkAfter = consequence.kind === 'park' && consequence.what === 'account' ? consequence.after : null;
      await this.transport.trip(await this.transport.read(), verdict.reason, responseText(check.result), parkAfter);
    }
    this.seen = await this.transport.read();
  }
}
