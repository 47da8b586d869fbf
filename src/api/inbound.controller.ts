import { Get, HttpCode, Inject, Post, Query, Req, StreamableFile } from '@nestjs/common';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Request } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import { DomainError } from '../domain/errors';
import { inboundBases, type InboundKind, inboundKinds, inboundReasons, matchWays } from '../domain/inbound-decision';
import type { Viewer } from '../domain/permissions';
import { INBOUND_MAX_BYTES } from '../domain/read-letter';
import { inboundProblems } from '../features/inbound/inbound-judge.service';
import { InboundLetters, inboundSources } from '../features/inbound/inbound-letters.service';
import { readBytes, unsupported } from '../http/body';
import { Id } from '../http/id.pipe';
import { Allows, CurrentViewer, OpenToScope, TakesUpload } from '../http/viewer';
import { PageDto } from './dto/list.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { type Content, Operation, REQUIRED_TEXT_HEADER } from './openapi/operation';
import { count, id, nullable, oneOf, pageOf, said, Shape, text, time } from './openapi/shape';

class EnvelopeDto {
  @IsString()
  @MaxLength(320)
  @Said({ description: 'The address to which it came (RCPT TO).' })
  to!: string;

  @IsOptional()
  @IsString()
  @MaxLength(320)
  @Said({ description: 'Its envelope sender (MAIL FROM); empty or absent: the null sender.' })
  from?: string;
}

class InboundQueryDto extends PageDto {
  @IsOptional()
  @IsIn(inboundKinds)
  kind?: InboundKind;
}

class InboundIdAnswer extends Shape({ id }) {}

class InboundAnswer extends Shape({
  id,
  receivedAt: time,
  source: oneOf(inboundSources),
  envelopeFrom: said('Empty: the null sender.', text),
  envelopeTo: text,
  subject: text,
  size: said('In bytes.', count),
  judgedAt: said('Null: it is still to be judged, or to be judged anew.', nullable(time)),
  problem: said(
    'Why it is not judged: it is tried again, unless it is given up, until somebody asks for it.',
    nullable(oneOf(inboundProblems)),
  ),
  kind: said('What it is; null until it is judged.', nullable(oneOf(inboundKinds))),
  reason: nullable(oneOf(inboundReasons)),
  basis: said('What it was judged by.', nullable(oneOf(inboundBases))),
  address: said("The client's address that it is about.", nullable(text)),
  enhancedCode: nullable(text),
  reply: said('What the server said.', nullable(text)),
  blame: said(
    'Whose fault it is; that of the sender never counts against the client.',
    nullable(oneOf(['recipient', 'sender'])),
  ),
  matchBy: said('What ties it to the delivery.', nullable(oneOf(matchWays))),
  deliveryId: nullable(id),
  ownerId: nullable(id),
}) {}

const EML: Content = {
  content: {
    'message/rfc822': { schema: { type: 'string', format: 'binary' } },
    'application/json': { schema: { description: 'What a mail provider reported.' } },
  },
  headers: { 'Content-Disposition': REQUIRED_TEXT_HEADER },
};

@ApiController('inbound')
export class InboundController {
  constructor(
    private readonly letters: InboundLetters,
    @Inject(CONFIG) private readonly config: Pick<Config, 'bodyIdleMs'>,
  ) {}

  @Post()
  @HttpCode(202)
  @TakesUpload()
  @OpenToScope('inbound')
  @Allows('inbound.take')
  @Operation('Hand in a letter that came back; it is kept when this answers, and judged soon', InboundIdAnswer, {
    description:
      'For managers, or by a token with the scope `inbound`. The same letter to the same address, handed in again, has ' +
      'the same id and is judged once.',
    upload: {
      'message/rfc822': {
        schema: { type: 'string', format: 'binary', description: 'The letter as it came, at most 1 MB.' },
      },
    },
  })
  async take(@Query() { to, from }: EnvelopeDto, @Req() request: Request) {
    if (!request.is('message/rfc822')) throw unsupported('Send the letter as message/rfc822.');
    const raw = await readBytes(request, INBOUND_MAX_BYTES, this.config.bodyIdleMs);
    if (raw.length === 0) throw new DomainError('invalid', 'BAD_REQUEST', 'The body is empty: send the letter in it.');
    return InboundIdAnswer.of({ id: await this.letters.take('api', { from: from ?? '', to }, raw) });
  }

  @Get()
  @Operation('Letters that came back, newest first: of the own deliveries, for managers all', pageOf(InboundAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() query: InboundQueryDto) {
    const page = await this.letters.list(viewer, query);
    return { ...page, items: page.items.map((letter) => InboundAnswer.of(letter)) };
  }

  @Get(':id')
  @Operation('A letter that came back, and what it is', InboundAnswer)
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return InboundAnswer.of(await this.letters.get(viewer, id));
  }

  @Get(':id/eml')
  @Operation('The letter as it came, at most its first 256 KB, or what a mail provider reported', EML)
  async eml(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<StreamableFile> {
    const { raw, type, name } = await this.letters.raw(viewer, id);
    return new StreamableFile(raw, { type, disposition: `attachment; filename="${name}"` });
  }

  @Post(':id/judge')
  @HttpCode(202)
  @Allows('inbound.judge')
  @Operation('Managers: have a letter judged anew, as after an update; what it led to before stays', InboundAnswer)
  async judge(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return InboundAnswer.of(await this.letters.judgeAnew(viewer, id));
  }
}
