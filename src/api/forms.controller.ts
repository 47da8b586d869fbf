import { Body, Delete, Get, HttpCode, Inject, Patch, Post, Query } from '@nestjs/common';
import { IntersectionType } from '@nestjs/swagger';
import { IsArray, IsBoolean, IsIn, IsString, MaxLength } from 'class-validator';
import { CONFIG, type Config } from '../config/config.module';
import { type Language, languages } from '../domain/language';
import type { Viewer } from '../domain/permissions';
import { type NameMode, nameModes } from '../domain/signup-form';
import type { SignupFormView } from '../features/signups/form-view';
import { formUrl } from '../features/signups/public-form';
import { SignupFormsService } from '../features/signups/signup-forms.service';
import { SignupRecords } from '../features/signups/signup-records.service';
import { Id } from '../http/id.pipe';
import { CurrentViewer } from '../http/viewer';
import { OwnedPageDto, PageDto } from './dto/list.dto';
import { Optional, PartialType } from './dto/optional.dto';
import { IfMatch, since, TakesIfMatch, version, VersionDto } from './dto/version.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { Operation } from './openapi/operation';
import { count, details, flag, id, listOf, nullable, oneOf, pageOf, said, Shape, text, time } from './openapi/shape';

class FormDto {
  @IsString()
  @MaxLength(1_000)
  @Said({ description: 'For the owner; people see the title.' })
  name!: string;

  @IsString()
  @MaxLength(1_000)
  title!: string;

  @Optional()
  @IsIn(languages)
  language?: Language;

  @Optional()
  @IsString()
  @Said({ description: 'Shown above the form.' })
  intro?: string;

  @Optional()
  @IsString()
  @Said({ description: 'Shown when people are done; empty: a standard sentence.' })
  thanks?: string;

  @Optional()
  @IsString()
  @Said({ description: 'What people agree to; kept with each sign-up as it was shown.' })
  consentText?: string;

  @Optional()
  @IsString()
  @Said({ description: 'Where people are led when they are done, by https; empty: a page of this service.' })
  redirectUrl?: string;

  @Optional()
  @IsBoolean()
  @Said({
    description: 'Whether an address counts only once its person has used the link in a letter; true if absent.',
  })
  doubleOptIn?: boolean;

  @Optional()
  @IsIn(nameModes)
  @Said({ description: 'Whether it asks for the full name.' })
  fullName?: NameMode;

  @Optional()
  @IsArray()
  @IsString({ each: true })
  @Said({ description: 'The keys of the fields of clients that it asks for, in this order.' })
  fields?: string[];

  @Optional()
  @IsArray()
  @IsString({ each: true })
  @Said({ description: 'Of these fields, those that must be filled in.' })
  requiredFields?: string[];

  @Optional()
  @IsArray()
  @IsString({ each: true })
  @Said({ description: 'The names of public tags that people choose from.' })
  topics?: string[];

  @Optional()
  @IsArray()
  @IsString({ each: true })
  @Said({ description: 'The names of tags that everybody gets.' })
  tags?: string[];

  @Optional()
  @IsArray()
  @IsString({ each: true })
  @Said({ description: 'The sites whose scripts may send it, such as `https://shop.example`.' })
  allowedOrigins?: string[];

  @Optional()
  @IsBoolean()
  @Said({ description: 'A closed form is not there for strangers; letters that are out can still be confirmed.' })
  closed?: boolean;
}

class FormPatchDto extends IntersectionType(PartialType(FormDto), VersionDto) {}

class FormAnswer extends Shape({
  id,
  version,
  ownerId: id,
  name: text,
  url: said('The public page; its last part is the token of `POST /forms/{token}`.', text),
  token: text,
  language: oneOf(languages),
  title: text,
  intro: text,
  thanks: text,
  consentText: text,
  redirectUrl: nullable(text),
  doubleOptIn: flag,
  fullName: oneOf(nameModes),
  fields: listOf(text),
  requiredFields: listOf(text),
  topics: listOf(text),
  tags: listOf(text),
  allowedOrigins: listOf(text),
  closed: flag,
  cameIn: said('How often it was sent.', count),
  confirmed: said('How many of these count.', count),
  waiting: said('How many can still be confirmed.', count),
  createdAt: time,
  updatedAt: time,
}) {}

class SignupAnswer extends Shape({
  id,
  email: text,
  fullName: text,
  fields: details,
  topics: listOf(text),
  consentText: said('As it was shown.', text),
  ip: said("The caller's address.", text),
  origin: said('The site whose page sent it, if the browser said so.', nullable(text)),
  createdAt: time,
  confirmedAt: said('Null: nobody has confirmed the address.', nullable(time)),
  confirmedIp: nullable(text),
  expiresAt: time,
  clientId: nullable(id),
}) {}

@ApiController('forms')
export class FormsController {
  constructor(
    private readonly forms: SignupFormsService,
    private readonly records: SignupRecords,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @Operation('Sign-up forms, newest first', pageOf(FormAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() query: OwnedPageDto) {
    const page = await this.forms.list(viewer, query);
    return { ...page, items: page.items.map((form) => this.answer(form)) };
  }

  @Post()
  @Operation('Make a sign-up form', FormAnswer, { conflicts: ['FORMS_FULL'] })
  async create(@CurrentViewer() viewer: Viewer, @Body() body: FormDto) {
    return this.answer(await this.forms.create(viewer, body));
  }

  @Get(':id')
  @Operation('A sign-up form', FormAnswer)
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return this.answer(await this.forms.get(viewer, id));
  }

  @Patch(':id')
  @Operation('Change, close or open a sign-up form', FormAnswer, { conflicts: ['CHANGED_MEANWHILE'] })
  @TakesIfMatch()
  async update(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Body() body: FormPatchDto,
    @IfMatch() header?: number,
  ) {
    return this.answer(await this.forms.update(viewer, id, since(body, header)));
  }

  @Delete(':id')
  @Operation('Delete a sign-up form; what people agreed to by it stays', null)
  @HttpCode(204)
  delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.forms.delete(viewer, id);
  }

  @Get(':id/signups')
  @Operation('What came in by a form, newest first', pageOf(SignupAnswer))
  async signups(@CurrentViewer() viewer: Viewer, @Id() id: number, @Query() query: PageDto) {
    const page = await this.records.list(viewer, id, query);
    return { ...page, items: page.items.map((record) => SignupAnswer.of(record)) };
  }

  private answer(form: SignupFormView) {
    return FormAnswer.of({
      ...form,
      url: formUrl(this.config.publicUrl, form.token),
      topics: form.topics.map(({ name }) => name),
      tags: form.tags.map(({ name }) => name),
      closed: form.closedAt !== null,
    });
  }
}
