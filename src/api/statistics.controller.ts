import { Get } from '@nestjs/common';
import type { Viewer } from '../domain/permissions';
import { StatisticsService } from '../features/statistics/statistics.service';
import { CurrentViewer } from '../http/viewer';
import { ApiController } from './openapi/api-controller';
import { Operation } from './openapi/operation';
import { count, nullable, part, said, Shape, time } from './openapi/shape';

class AttemptCountsAnswer extends Shape({ ok: count, failed: count, unknown: count }) {}

class RestoredAnswer extends Shape({ since: time, mailings: count }) {}

class StatisticsAnswer extends Shape({
  mailings: count,
  activeMailings: count,
  uniqueRecipients: count,
  attempts: part(AttemptCountsAnswer),
  restored: said('Set while mailings are paused because the database was restored.', nullable(part(RestoredAnswer))),
}) {}

@ApiController('statistics')
export class StatisticsController {
  constructor(private readonly statistics: StatisticsService) {}

  @Get()
  @Operation('How much there is, and how many attempts went well', StatisticsAnswer)
  async home(@CurrentViewer() viewer: Viewer): Promise<StatisticsAnswer> {
    const [numbers, restored] = await Promise.all([this.statistics.home(viewer), this.statistics.restored(viewer)]);
    return { ...numbers, restored };
  }
}
