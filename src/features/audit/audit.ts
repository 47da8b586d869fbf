import type { Sql, Transaction } from '../../database/database';
import type { BulkAction } from '../../domain/bulk';
import type { Role, TokenScope, Viewer } from '../../domain/permissions';
import type { SuppressionReason } from '../../domain/suppression';

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
  'user.invite',
  'user.uninvite',
  'user.accept',
  'user.let_in',
  'user.block',
  'user.unblock',
  'user.role',
  'mailing.start',
  'mailing.send',
  'mailing.override',
  'mailing.pause',
  'mailing.resume',
  'mailing.finish',
  'mailing.delete',
  'message.delete',
  'segment.delete',
  'message.test',
  'picture.delete',
  'client.confirm',
  'client.delete',
  'person.export',
  'person.erase',
  'field.delete',
  'tag.delete',
  'tag.merge',
  'clients.import',
  'clients.import_undo',
  'clients.export',
  'clients.bulk',
  'clients.bulk_stop',
  'deliveries.export',
  'run.resend_failed',
  'run.reconcile',
  'delivery.resend',
  'delivery.mark_sent',
  'account.resume',
  'account.prove',
  'suppression.add',
  'suppression.lift',
  'suppressions.export',
  'suppressions.import',
  'suppressions.undo',
  'suppressions.confirm',
  'inbound.judge',
  'inbound_webhook.create',
  'inbound_webhook.change',
  'inbound_webhook.delete',
  'sender.change',
  'form.create',
  'form.change',
  'form.delete',
  'signup.confirm',
  'link_keys.rotate',
  'database.hold',
] as const;
export type AuditAction = (typeof auditActions)[number];

/** Who did it: a viewer, or somebody who has not signed in. */
export type Actor = Pick<Viewer, 'userId' | 'via' | 'ip'>;

/** Somebody who has not signed in. */
export const anonymous = (ip: string, userId = 0): Actor => ({ userId, ip });

export const auditObjects = [
  'user',
  'token',
  'mailing',
  'message',
  'picture',
  'segment',
  'client',
  'form',
  'field',
  'tag',
  'import',
  'run',
  'delivery',
  'account',
  'suppression',
  'suppression_batch',
  'inbound',
  'inbound_webhook',
  'bulk_job',
] as const;

export interface AuditObject {
  type: (typeof auditObjects)[number];
  id?: number;
}

/** Further facts of an entry. Each key has a label in every language, or the catalogue does not compile. */
export interface AuditDetail {
  /** How somebody proved who they are, where not by the password alone. */
  by?: 'totp' | 'recovery_code' | 'oidc';
  /** How many recovery codes are left after one was used. */
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
  /** Provider accounts that the reset unlinked. */
  endedLinks?: number;
  /** How many other sessions were ended. */
  endedSessions?: number;
  /** Of a token: its user, name, scopes and, if it has one, its end. */
  userId?: number;
  name?: string;
  scopes?: TokenScope[];
  expiresAt?: Date;
  /** Deliveries that a mail server's log says were accepted, and those that are open again. */
  marked?: number;
  reopened?: number;
  /** Why an address is suppressed, and why it was lifted. */
  reason?: SuppressionReason;
  why?: string;
  /** What was done to many clients. */
  bulk?: BulkAction;
  /** The import was a dry run. */
  dryRun?: boolean;
}

/**
 * Adds an entry to the audit log. Call it in the transaction of the action, so that neither is committed without the
 * other. `detail` must not contain secrets.
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

/** Takes what a pattern finds (see `mentions`) out of the details of the audit log. */
export async function eraseMentions(tx: Transaction, pattern: string): Promise<void> {
  await tx.rows('SET LOCAL gonets.erasing = on');
  await tx.affected(
    `UPDATE audit_log SET detail = regexp_replace(detail::text, $1, '[erased]', 'gi')::jsonb WHERE detail::text ~* $1`,
    [pattern],
  );
  await tx.rows('SET LOCAL gonets.erasing = off');
}

/**
 * A regular expression of Postgres that finds these addresses in a text, but not within longer ones. JSON writes an
 * address as it is.
 */
export function mentions(addresses: readonly string[]): string {
  const either = addresses.map((address) => address.replace(/[^a-z0-9@\u0080-\uffff]/gi, '\\$&')).join('|');
  return `(?<![[:alnum:]._%+-])(?:${either})(?![[:alnum:]-])`;
}
