import { InjectQueue } from '@nestjs/bullmq';
import { Inject, Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../config/config.module';
import { SendingEngine } from '../features/sending/sending-engine.service';
import { DELIVERY_QUEUE } from '../queue/queues';
import { Processors } from './processors';
import { RedisRepair } from './redis-repair';

/** Ends this process if it consumes no jobs although it should; its supervisor starts it again. */
@Injectable()
export class Watchdog {
  private stopped = false;

  constructor(
    private readonly engine: SendingEngine,
    private readonly processors: Processors,
    private readonly repair: RedisRepair,
    @InjectQueue(DELIVERY_QUEUE) private readonly queue: Queue,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  /** Repairs what it can, then checks whether jobs have been waiting for long that this worker should have taken. */
  async look(): Promise<void> {
    const { engine, processors } = this;
    try {
      await engine.mend();
      await this.repair.run();
      const { waiting = 0, active = 0 } = await this.queue.getJobCounts('waiting', 'active');
      if (waiting === 0 || active > 0 || !engine.gate.open || engine.registry.redisReason)
        processors.activeAt = performance.now();
      const deafMs = performance.now() - processors.activeAt;
      if (deafMs >= 2 * this.config.takeoverMs)
        this.giveUp(`${waiting} jobs wait, but this worker got none for ${Math.round(deafMs / 1000)} s`);
    } catch (error) {
      this.logger.debug({ event: 'watch.failed', reason: (error as Error).message }, 'The queues could not be checked');
    }
  }

  /** Stops watching, because the process is stopping. */
  stop(): void {
    this.stopped = true;
  }

  giveUp(reason: string): void {
    if (this.stopped) return;
    this.logger.fatal({ event: 'worker.gave_up', reason }, 'Worker ends itself because it does not consume jobs');
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  }
}
