import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Viewer } from '../domain/permissions';
import { type Statistics, StatisticsService } from '../features/statistics/statistics.service';
import { CurrentViewer } from '../http/viewer';

@ApiTags('statistics')
@ApiBearerAuth()
@Controller('statistics')
export class StatisticsController {
  constructor(private readonly statistics: StatisticsService) {}

  @Get()
  home(@CurrentViewer() viewer: Viewer): Promise<Statistics> {
    return this.statistics.home(viewer);
  }
}
