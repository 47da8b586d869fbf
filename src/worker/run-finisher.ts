import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { RunsService } from '../features/runs/runs.service';
import { Repeated } from '../logging/repeated';

/** How long drained runs are collected before the ledger is asked. */
const GATHER_MS = 200;

/** Finishes drained runs soon after their last record; after a crash the sweeper finishes them. */
@Injectable()
export class RunFinisher {
  private readonly noted = new Set<number>();
  private timer: NodeJS.Timeout | undefined;
  private readonly said: Repeated;

  constructor(
    private readonly runs: RunsService,
    private readonly logger: PinoLogger,
  ) {
    this.said = new Repeated(logger);
  }

  note(runId: number): void {
    this.noted.add(runId);
    this.timer ??= setTimeout(() => void this.flush(), GATHER_MS);
  }

  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const runIds = [...this.noted];
    this.noted.clear();
    if (runIds.length === 0) return;
    try {
      const done = await this.runs.finishIfDrained(runIds);
      if (done.length > 0) this.logger.info({ event: 'run.done', runs: done }, 'Runs are done');
    } catch (error) {
      this.said.warn(
        { event: 'run.not_finished', reason: (error as Error).message },
        'Drained runs were not finished; the sweeper will do it',
      );
    }
  }
}
