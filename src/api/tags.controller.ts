import { Body, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { IsBoolean, IsString, MaxLength } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import { TagsService } from '../features/clients/tags.service';
import { Id } from '../http/id.pipe';
import { CurrentViewer } from '../http/viewer';
import { IsId } from './dto/id.dto';
import { SearchDto } from './dto/list.dto';
import { Optional, PartialType } from './dto/optional.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { Operation } from './openapi/operation';
import { count, flag, id, pageOf, said, Shape, text, time } from './openapi/shape';

class TagDto {
  @IsString()
  @MaxLength(1_000)
  @Said({ description: 'One line of at most 100 characters without commas. Case does not count.' })
  name!: string;

  @Optional()
  @IsBoolean()
  @Said({ description: 'A topic: people may choose it and leave it themselves.' })
  public?: boolean;
}

class TagPatchDto extends PartialType(TagDto) {}

class TagMergeDto {
  @IsId()
  @Said({ description: 'The tag that the clients get instead.' })
  into!: number;
}

class TagAnswer extends Shape({
  id,
  ownerId: id,
  name: text,
  public: flag,
  clients: said('How many clients have it.', count),
  createdAt: time,
}) {}

@ApiController('tags')
export class TagsController {
  constructor(private readonly tags: TagsService) {}

  @Get()
  @Operation('Tags, by name', pageOf(TagAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() query: SearchDto) {
    const page = await this.tags.list(viewer, query);
    return { ...page, items: page.items.map((tag) => TagAnswer.of(tag)) };
  }

  @Post()
  @Operation('Add a tag', TagAnswer, { conflicts: ['TAG_EXISTS', 'TAGS_FULL'] })
  async create(@CurrentViewer() viewer: Viewer, @Body() body: TagDto) {
    return TagAnswer.of(await this.tags.create(viewer, body));
  }

  @Patch(':id')
  @Operation('Rename a tag, or make it a topic', TagAnswer, { conflicts: ['TAG_EXISTS'] })
  async update(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: TagPatchDto) {
    return TagAnswer.of(await this.tags.update(viewer, id, body));
  }

  @Delete(':id')
  @Operation('Delete a tag; its clients stay', null, { conflicts: ['TAG_IN_USE'] })
  @HttpCode(204)
  delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.tags.delete(viewer, id);
  }

  @Post(':id/merge')
  @Operation('Give its clients another tag, and delete it', TagAnswer, { conflicts: ['TAG_IN_USE'] })
  @HttpCode(200)
  async merge(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() { into }: TagMergeDto) {
    return TagAnswer.of(await this.tags.merge(viewer, id, into));
  }
}
