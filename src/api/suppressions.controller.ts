import { Body, Get, HttpCode, Post, Query, StreamableFile } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import {
  scopeOf,
  suppressionReasons,
  type SuppressionReason,
  suppressionScopes,
  suppressionSources,
} from '../domain/suppression';
import { SuppressionsService, type SuppressionView } from '../features/consent/suppressions.service';
import { UnsubscribeService } from '../features/runs/unsubscribe.service';
import { csvFile } from '../http/csv-file';
import { Id } from '../http/id.pipe';
import { CurrentViewer } from '../http/viewer';
import { IsId } from './dto/id.dto';
import { SearchDto, toBoolean } from './dto/list.dto';
import { Optional } from './dto/optional.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { CSV, EMPTY, Operation } from './openapi/operation';
import { count, id, nullable, oneOf, pageOf, said, Shape, text, time } from './openapi/shape';

class SuppressionQueryDto extends SearchDto {
  @IsOptional()
  @IsIn(suppressionReasons)
  reason?: SuppressionReason;

  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  @Said({ description: 'Those that were lifted, instead of those in force.' })
  lifted?: boolean;
}

class SuppressionDto {
  @IsString()
  @MaxLength(1_000)
  @Said({ format: 'email' })
  email!: string;

  @Optional()
  @IsIn(suppressionReasons)
  @Said({ description: '`manual` if absent.' })
  reason?: SuppressionReason;

  @Optional()
  @IsIn(['owner', 'installation'])
  @Said({ description: '`owner` if absent: the mailings of the caller. `installation`, for managers: of everybody.' })
  scope?: 'owner' | 'installation';

  @Optional()
  @IsId()
  @Said({ description: 'Only this mailing of the caller.' })
  mailingId?: number;

  @Optional()
  @IsString()
  @MaxLength(1_000)
  detail?: string;
}

class LiftDto {
  @IsString()
  @MaxLength(1_000)
  @Said({ description: 'Why; kept with it and in the audit log.' })
  reason!: string;
}

class SuppressionAnswer extends Shape({
  id,
  scope: oneOf(suppressionScopes),
  ownerId: said('Null: it binds all users of the installation.', nullable(id)),
  mailingId: said('Null: all mailings.', nullable(id)),
  mailingName: nullable(text),
  email: said('Null once the address was erased.', nullable(text)),
  reason: oneOf(suppressionReasons),
  detail: text,
  source: oneOf(suppressionSources),
  deliveryId: nullable(id),
  createdAt: time,
  expiresAt: nullable(time),
  liftedAt: nullable(time),
  liftedBy: nullable(count),
  liftReason: nullable(text),
}) {}

const answer = (one: SuppressionView) => SuppressionAnswer.of({ ...one, scope: scopeOf(one) });

@ApiController('suppressions')
export class SuppressionsController {
  constructor(
    private readonly suppressions: SuppressionsService,
    private readonly unsubscribes: UnsubscribeService,
  ) {}

  @Get()
  @Operation('Addresses that get no mail, newest first', pageOf(SuppressionAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() query: SuppressionQueryDto) {
    const page = await this.suppressions.list(viewer, query);
    return { ...page, items: page.items.map(answer) };
  }

  @Post()
  @Operation('Suppress an address: it gets no more mail of the caller', SuppressionAnswer)
  async add(@CurrentViewer() viewer: Viewer, @Body() body: SuppressionDto) {
    return answer(await this.unsubscribes.suppress(viewer, body, 'api'));
  }

  @Post(':id/lift')
  @Operation('Lift a suppression: the address gets mail again', EMPTY, {
    conflicts: ['SUPPRESSION_LIFTED', 'LIFTED_LATELY'],
  })
  @HttpCode(200)
  async lift(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: LiftDto) {
    await this.suppressions.lift(viewer, id, body.reason);
    return {};
  }
}

/** Beside the list, under a name of its own. */
@ApiController('suppressions.csv', 'suppressions')
export class SuppressionsFileController {
  constructor(private readonly suppressions: SuppressionsService) {}

  @Get()
  @Operation('All suppressed addresses, or those that match, as CSV', CSV)
  async csv(
    @CurrentViewer() viewer: Viewer,
    @Query() { search, ownerId, reason, lifted }: SuppressionQueryDto,
  ): Promise<StreamableFile> {
    const filter = {
      ...(search !== undefined && { search }),
      ...(ownerId !== undefined && { ownerId }),
      ...(reason !== undefined && { reason }),
      ...(lifted !== undefined && { lifted }),
    };
    return csvFile(this.suppressions.exportCsv(viewer, filter), 'suppressions.csv');
  }
}
