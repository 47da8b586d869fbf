import { Module } from '@nestjs/common';
import { LetterHtml } from './letter-html.service';

@Module({ providers: [LetterHtml], exports: [LetterHtml] })
export class MjmlModule {}
