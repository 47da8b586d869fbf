import type { Database } from '../../database/database';
import { forgetTokens } from '../notices/notice-tokens';

/**
 * Deletes expired sessions, unfinished sign-ins and tokens of notices, and what was not confirmed: registrations after
 * a week, second factors after a day.
 */
export async function forgetStaleUsers(database: Database, sessionIdleMs: number): Promise<void> {
  await database.affected(
    `DELETE FROM sessions WHERE expires_at < now() OR last_seen_at < now() - $1 * interval '1 millisecond'`,
    [sessionIdleMs],
  );
  await database.affected('DELETE FROM sign_in_challenges WHERE expires_at < now()');
  await database.affected(
    `DELETE FROM second_factors WHERE confirmed_at IS NULL AND created_at < now() - interval '1 day'`,
  );
  await forgetTokens(database);
  await database.affected(
    `DELETE FROM users u WHERE status = 'unconfirmed' AND created_at < now() - interval '7 days'
        AND NOT EXISTS (SELECT FROM notices l WHERE l.user_id = u.id AND l.created_at > now() - interval '1 day')`,
  );
}
