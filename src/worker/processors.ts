import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Job, Worker, WorkerOptions } from 'bullmq';
import { CONFIG, type Config } from '../config/config.module';
import { isArmed } from '../config/failpoint';
import { BatchingWorker } from '../queue/batching';
import { DELIVERY_QUEUE, PLAN_QUEUE, SCHEDULE_QUEUE, SERVICE_QUEUE } from '../queue/queues';
import { redisOptions } from '../queue/redis-options';
import { RedisConnection } from '../queue/redis.module';
import { DeliveryProcessor } from './delivery.processor';
import { PlanProcessor } from './plan.processor';
import { ScheduleProcessor } from './schedule.processor';
import { ServiceProcessor } from './service.processor';

/** How many finished jobs of each queue are kept for Bull Board. */
const KEPT = { count: 1000 };
const NONE = { count: 0 };

interface Processor {
  process(job: Job, token: string | undefined, worker: Worker): Promise<unknown>;
  /** Called when the job is gone from Redis. */
  onCompleted?(job: Job, result: unknown): Promise<void>;
  onFailed?(job: Job | undefined, error: Error): void;
}

/**
 * This worker's consumers of the queues. They are made here and not by `@Processor`, because the options of that are
 * fixed when the class is decorated, while ours come from the configuration, which is read later. They begin to work
 * when WorkerLife says so.
 */
@Injectable()
export class Processors implements OnModuleInit {
  /** When a delivery's job was last begun, or might have been (monotonic milliseconds). */
  activeAt = performance.now();
  private workers: Worker[] = [];

  constructor(
    private readonly deliveries: DeliveryProcessor,
    private readonly plans: PlanProcessor,
    private readonly schedules: ScheduleProcessor,
    private readonly notices: ServiceProcessor,
    private readonly redis: RedisConnection,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    const concurrency = this.config.workerConcurrency;
    const deliveries = this.consumer(DELIVERY_QUEUE, this.deliveries, { concurrency, removeOnComplete: NONE });
    deliveries.on('active', () => (this.activeAt = performance.now()));
    this.workers = [
      deliveries,
      this.consumer(PLAN_QUEUE, this.plans, { concurrency: 2 }),
      this.consumer(SCHEDULE_QUEUE, this.schedules, { concurrency: 2 }),
      this.consumer(SERVICE_QUEUE, this.notices, { concurrency: 5 }),
    ];
  }

  /** @param onEnd called with the reason if one of them ends by itself */
  async run(onEnd: (reason: string) => void): Promise<void> {
    for (const worker of this.workers)
      void worker.run().catch((error: unknown) => onEnd(`a queue's worker ended: ${(error as Error).message}`));
    if (isArmed('deaf')) await this.workers[0]?.pause(true);
  }

  /** Starts no further jobs; resolves when all running ones have ended. */
  close(): Promise<unknown> {
    return Promise.all(this.workers.map((worker) => worker.close()));
  }

  /** Does now what follows from the last jobs: finishes runs that were drained, pauses mailings. */
  async flush(): Promise<void> {
    await Promise.all([this.deliveries.flush(), this.notices.flush()]);
  }

  private consumer(queue: string, processor: Processor, options: Partial<WorkerOptions>): Worker {
    const { redisUrl, redisPrefix, takeoverMs } = this.config;
    const worker: Worker = new BatchingWorker(queue, (job, token) => processor.process(job, token, worker), {
      connection: { ...redisOptions(redisUrl), maxRetriesPerRequest: null },
      prefix: redisPrefix,
      autorun: false,
      // A job of a dead worker becomes waiting again when its lock expires. Running a job twice is harmless, so there
      // is no limit.
      lockDuration: takeoverMs,
      stalledInterval: takeoverMs,
      maxStalledCount: 1_000_000,
      drainDelay: 5,
      runRetryDelay: 2_000,
      // Set here and not in each job, because a job is written, read and parsed for every letter.
      removeOnComplete: KEPT,
      removeOnFail: KEPT,
      ...options,
    });
    worker.on('error', (error) => this.redis.complain(error, queue));
    worker.on('completed', (job, result) => void processor.onCompleted?.(job, result));
    worker.on('failed', (job, error) => processor.onFailed?.(job, error));
    return worker;
  }
}
