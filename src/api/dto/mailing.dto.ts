import { IntersectionType } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { languages } from '../../domain/language';
import { exclusionReasons } from '../../domain/codes';
import { mailingKinds } from '../../domain/suppression';
import { told } from '../../domain/problem-texts';
import { PERIODS } from '../../domain/recurrence';
import { type MailingStatus, mailingStatuses, runStatuses, unknownPolicies } from '../../domain/states';
import { audiences } from '../../features/audiences/audiences';
import { CLIENT_IDS_MAX } from '../../features/mailings/mailing-clients';
import type { MailingView } from '../../features/mailings/mailings.service';
import { Optional, PartialType } from './optional.dto';
import { version, VersionDto } from './version.dto';
import { Said } from '../openapi/input-schema';
import {
  count,
  counts,
  id,
  listOf,
  maybe,
  nullable,
  oneOf,
  part,
  said,
  Shape,
  text,
  time,
  timeText,
} from '../openapi/shape';
import { codedProblem, FindingAnswer } from '../openapi/problems';
import { FromDigits, IsId } from './id.dto';
import { SearchDto } from './list.dto';

export class ClientIdsDto {
  @IsArray()
  @ArrayMaxSize(CLIENT_IDS_MAX)
  @IsId({ each: true })
  clientIds!: number[];
}

export class MailingDto {
  @Optional()
  @IsString()
  @MaxLength(1_000)
  name?: string;

  @IsId()
  messageId!: number;

  @IsString()
  @Said({ enum: audiences })
  audience!: string;

  @Optional()
  @IsArray()
  @ArrayMaxSize(CLIENT_IDS_MAX)
  @IsId({ each: true })
  @Said({ description: 'For `selected`.' })
  clientIds?: number[];

  @IsOptional()
  @IsId()
  @Said({ description: 'For `segment`: whom the segment finds when a run is planned.' })
  segmentId?: number | null;

  @IsOptional()
  @IsId()
  @Said({ description: 'Of any audience: whom this segment finds does not get it. Null: nobody is left out.' })
  excludeSegmentId?: number | null;

  @IsString()
  @Said({ format: 'date-time', description: 'With offset.' })
  startAt!: string;

  @IsOptional()
  @IsString()
  @Said({ format: 'date-time', description: 'With offset, exclusive; null: without an end.' })
  endAt?: string | null;

  @IsString()
  @Said({ enum: PERIODS })
  period!: string;

  @Optional()
  @IsString()
  @Said({ description: "An IANA zone; the owner's if absent." })
  timeZone?: string;

  @Optional()
  @IsString()
  @Said({ enum: unknownPolicies, description: 'What to do when the reply to a sent letter was lost.' })
  onUnknown?: string;

  @Optional()
  @IsString()
  @Said({ enum: mailingKinds, description: 'A transactional one also goes to clients who unsubscribed.' })
  kind?: string;

  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  @Said({ description: 'Why people must get it although they unsubscribed; for `transactional`.' })
  transactionalReason?: string | null;

  @Optional()
  @IsString()
  @Said({ enum: languages, description: "Of the footer; the owner's if absent." })
  language?: string;
}

export class StartDto {
  @Optional()
  @IsString()
  @MaxLength(1_000)
  @Said({ description: 'Why letters go out although the check found something; for managers and admins.' })
  override?: string;
}

export class MailingCopyDto {
  @Optional()
  @IsString()
  @MaxLength(1_000)
  @Said({ description: '`Copy of …` if absent.' })
  name?: string;
}

export class MailingPatchDto extends IntersectionType(PartialType(MailingDto), VersionDto) {}

export class MailingQueryDto extends SearchDto {
  @IsOptional()
  @IsIn(mailingStatuses)
  status?: MailingStatus;
}

export class ScheduleQueryDto {
  @IsOptional()
  @FromDigits()
  @IsInt()
  @Min(1)
  @Max(200)
  count: number = 10;

  @IsOptional()
  @IsString()
  @Said({ format: 'date-time', description: 'After this; after now if absent.' })
  from?: string;
}

class StatusReasonAnswer extends Shape({
  code: text,
  text: nullable(text),
  since: time,
  by: nullable(count),
}) {}

class LastRunAnswer extends Shape({
  id,
  status: oneOf(runStatuses),
  total: count,
  sent: count,
  failed: count,
  open: count,
  createdAt: timeText,
}) {}

class WarningAnswer extends Shape({ field: text, ...codedProblem }) {}

export class MailingAnswer extends Shape({
  id,
  version,
  ownerId: id,
  name: text,
  messageId: nullable(id),
  audience: oneOf(audiences),
  segmentId: nullable(id),
  segmentName: nullable(text),
  excludeSegmentId: nullable(id),
  excludeSegmentName: nullable(text),
  startAt: time,
  endAt: nullable(time),
  period: oneOf(PERIODS),
  timeZone: text,
  onUnknown: oneOf(unknownPolicies),
  kind: oneOf(mailingKinds),
  transactionalReason: nullable(text),
  language: oneOf(languages),
  status: oneOf(mailingStatuses),
  statusReason: said('Where it is not its owner who brought it there.', nullable(part(StatusReasonAnswer))),
  nextRunAt: nullable(time),
  recipientCount: said(
    'Of a segment: counted now, null if that takes too long; in lists, how many the last run had.',
    nullable(count),
  ),
  lastRun: nullable(part(LastRunAnswer)),
  createdAt: time,
  updatedAt: time,
  warnings: maybe(said('What is allowed but probably not meant.', listOf(part(WarningAnswer)))),
}) {}

export const mailingAnswer = ({ warnings, ...m }: MailingView) =>
  MailingAnswer.of({
    ...m,
    statusReason:
      m.statusCode === null ? null : { code: m.statusCode, text: m.statusText, since: m.statusSince, by: m.statusBy },
    nextRunAt: m.status === 'started' ? m.nextRunAt : null,
    ...(warnings?.length ? { warnings: warnings.map(told) } : {}),
  });

export class PreflightAnswer extends Shape({
  findings: said('What is wrong; one of level `block` keeps it from starting.', listOf(part(FindingAnswer))),
  chosen: said('How many recipients it has; null if it takes too long to count them.', nullable(count)),
  eligible: said('How many of them get it; null if it takes too long to count them.', nullable(count)),
  excluded: said('How many get nothing, by reason.', counts(exclusionReasons)),
}) {}

class OccurrenceAnswer extends Shape({ occurrenceAt: time, local: said('With offset.', timeText) }) {}

export class ScheduleAnswer extends Shape({ items: listOf(part(OccurrenceAnswer)) }) {}
