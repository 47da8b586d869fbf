import { Inject, Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { version } from '../../config/version';
import { Database } from '../../database/database';
import { StatisticsService } from '../../features/statistics/statistics.service';
import { StoredObjects } from '../../storage/stored-objects';
import { QUEUES } from '../../queue/queue.module';

/** What the status page says of the parts of the service itself. */
@Injectable()
export class StatusParts {
  constructor(
    private readonly database: Database,
    private readonly statistics: StatisticsService,
    private readonly objects: StoredObjects,
    @Inject(QUEUES) private readonly queues: Queue[],
  ) {}

  async of() {
    const [workers, queues, postgres, storage] = await Promise.all([
      this.statistics.liveWorkers(),
      this.depths(),
      this.database.serverVersion(),
      this.objects.trouble(),
    ]);
    const versions: [string, string][] = [
      ['Gonets', version],
      ['Node.js', process.versions.node],
      ['PostgreSQL', postgres],
    ];
    return { workers, queues, storage, versions };
  }

  /** Null while Redis is away. */
  private async depths() {
    try {
      return await Promise.all(
        this.queues.map(async (queue) => ({
          name: queue.name,
          counts: await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed'),
        })),
      );
    } catch {
      return null;
    }
  }
}
