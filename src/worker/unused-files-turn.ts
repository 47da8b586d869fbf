import { Injectable } from '@nestjs/common';
import { Database } from '../database/database';
import { UnusedFiles } from '../features/messages/unused-files.service';
import { takeTurn } from '../features/scheduling/turns';

const DAY_MS = 24 * 3600 * 1000;

/** Once a day one worker removes files that nothing uses. */
@Injectable()
export class UnusedFilesTurn {
  constructor(
    private readonly database: Database,
    private readonly files: UnusedFiles,
  ) {}

  async look(): Promise<void> {
    if (await takeTurn(this.database, 'media', DAY_MS)) await this.files.remove();
  }
}
