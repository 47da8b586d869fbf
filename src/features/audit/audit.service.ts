import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { listPage } from '../../database/list';
import type { Page, PageRequest } from '../../domain/paging';
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
  detail: Record<string, unknown>;
}

export interface AuditQuery extends PageRequest {
  actorId?: number;
  action?: string;
  objectType?: string;
  objectId?: number;
  from?: Date;
  to?: Date;
}

/** The audit log, as managers and admins read it. */
@Injectable()
export class AuditService {
  constructor(private readonly database: Database) {}

  /** Newest first; `from` is inclusive, `to` exclusive. */
  async list(viewer: Viewer, query: AuditQuery): Promise<Page<AuditEntry>> {
    requireMay(viewer, 'audit.read');
    return listPage<AuditEntry>(
      this.database,
      {
        sql: `SELECT a.id, a.created_at, a.actor_id, u.email AS actor_email, a.via, a.ip, a.action, a.object_type, a.object_id, a.detail
                FROM audit_log a LEFT JOIN users u ON u.id = a.actor_id
               WHERE ($1::bigint IS NULL OR a.actor_id = $1) AND ($2::text IS NULL OR a.action = $2)
                 AND ($3::text IS NULL OR a.object_type = $3) AND ($4::bigint IS NULL OR a.object_id = $4)
                 AND ($5::timestamptz IS NULL OR a.created_at >= $5) AND ($6::timestamptz IS NULL OR a.created_at < $6)`,
        params: [
          query.actorId ?? null,
          query.action ?? null,
          query.objectType ?? null,
          query.objectId ?? null,
          query.from ?? null,
          query.to ?? null,
        ],
        key: [{ expression: 'a.id', type: 'bigint' }],
        descending: true,
      },
      query,
    );
  }
}
