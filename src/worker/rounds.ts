import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../config/config.module';
import { Database } from '../database/database';
import { SchedulerService } from '../features/scheduling/scheduler.service';
import { takeTurn } from '../features/scheduling/turns';
import { Repeated } from '../logging/repeated';
import type { ScheduleJob } from '../queue/queues';
import { ClockRepair } from './clock-repair';
import { Sweep } from './sweep';

/**
 * The calendar's tick and the sweep. Every worker asks by its own timers, and by BullMQ's repeatable jobs, whether one
 * is due; the database decides by its clock, so that in each interval one worker does it. It depends on no node's clock
 * and on no job: any living worker is enough. Each is under way at most once in this process.
 */
@Injectable()
export class Rounds {
  private readonly underWay = new Set<ScheduleJob>();
  private readonly failures: Repeated;

  constructor(
    private readonly scheduler: SchedulerService,
    private readonly sweep: Sweep,
    private readonly clock: ClockRepair,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    logger: PinoLogger,
  ) {
    this.failures = new Repeated(logger);
  }

  intervalMs(name: ScheduleJob): number {
    return name === 'tick' ? this.config.schedulerIntervalMs : this.config.sweepIntervalMs;
  }

  /** Does it if it is due. A failure is logged, and it is tried again in the next interval. */
  async ask(name: ScheduleJob): Promise<unknown> {
    if (this.underWay.has(name)) return undefined;
    this.underWay.add(name);
    try {
      const turn = await takeTurn(this.database, name, this.intervalMs(name));
      if (!turn) return undefined;
      if (name === 'tick') return await this.scheduler.tick();
      if (turn.backMs > 0) await this.clock.catchUp(turn.backMs);
      return await this.sweep.run();
    } catch (error) {
      this.failures.warn(
        { event: 'schedule.failed', job: name, reason: (error as Error).message, stack: (error as Error).stack },
        'Tick or sweep failed; it is repeated',
      );
      return undefined;
    } finally {
      this.underWay.delete(name);
    }
  }
}
