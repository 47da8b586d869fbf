import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags, PartialType } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, MaxLength, Min } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import { MessagesService, type MessageWithUse } from '../features/messages/messages.service';
import { TestLettersService } from '../features/messages/test-letters.service';
import { type LetterState, ServiceLetters } from '../features/letters/service-letters.service';
import { PreviewService } from '../features/messages/preview.service';
import { SearchDto } from './dto/list.dto';
import { Id } from '../http/id.pipe';
import { CurrentViewer } from '../http/viewer';

class MessageDto {
  @IsString()
  subject!: string;

  /** HTML with variables such as `{{ client.fullName }}`. */
  @IsString()
  body!: string;

  /** The text part; made from the HTML if absent. */
  @IsOptional()
  @IsString()
  bodyText?: string | null;
}

class MessagePatchDto extends PartialType(MessageDto) {}

class TestLetterDto {
  /** Where it goes; to one's own address if absent. */
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  to?: string;
}

class PreviewDto {
  /** Whose data; without it, a made-up client's. */
  @IsOptional()
  @IsInt()
  @Min(1)
  clientId?: number;
}

const messageAnswer = ({
  id,
  ownerId,
  subject,
  body,
  bodyText,
  createdAt,
  updatedAt,
  mailingCount,
}: MessageWithUse) => ({
  id,
  ownerId,
  subject,
  body,
  bodyText,
  mailingCount,
  createdAt,
  updatedAt,
});

@ApiTags('messages')
@ApiBearerAuth()
@Controller('messages')
export class MessagesController {
  constructor(
    private readonly messages: MessagesService,
    private readonly previews: PreviewService,
    private readonly testLetters: TestLettersService,
    private readonly letters: ServiceLetters,
  ) {}

  @Get()
  async list(@CurrentViewer() viewer: Viewer, @Query() query: SearchDto) {
    const page = await this.messages.list(viewer, query);
    return { ...page, items: page.items.map(messageAnswer) };
  }

  @Post()
  async create(@CurrentViewer() viewer: Viewer, @Body() body: MessageDto) {
    return messageAnswer(await this.messages.create(viewer, body));
  }

  @Get(':id')
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return messageAnswer(await this.messages.get(viewer, id));
  }

  @Patch(':id')
  async update(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: MessagePatchDto) {
    return messageAnswer(await this.messages.update(viewer, id, body));
  }

  @Delete(':id')
  @HttpCode(204)
  delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.messages.delete(viewer, id);
  }

  /** The message as one client would get it: `{ subject, html, text }`. */
  @Post(':id/preview')
  @HttpCode(200)
  preview(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: PreviewDto) {
    return this.previews.ofMessage(viewer, id, body.clientId);
  }

  /** Sends one letter of the message: to one's own address, or to others at most 20 an hour. */
  @Post(':id/test')
  @HttpCode(202)
  test(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: TestLetterDto): Promise<{ letterId: number }> {
    return this.testLetters.send(viewer, id, body.to);
  }

  /** What became of a test letter; the id is the `letterId`. */
  @Get('test-letters/:id')
  testLetter(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<LetterState> {
    return this.letters.test(viewer, id);
  }
}
