import { Injectable } from '@nestjs/common';
import { absent } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { MailingsService } from '../../features/mailings/mailings.service';
import type { RunView } from '../../features/runs/runs.service';
import type { Reader } from '../reader';
import { SegmentParts } from './segment-parts.service';

/** What the page of a run shows beside the run and its letters. */
@Injectable()
export class RunParts {
  constructor(
    private readonly mailings: MailingsService,
    private readonly segments: SegmentParts,
  ) {}

  /** Its mailing, unless it was deleted, and the segments with which the run began. */
  async of(viewer: Viewer, reader: Reader, run: RunView) {
    const [mailing, segments] = await Promise.all([
      this.mailings.get(viewer, run.mailingId).catch(absent),
      this.segments.ofRun(reader, run),
    ]);
    return { mailing, segments };
  }
}
