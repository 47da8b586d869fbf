import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { OVER } from './sessions.service';
import { forgetTokens } from '../notices/notice-tokens';

@Injectable()
export class StaleUsers {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Deletes sessions that ended a day ago, unfinished sign-ins and tokens of notices, and what was not confirmed: registrations
   * after a week, invitations a day after their links have ended, second factors after a day.
   */
  async forget(): Promise<void> {
    await this.database.affected(
      `DELETE FROM sessions WHERE expires_at < now() - ${OVER}
           OR last_seen_at < now() - $1 * interval '1 millisecond' - ${OVER}`,
      [this.config.sessionIdleMs],
    );
    await this.database.affected('DELETE FROM sign_in_challenges WHERE expires_at < now()');
    await this.database.affected(
      `DELETE FROM second_factors WHERE confirmed_at IS NULL AND created_at < now() - interval '1 day'`,
    );
    await forgetTokens(this.database);
    await this.database.affected(
      `DELETE FROM users u WHERE status = 'unconfirmed' AND created_at < now() - interval '7 days'
          AND (invited_at IS NULL OR invited_at < now() - interval '8 days')
          AND NOT EXISTS (SELECT FROM notices n WHERE n.user_id = u.id AND n.created_at > now() - interval '1 day')`,
    );
  }
}
