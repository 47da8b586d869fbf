import type { Sql } from '../../database/database';
import type { Role, Viewer } from '../../domain/permissions';

export const auditActions = [
  'sign_in',
  'sign_in_failed',
  'sign_out',
  'session.end',
  'register',
  'confirm',
  'password.forgot',
  'password.reset',
  'password.change',
  'email.change_asked',
  'email.change',
  'second_factor.enable',
  'second_factor.disable',
  'second_factor.failed',
  'second_factor.codes',
  'second_factor.reset',
  'identity.link',
  'identity.unlink',
  'token.create',
  'token.revoke',
  'user.create',
  'user.let_in',
  'user.block',
  'user.unblock',
  'user.role',
  'mailing.start',
  'mailing.send',
  'mailing.pause',
  'mailing.resume',
  'mailing.finish',
  'mailing.delete',
  'message.delete',
  'message.test',
  'client.delete',
  'clients.import',
  'clients.export',
  'deliveries.export',
  'run.resend_failed',
  'run.reconcile',
  'delivery.resend',
  'delivery.mark_sent',
  'account.resume',
  'database.hold',
] as const;
export type AuditAction = (typeof auditActions)[number];

/** Who did it: a viewer, or nobody that is known yet. */
export type Actor = Pick<Viewer, 'userId' | 'via' | 'ip'>;

/** Somebody who has not signed in. */
export const anonymous = (ip: string, userId = 0): Actor => ({ userId, ip });

export interface AuditObject {
  type: 'user' | 'token' | 'mailing' | 'message' | 'client' | 'import' | 'run' | 'delivery' | 'account';
  id?: number;
}

/** What a line may say beside its object. Each key has a label in every language, or the catalogue does not compile. */
export interface AuditDetail {
  /** How somebody proved who they are, where not by the password alone. */
  by?: 'totp' | 'recovery_code' | 'oidc';
  /** Of these, after one was used. */
  recoveryCodesLeft?: number;
  /** The provider that somebody signs in with. */
  issuer?: string;
  /** The role of a user that was made; `from` and `to` of one that was changed. */
  role?: Role;
  from?: Role;
  to?: Role;
  /** Whether the address that registered had no account yet. */
  isNew?: boolean;
  /** Of a user who has confirmed their address. */
  status?: 'active' | 'waiting';
  pausedMailings?: number;
  /** API tokens that a reset of the password ended. */
  endedTokens?: number;
  /** Accounts of providers that it unlinked. */
  endedLinks?: number;
  /** Sessions that somebody ended beside their own. */
  endedSessions?: number;
  /** Whose token it is, what it is called and may do, and until when, if not for ever. */
  userId?: number;
  name?: string;
  scopes?: ('read' | 'write')[];
  expiresAt?: Date;
  /** Deliveries that a mail server's log says were accepted, and those that are open again. */
  marked?: number;
  reopened?: number;
  /** Of an import that only checked. */
  dryRun?: boolean;
}

/**
 * Adds a line to the audit log. Call it in the transaction that does the thing: then neither is there without the other.
 * `detail` holds no secrets.
 */
export async function audit(
  sql: Sql,
  actor: Actor,
  action: AuditAction,
  object?: AuditObject,
  detail: AuditDetail = {},
): Promise<void> {
  await sql.affected(
    `INSERT INTO audit_log (actor_id, via, ip, action, object_type, object_id, detail)
     VALUES (nullif($1::bigint, 0), $2, $3, $4, $5, $6, $7)`,
    [
      actor.userId,
      actor.via ?? 'anonymous',
      actor.ip ?? null,
      action,
      object?.type ?? null,
      object?.id ?? null,
      JSON.stringify(detail),
    ],
  );
}
