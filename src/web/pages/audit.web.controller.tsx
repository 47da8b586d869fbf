import { Get } from '@nestjs/common';
import type { Viewer } from '../../domain/permissions';
import { auditActions } from '../../features/audit/audit';
import { AuditService } from '../../features/audit/audit.service';
import { Allows, CurrentViewer } from '../../http/viewer';
import { page, type WebAnswer } from '../answers';
import { Ask, type FormValues, oneOf, WebController } from '../web-controller';
import { AuditPage } from './audit.page';

@Allows('audit.read')
@WebController('audit')
export class AuditWebController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  async list(@CurrentViewer() viewer: Viewer, @Ask() { action, cursor }: FormValues): Promise<WebAnswer> {
    const chosen = oneOf(auditActions, action);
    const entries = await this.audit.list(viewer, {
      limit: 50,
      ...(chosen && { action: chosen }),
      ...(cursor && { cursor }),
    });
    return page((t) => t.audit.title, <AuditPage entries={entries} />);
  }
}
