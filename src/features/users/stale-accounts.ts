import type { Database } from '../../database/database';

/** Forgets sessions and links that are over, and registrations that nobody confirmed for a week. */
export async function forgetStaleAccounts(database: Database, sessionIdleMs: number): Promise<void> {
  await database.affected(
    `DELETE FROM sessions WHERE expires_at < now() OR last_seen_at < now() - $1 * interval '1 millisecond'`,
    [sessionIdleMs],
  );
  await database.affected('DELETE FROM letter_tokens WHERE expires_at < now()');
  await database.affected(
    `DELETE FROM users u WHERE status = 'unconfirmed' AND created_at < now() - interval '7 days'
        AND NOT EXISTS (SELECT FROM service_letters l WHERE l.user_id = u.id AND l.created_at > now() - interval '1 day')`,
  );
}
