import { Body, Get, Patch } from '@nestjs/common';
import { IsString, MaxLength } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import { SendersService } from '../features/consent/senders.service';
import { CurrentViewer } from '../http/viewer';
import { Optional } from './dto/optional.dto';
import { IfMatch, since, TakesIfMatch, version, VersionDto } from './dto/version.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { Operation } from './openapi/operation';
import { said, Shape, text } from './openapi/shape';

class SenderDto extends VersionDto {
  @Optional()
  @IsString()
  @MaxLength(1_000)
  @Said({ description: "Empty: the account's name." })
  name?: string;

  @Optional()
  @IsString()
  @MaxLength(1_000)
  @Said({ description: "Where answers go; empty: to the account's address." })
  replyTo?: string;

  @Optional()
  @IsString()
  @MaxLength(1_000)
  @Said({ description: 'In every letter; empty: SENDER_ADDRESS of the installation.' })
  postalAddress?: string;

  @Optional()
  @IsString()
  @MaxLength(1_000)
  @Said({ description: 'Why people get the letters, in the standard footer; empty: its own words.' })
  unsubscribeText?: string;

  @Optional()
  @IsString()
  @MaxLength(2000)
  @Said({ description: 'Of letters of blocks: `media:HASH` or an https address; empty: none.' })
  logo?: string;

  @Optional()
  @IsString()
  @MaxLength(20)
  @Said({ description: 'The colour of buttons and links, `#rrggbb`; empty: #0f766e.' })
  accent?: string;

  @Optional()
  @IsString()
  @MaxLength(20)
  @Said({ description: 'The colour around the letter, `#rrggbb`; empty: #eef1f4.' })
  background?: string;

  @Optional()
  @IsString()
  @MaxLength(20)
  @Said({ description: 'sans, verdana, trebuchet, georgia or times; empty: sans.' })
  font?: string;
}

class SenderAnswer extends Shape({
  name: text,
  replyTo: text,
  postalAddress: said('In every letter.', text),
  unsubscribeText: text,
  logo: text,
  accent: text,
  background: text,
  font: text,
  version,
}) {}

@ApiController('sender')
export class SenderController {
  constructor(private readonly senders: SendersService) {}

  @Get()
  @Operation("What the caller's letters say about their sender", SenderAnswer)
  async get(@CurrentViewer() viewer: Viewer) {
    return SenderAnswer.of(await this.senders.get(viewer));
  }

  @Patch()
  @Operation("Change what the caller's letters say about their sender, from the next run on", SenderAnswer, {
    conflicts: ['CHANGED_MEANWHILE'],
  })
  @TakesIfMatch()
  async update(@CurrentViewer() viewer: Viewer, @Body() body: SenderDto, @IfMatch() header?: number) {
    return SenderAnswer.of(await this.senders.update(viewer, since(body, header)));
  }
}
