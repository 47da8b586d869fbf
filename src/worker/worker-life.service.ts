import { InjectQueue } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../config/config.module';
import { isArmed } from '../config/failpoint';
import { FeederService } from '../features/deliveries/feeder.service';
import { SenderService } from '../features/deliveries/sender.service';
import { TransportGate } from '../features/deliveries/transport-gate.service';
import { WorkerRegistry } from '../features/deliveries/worker-registry.service';
import { DELIVERY_QUEUE, SCHEDULE_QUEUE } from '../queue/queues';
import { SmtpPool } from '../smtp/smtp-pool';
import { DeliveryProcessor } from './delivery.processor';
import { PlanProcessor } from './plan.processor';
import { RunFinisher } from './run-finisher';
import { ScheduleProcessor } from './schedule.processor';
import { ServiceProcessor } from './service.processor';

/** A worker's beginning and end, and what it does by itself in between. */
@Injectable()
export class WorkerLife implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private activeAt = performance.now();
  private feeding = false;
  private stopping = false;

  constructor(
    private readonly registry: WorkerRegistry,
    private readonly gate: TransportGate,
    private readonly sender: SenderService,
    private readonly feeder: FeederService,
    private readonly pool: SmtpPool,
    private readonly deliveries: DeliveryProcessor,
    private readonly plans: PlanProcessor,
    private readonly schedules: ScheduleProcessor,
    private readonly letters: ServiceProcessor,
    private readonly finisher: RunFinisher,
    private readonly intervals: SchedulerRegistry,
    @InjectQueue(SCHEDULE_QUEUE) private readonly scheduleQueue: Queue,
    @InjectQueue(DELIVERY_QUEUE) private readonly deliveryQueue: Queue,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.registry.register();
    await this.gate.start();
    this.deliveries.worker.on('active', () => (this.activeAt = performance.now()));
    for (const { worker } of [this.deliveries, this.plans, this.schedules, this.letters]) {
      void worker.run().catch((error: unknown) => this.giveUp(`a queue's worker ended: ${(error as Error).message}`));
    }
    if (isArmed('deaf')) await this.deliveries.worker.pause(true);
    await this.keepSchedule();
    this.every('feed', this.config.feedIntervalMs, () => this.feed());
    this.every('watch', this.config.sweepIntervalMs, () => this.watch());
    this.logger.info({ event: 'worker.started', workerId: this.registry.id }, 'Worker is ready');
  }

  /** Running letters end, nothing new starts, other workers get the rest. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    for (const name of this.intervals.getIntervals()) this.intervals.deleteInterval(name);
    this.gate.stop();
    this.sender.stop();
    const timeout = new Promise<void>((resolve) => setTimeout(resolve, 0.8 * this.config.shutdownMs).unref());
    await Promise.race([
      Promise.all([this.deliveries, this.plans, this.schedules, this.letters].map(({ worker }) => worker.close())),
      timeout,
    ]);
    await Promise.race([Promise.all([this.finisher.flush(), this.pool.close()]), timeout]);
    const told = this.registry.stop();
    this.pool.dropAll();
    await Promise.race([told, timeout]).catch((error: unknown) =>
      this.logger.warn(
        { event: 'worker.stop_untold', reason: (error as Error).message },
        'Others will miss its heartbeat',
      ),
    );
    this.logger.info({ event: 'worker.stopped', workerId: this.registry.id }, 'Worker has stopped');
  }

  /** Repeatable jobs live in Redis: after a flush they are made again. */
  private async keepSchedule(): Promise<void> {
    await this.scheduleQueue.upsertJobScheduler('tick', { every: this.config.schedulerIntervalMs }, { name: 'tick' });
    await this.scheduleQueue.upsertJobScheduler('sweep', { every: this.config.sweepIntervalMs }, { name: 'sweep' });
  }

  /** Both schedules are there, and each one's next job too: an eviction may take either. */
  private async scheduleLives(): Promise<boolean> {
    const schedulers = await this.scheduleQueue.getJobSchedulers();
    const jobs = await Promise.all(
      schedulers.map(({ key, next }) => this.scheduleQueue.getJob(`repeat:${key}:${next}`)),
    );
    return jobs.filter(Boolean).length === 2;
  }

  private async feed(): Promise<void> {
    if (this.feeding || !this.gate.open || !this.registry.alive) return;
    this.feeding = true;
    try {
      await this.feeder.feed();
    } catch (error) {
      this.logger.debug({ event: 'feed.failed', reason: (error as Error).message }, 'Queue was not filled');
    } finally {
      this.feeding = false;
    }
  }

  private async watch(): Promise<void> {
    try {
      await this.sender.holds.refresh();
      await this.sender.releaseOrphans();
      if (!(await this.scheduleLives())) await this.keepSchedule();
      const { waiting = 0, active = 0 } = await this.deliveryQueue.getJobCounts('waiting', 'active');
      if (waiting === 0 || active > 0 || !this.gate.open) this.activeAt = performance.now();
      const deafMs = performance.now() - this.activeAt;
      if (deafMs >= 2 * this.config.takeoverMs)
        this.giveUp(`${waiting} jobs wait, but this worker got none for ${Math.round(deafMs / 1000)} s`);
    } catch (error) {
      this.logger.debug({ event: 'watch.failed', reason: (error as Error).message }, 'Queues were not looked at');
    }
  }

  /** Ends this process; whoever runs it starts it anew. */
  private giveUp(reason: string): void {
    if (this.stopping) return;
    this.logger.fatal({ event: 'worker.gave_up', reason }, 'Worker ends itself because it does not consume');
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  }

  private every(name: string, ms: number, work: () => Promise<void>): void {
    this.intervals.addInterval(
      name,
      setInterval(() => void work(), ms),
    );
  }
}
