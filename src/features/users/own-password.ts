import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { ConflictError, invalid } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { Limits } from '../../queue/limits';
import { passwordMatches } from './passwords';

/**
 * Asks a signed-in user for their password again, before changes for which an unattended browser must not be enough.
 */
@Injectable()
export class OwnPassword {
  constructor(
    private readonly database: Database,
    private readonly limits: Limits,
  ) {}

  /**
   * Returns the hash that matched: the change must check that it is still the same.
   * @throws ValidationError for another password, ConflictError PASSWORD_MISSING, DomainError RATE_LIMITED
   */
  async require(
    viewer: Viewer,
    password: string,
    field = 'password',
  ): Promise<{ email: string; passwordHash: string }> {
    await this.limits.take('passwordUser', viewer.userId);
    const user = await this.database.first<{ email: string; passwordHash: string | null }>(
      'SELECT email, password_hash FROM users WHERE id = $1',
      [viewer.userId],
    );
    if (user && user.passwordHash === null) throw passwordMissing();
    if (!user?.passwordHash || !(await passwordMatches(user.passwordHash, password))) throw wrongPassword(field);
    return { email: user.email, passwordHash: user.passwordHash };
  }
}

export const passwordMissing = () =>
  new ConflictError('PASSWORD_MISSING', 'This account has no password yet: set one by "Forgot your password?" first.');

export const wrongPassword = (field = 'password') => invalid(field, problem('wrong_password'));
