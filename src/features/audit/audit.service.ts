import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { listPage, newestFirst } from '../../database/list';
import { emailKey } from '../../domain/email-address';
import type { Page, PageRequest } from '../../domain/paging';
import { anywhere, searched } from '../../database/search';
import { requireMay, type Viewer } from '../../domain/permissions';
import type { AuditAction, AuditObject } from './audit';

export interface AuditEntry {
  id: number;
  createdAt: Date;
  actorId: number | null;
  actorEmail: string | null;
  via: 'session' | 'token' | 'cli' | 'anonymous';
  ip: string | null;
  action: AuditAction;
  objectType: AuditObject['type'] | null;
  objectId: number | null;
  /** The object's present name, subject or address; null if it does not exist any more. */
  objectName: string | null;
  /** Keys of `AuditDetail`; another version of the service may have written others. */
  detail: Record<string, unknown>;
}

export interface AuditQuery extends PageRequest {
  actorId?: number;
  /** The address of whoever did it, or a part of their name or address. */
  who?: string;
  action?: string;
  objectType?: string;
  objectId?: number;
  from?: Date;
  to?: Date;
}

/** So many people at most are meant by a part of a name. */
const MEANT = 200;

const OBJECT_NAME = `CASE a.object_type
  WHEN 'user' THEN (SELECT o.email FROM users o WHERE o.id = a.object_id)
  WHEN 'token' THEN (SELECT o.name FROM api_tokens o WHERE o.id = a.object_id)
  WHEN 'mailing' THEN (SELECT o.name FROM mailings o WHERE o.id = a.object_id AND o.deleted_at IS NULL)
  WHEN 'message' THEN (SELECT coalesce(nullif(o.name, ''), o.subject) FROM messages o WHERE o.id = a.object_id)
  WHEN 'segment' THEN (SELECT o.name FROM segments o WHERE o.id = a.object_id)
  WHEN 'client' THEN (SELECT o.email FROM clients o WHERE o.id = a.object_id)
  WHEN 'field' THEN (SELECT o.label FROM client_fields o WHERE o.id = a.object_id)
  WHEN 'tag' THEN (SELECT o.name FROM tags o WHERE o.id = a.object_id)
  WHEN 'form' THEN (SELECT o.name FROM signup_forms o WHERE o.id = a.object_id AND o.deleted_at IS NULL)
  WHEN 'import' THEN (SELECT o.file_name FROM imports o WHERE o.id = a.object_id)
  WHEN 'run' THEN (SELECT o.subject FROM runs o WHERE o.id = a.object_id)
  WHEN 'delivery' THEN (SELECT o.email FROM deliveries o WHERE o.id = a.object_id)
END`;

/** The audit log, as managers and admins read it. */
@Injectable()
export class AuditService {
  constructor(private readonly database: Database) {}

  /** Newest first; `from` is inclusive, `to` exclusive. */
  async list(viewer: Viewer, query: AuditQuery): Promise<Page<AuditEntry>> {
    requireMay(viewer, 'audit.read');
    const actors = query.who?.trim() ? await this.meant(query.who) : null;
    return listPage<AuditEntry>(
      this.database,
      {
        select: `a.id, a.created_at, a.actor_id, u.email AS actor_email, a.via, a.ip, a.action, a.object_type,
          a.object_id, ${OBJECT_NAME} AS object_name, a.detail`,
        from: 'audit_log a LEFT JOIN users u ON u.id = a.actor_id',
        where: `($1::bigint IS NULL OR a.actor_id = $1) AND ($2::text IS NULL OR a.action = $2)
                 AND ($3::text IS NULL OR a.object_type = $3) AND ($4::bigint IS NULL OR a.object_id = $4)
                 AND ($5::timestamptz IS NULL OR a.created_at >= $5)
                   AND ($6::timestamptz IS NULL OR a.created_at < $6)
                 AND ($7::bigint[] IS NULL OR a.actor_id = ANY($7))`,
        params: [
          query.actorId ?? null,
          query.action ?? null,
          query.objectType ?? null,
          query.objectId ?? null,
          query.from ?? null,
          query.to ?? null,
          actors,
        ],
        ...newestFirst('a.id'),
      },
      query,
    );
  }

  /** Found before, so that the log is read by its index of people. */
  private async meant(who: string): Promise<number[]> {
    const rows = await this.database.rows<{ id: number; email: string }>(
      `SELECT u.id, u.email FROM users u WHERE ${searched(`u.email || ' ' || u.full_name`)} LIKE ${searched('$1')}
        ORDER BY u.id DESC LIMIT ${MEANT}`,
      [anywhere(who)],
    );
    const exactly = rows.filter(({ email }) => emailKey(email) === emailKey(who.trim()));
    return (exactly.length > 0 ? exactly : rows).map(({ id }) => id);
  }
}
