import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../config/config.module';
import { isUnavailable } from '../database/database';
import { waitFor } from '../database/wait';
import { SendingEngine } from '../features/sending/sending-engine.service';
import { Processors } from './processors';
import { Upkeep } from './upkeep';
import { Watchdog } from './watchdog';

/** Starts and stops a worker, and runs its timers in between. */
@Injectable()
export class WorkerLife implements BeforeApplicationShutdown {
  private stopping = false;
  private beginning: Promise<void> = Promise.resolve();

  constructor(
    private readonly engine: SendingEngine,
    private readonly processors: Processors,
    private readonly upkeep: Upkeep,
    private readonly watchdog: Watchdog,
    private readonly intervals: SchedulerRegistry,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  /** Begins nothing if the worker was asked to stop already. */
  begin(): Promise<void> {
    return (this.beginning = this.beginUnlessStopping());
  }

  private async beginUnlessStopping(): Promise<void> {
    const { registry, gate } = this.engine;
    if (this.stopping) return;
    const waiting = {
      timeoutMs: this.config.waitForServicesMs,
      worth: (error: unknown) => !this.stopping && isUnavailable(error),
      say: (message: string) => this.logger.warn({ event: 'boot.waiting', process: 'worker' }, message),
    };
    await waitFor('Postgres, to register this worker', () => registry.register(), waiting);
    if (this.stopping) return;
    await waitFor('Postgres, to read the state of the SMTP account', () => gate.start(), waiting);
    if (this.stopping) return;
    await this.processors.run((reason) => this.watchdog.giveUp(reason));
    for (const { name, everyMs, work } of this.upkeep.tasks) this.every(name, everyMs, work);
    this.every('feed', this.config.feedIntervalMs, () => this.engine.feed());
    this.every('watch', this.config.sweepIntervalMs, () => this.watchdog.look());
    void this.watchdog.look();
    this.logger.info({ event: 'worker.started', workerId: registry.id }, 'Worker is ready');
  }

  /** Running letters are finished, nothing new starts, other workers get the rest. */
  async beforeApplicationShutdown(): Promise<void> {
    const { engine, processors } = this;
    this.stopping = true;
    this.watchdog.stop();
    const timeout = new Promise<void>((resolve) => setTimeout(resolve, 0.8 * this.config.shutdownMs).unref());
    engine.stop();
    await Promise.race([this.beginning.catch(() => undefined), timeout]);
    for (const name of this.intervals.getIntervals()) this.intervals.deleteInterval(name);
    await Promise.race([processors.close(), timeout]);
    await Promise.race([Promise.all([processors.flush(), engine.drain()]), timeout]);
    await Promise.race([engine.leave(), timeout]).catch((error: unknown) =>
      this.logger.warn(
        { event: 'worker.stop_not_written', reason: (error as Error).message },
        'The stop was not written; other workers will miss the heartbeat',
      ),
    );
    this.logger.info({ event: 'worker.stopped', workerId: engine.registry.knownId }, 'Worker has stopped');
  }

  private every(name: string, ms: number, work: () => Promise<unknown>): void {
    this.intervals.addInterval(
      name,
      setInterval(() => void work(), ms),
    );
  }
}
