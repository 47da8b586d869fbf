import { Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Viewer } from '../domain/permissions';
import { type TransportState, TransportService } from '../features/deliveries/transport.service';
import { PageDto } from './dto/list.dto';
import { Allows, CurrentViewer } from '../http/viewer';

const answer = ({ state, reason, detail, retryAt, since }: TransportState) => ({
  state,
  reason,
  detail,
  retryAt,
  since,
});

@ApiTags('transport')
@ApiBearerAuth()
@Controller('transport')
export class TransportController {
  constructor(private readonly transport: TransportService) {}

  /** The SMTP account: whether letters go out, why not, and what happened to it. */
  @Get()
  async get(@Query() query: PageDto) {
    return { ...answer(await this.transport.read()), log: await this.transport.history(query) };
  }

  /** Admins: a parked account is tried anew. */
  @Allows('transport.resume')
  @Post('resume')
  @HttpCode(200)
  async resume(@CurrentViewer() viewer: Viewer) {
    return answer(await this.transport.resume(viewer));
  }
}
