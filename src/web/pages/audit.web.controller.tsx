import { Get } from '@nestjs/common';
import type { Viewer } from '../../domain/permissions';
import { dayIn } from '../../domain/time-zone';
import { auditActions, auditObjects } from '../../features/audit/audit';
import { AuditService } from '../../features/audit/audit.service';
import { Allows, CurrentViewer } from '../../http/viewer';
import { page, type WebAnswer } from '../answers';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, type FormValues, oneOf, WebController, wholeNumber } from '../web-controller';
import { AuditPage } from './audit.page';

@Allows('audit.read')
@WebController('audit')
export class AuditWebController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  async list(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() { timeZone }: Reader,
    @Ask() { action, who, objectType, objectId, from, to, cursor }: FormValues,
  ): Promise<WebAnswer> {
    const chosen = oneOf(auditActions, action);
    const kind = oneOf(auditObjects, objectType);
    const number = wholeNumber(objectId);
    const first = dayIn(from ?? '', timeZone);
    const last = dayIn(to ?? '', timeZone);
    const entries = await this.audit.list(viewer, {
      limit: 50,
      ...(chosen && { action: chosen }),
      ...(who?.trim() && { who: who.trim() }),
      ...(kind && { objectType: kind }),
      ...(number && { objectId: number }),
      ...(first && { from: first.from }),
      ...(last && { to: last.to }),
      ...(cursor && { cursor }),
    });
    return page((t) => t.audit.title, <AuditPage entries={entries} />);
  }
}
