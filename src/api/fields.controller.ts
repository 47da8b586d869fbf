import { Body, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { IsArray, IsBoolean, IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { FIELDS_MAX, type FieldType, fieldTypes } from '../domain/client-fields';
import type { Viewer } from '../domain/permissions';
import type { ClientField } from '../features/clients/client-field.entity';
import { isOffered } from '../features/clients/field-definitions';
import { FieldsService } from '../features/clients/fields.service';
import { CurrentViewer } from '../http/viewer';
import { PageDto } from './dto/list.dto';
import { Optional } from './dto/optional.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { Operation } from './openapi/operation';
import { count, flag, listOf, oneOf, pageOf, said, Shape, text, time } from './openapi/shape';

class FieldDto {
  @IsString()
  @MaxLength(100)
  @Said({ description: 'A letter, then letters, digits and `_`, at most 40. Names it in templates and files.' })
  key!: string;

  @IsString()
  @MaxLength(1_000)
  label!: string;

  @IsString()
  @IsIn(fieldTypes)
  @Said({ description: 'It cannot be changed later.' })
  type!: FieldType;

  @Optional()
  @IsArray()
  @IsString({ each: true })
  @Said({ description: 'Of a `choice`, and of no other: the texts to choose from.' })
  options?: string[];
}

class FieldPatchDto {
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  label?: string;

  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  @Said({ description: 'All of them, in their order. One that clients have cannot be left out.' })
  options?: string[];

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(FIELDS_MAX)
  @Said({ description: 'Its place among the fields, from 0; the others move.' })
  position?: number;

  @IsOptional()
  @IsBoolean()
  @Said({ description: 'An archived field keeps its values, but is not offered any more.' })
  archived?: boolean;
}

class FieldAnswer extends Shape({
  key: text,
  label: text,
  type: oneOf(fieldTypes),
  options: listOf(text),
  position: said('The order; numbers may be missing.', count),
  archived: flag,
  createdAt: time,
}) {}

const fieldAnswer = (field: ClientField) => FieldAnswer.of({ ...field, archived: !isOffered(field) });

@ApiController('fields')
export class FieldsController {
  constructor(private readonly fields: FieldsService) {}

  @Get()
  @Operation("One's own fields of clients, in their order", pageOf(FieldAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() query: PageDto) {
    const page = await this.fields.page(viewer, query);
    return { ...page, items: page.items.map(fieldAnswer) };
  }

  @Post()
  @Operation('Add a field', FieldAnswer, { conflicts: ['FIELD_EXISTS', 'FIELDS_FULL'] })
  async create(@CurrentViewer() viewer: Viewer, @Body() body: FieldDto) {
    return fieldAnswer(await this.fields.create(viewer, body));
  }

  @Patch(':key')
  @Operation('Change a field', FieldAnswer, { conflicts: ['FIELD_OPTION_IN_USE'] })
  async update(@CurrentViewer() viewer: Viewer, @Param('key') key: string, @Body() body: FieldPatchDto) {
    return fieldAnswer(await this.fields.update(viewer, key, body));
  }

  @Delete(':key')
  @Operation('Delete a field and its values', null, { conflicts: ['FIELD_IN_USE'] })
  @HttpCode(204)
  delete(@CurrentViewer() viewer: Viewer, @Param('key') key: string): Promise<void> {
    return this.fields.delete(viewer, key);
  }
}
