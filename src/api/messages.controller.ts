import { Body, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { IntersectionType } from '@nestjs/swagger';
import { IsObject, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import { MessageDeletion } from '../features/mailings/message-deletion.service';
import { MessagesService } from '../features/messages/messages.service';
import { TestNoticesService } from '../features/messages/test-notices.service';
import { Notices } from '../features/notices/notices.service';
import { PreviewService } from '../features/messages/preview.service';
import { SearchDto } from './dto/list.dto';
import { Id } from '../http/id.pipe';
import { DOCUMENT_JSON } from '../domain/json-bounds';
import { MESSAGE_BYTES } from '../http/body';
import { CurrentViewer, TakesBodies, TakesJson } from '../http/viewer';
import { IsId } from './dto/id.dto';
import { Optional, OptionalBeside, PartialType } from './dto/optional.dto';
import { IfMatch, since, TakesIfMatch, version, VersionDto } from './dto/version.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { Operation } from './openapi/operation';
import { count, details, id, nullable, oneOf, pageOf, said, Shape, text, time } from './openapi/shape';

class MessageDto {
  @IsOptional()
  @IsString()
  @Said({ description: 'What it is called; it is called by its subject if this is empty, null or absent.' })
  name?: string | null;

  @IsString()
  subject!: string;

  @OptionalBeside('document')
  @IsString()
  @Said({ description: 'HTML with variables such as `{{ client.fullName }}`. Either this, or `document`.' })
  body?: string;

  @IsOptional()
  @IsString()
  @Said({ description: 'The text part. If it is absent in a new message, or null, it is made from the HTML.' })
  bodyText?: string | null;

  @Optional()
  @IsObject()
  @Said({
    description:
      'A letter of blocks: `{ "version": 1, "preheader": "…", "doc": … }`, see docs/letters.md. Its HTML and text are made from it.',
  })
  document?: object;
}

class MessagePatchDto extends IntersectionType(PartialType(MessageDto), VersionDto) {}

class TestLetterDto {
  @Optional()
  @IsString()
  @MaxLength(1_000)
  @Said({ format: 'email', description: "Where it goes; to one's own address if absent." })
  to?: string;
}

class PreviewDto {
  @Optional()
  @IsId()
  @Said({ description: "Whose data; without it, a made-up client's." })
  clientId?: number;
}

class MessageAnswer extends Shape({
  id,
  version,
  ownerId: id,
  name: said('Empty if it is called by its subject.', text),
  subject: text,
  body: text,
  bodyText: nullable(text),
  document: said('What a message of blocks was written as; null for one of HTML.', nullable(details)),
  mailingCount: said('How many mailings send it.', count),
  createdAt: time,
  updatedAt: time,
}) {}

class PreviewAnswer extends Shape({ subject: text, html: text, text }) {}

class TestLetterBegunAnswer extends Shape({ letterId: id }) {}

class TestLetterAnswer extends Shape({
  id,
  kind: text,
  email: text,
  status: oneOf(['pending', 'sending', 'sent', 'failed']),
  attempts: count,
  outcome: nullable(text),
  lastResponse: nullable(text),
  createdAt: time,
  finishedAt: nullable(time),
}) {}

@ApiController('messages')
@TakesBodies(MESSAGE_BYTES)
@TakesJson(DOCUMENT_JSON)
export class MessagesController {
  constructor(
    private readonly messages: MessagesService,
    private readonly deletion: MessageDeletion,
    private readonly previews: PreviewService,
    private readonly testNotices: TestNoticesService,
    private readonly notices: Notices,
  ) {}

  @Get()
  @Operation('Messages, newest first', pageOf(MessageAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() query: SearchDto) {
    const page = await this.messages.list(viewer, query);
    return { ...page, items: page.items.map((message) => MessageAnswer.of(message)) };
  }

  @Post()
  @Operation('Add a message', MessageAnswer)
  async create(@CurrentViewer() viewer: Viewer, @Body() body: MessageDto) {
    return MessageAnswer.of(await this.messages.create(viewer, body));
  }

  @Get(':id')
  @Operation('A message', MessageAnswer)
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return MessageAnswer.of(await this.messages.get(viewer, id));
  }

  @Patch(':id')
  @Operation('Change a message, from the next run on', MessageAnswer, { conflicts: ['CHANGED_MEANWHILE'] })
  @TakesIfMatch()
  async update(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Body() body: MessagePatchDto,
    @IfMatch() header?: number,
  ) {
    return MessageAnswer.of(await this.messages.update(viewer, id, since(body, header)));
  }

  @Delete(':id')
  @Operation('Delete a message that no mailing uses', null, { conflicts: ['MESSAGE_IN_USE'] })
  @HttpCode(204)
  delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.deletion.delete(viewer, id);
  }

  @Post(':id/preview')
  @Operation('A message as one client would get it', PreviewAnswer, { conflicts: ['TEMPLATE_FAILED'] })
  @HttpCode(200)
  preview(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: PreviewDto): Promise<PreviewAnswer> {
    return this.previews.ofMessage(viewer, id, body.clientId);
  }

  @Post(':id/test')
  @Operation(
    "Send one letter of a message: to one's own address at most 300 times an hour, to others at most 20",
    TestLetterBegunAnswer,
    {
      conflicts: ['TEMPLATE_FAILED'],
    },
  )
  @HttpCode(202)
  async test(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Body() body: TestLetterDto,
  ): Promise<TestLetterBegunAnswer> {
    return { letterId: await this.testNotices.send(viewer, id, body.to) };
  }

  @Get('test-letters/:id')
  @Operation('What became of a test letter', TestLetterAnswer)
  async testLetter(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<TestLetterAnswer> {
    return TestLetterAnswer.of(await this.notices.test(viewer, id));
  }
}
