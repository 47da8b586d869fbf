import { Injectable } from '@nestjs/common';
import { ClockRepair } from './clock-repair';
import { RepeatableJobs } from './repeatable-jobs';

/** Repairs what stands in Redis. */
@Injectable()
export class RedisRepair {
  constructor(
    private readonly repeatable: RepeatableJobs,
    private readonly clock: ClockRepair,
  ) {}

  async run(): Promise<void> {
    await this.repeatable.keep();
    await this.clock.shortenLocks();
  }
}
