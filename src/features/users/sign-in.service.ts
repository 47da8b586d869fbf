import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database';
import { emailKey } from '../../domain/email-address';
import { DomainError } from '../../domain/errors';
import { tokenHash } from '../../domain/token-hash';
import { accountOf, Limits } from '../../queue/limits';
import { anonymous, audit, type AuditDetail } from '../audit/audit';
import { passwordMatches } from './passwords';
import { SecondFactorService } from './second-factor.service';
import { type NewSession, type Origin, SessionsService } from './sessions.service';

/** How long after the password the code may be given. */
const CHALLENGE_MINUTES = 10;

/** A right password after which a code is required; the code is sent with this token. */
export interface Challenge {
  challenge: string;
  expiresAt: Date;
}

/** The result of a right password: a session, or the question for a code. */
export type PasswordOutcome = ({ kind: 'session' } & NewSession) | ({ kind: 'challenge' } & Challenge);

/** Sign-in by password, and by a code if the second factor is on. */
@Injectable()
export class SignInService {
  constructor(
    private readonly database: Database,
    private readonly sessions: SessionsService,
    private readonly secondFactor: SecondFactorService,
    private readonly limits: Limits,
  ) {}

  /**
   * Gives the same answer, after the same work, for a wrong password, an unknown address, an unconfirmed address, a
   * user who waits for approval and one who is blocked.
   * @param previous the token of the cookie that came with the request; that session ends when another begins
   * @throws DomainError SIGN_IN_FAILED, RATE_LIMITED, LIMITS_UNAVAILABLE
   */
  async signIn(email: string, password: string, origin: Origin, previous?: string): Promise<PasswordOutcome> {
    await this.limits.take('signInAddress', origin.ip);
    const user = await this.database.first<{ id: number; passwordHash: string | null; status: string }>(
      'SELECT id, password_hash, status FROM users WHERE lower(email) = $1',
      [emailKey(email)],
    );
    const account = accountOf(user, email);
    await this.limits.take('signInAccount', account);
    const matches = await passwordMatches(user?.passwordHash ?? null, password);
    const object = user && { type: 'user' as const, id: user.id };
    if (!user || !matches || user.status !== 'active') {
      await audit(this.database, anonymous(origin.ip), 'sign_in_failed', object);
      throw signInFailed();
    }
    const outcome = await this.database.transaction(async (tx): Promise<PasswordOutcome> => {
      // A block, a new password or a second factor that was set meanwhile has ended all sessions: none must begin after
      // it by the old state.
      const proved = await tx.first<{ id: number }>(
        `SELECT id FROM users WHERE id = $1 AND status = 'active' AND password_hash = $2 FOR SHARE`,
        [user.id, user.passwordHash],
      );
      if (!proved) throw signInFailed();
      const challenge = await this.challenge(tx, user.id);
      return challenge
        ? { kind: 'challenge', ...challenge }
        : { kind: 'session', ...(await this.begin(tx, user.id, origin, previous)) };
    });
    if (outcome.kind === 'session') await this.limits.forgive('signInAccount', account);
    return outcome;
  }

  /**
   * The second step: a code of the authenticator app, or a recovery code.
   * @throws DomainError SIGN_IN_OVER for a challenge that is unknown, too old or was answered, or whose password has
   * changed; SECOND_FACTOR_FAILED, RATE_LIMITED, LIMITS_UNAVAILABLE
   */
  async answer(challenge: string, code: string, origin: Origin, previous?: string): Promise<NewSession> {
    await this.limits.take('signInAddress', origin.ip);
    const hash = tokenHash(challenge);
    const asked = await this.database.first<{ userId: number }>(
      'SELECT user_id FROM sign_in_challenges WHERE token_hash = $1 AND expires_at > now()',
      [hash],
    );
    if (!asked) throw signInOver();
    const { userId } = asked;
    await this.limits.take('secondFactorUser', userId);
    const session = await this.database
      .transaction(async (tx) => {
        const proved = await tx.first(
          `SELECT FROM users u JOIN sign_in_challenges c ON c.user_id = u.id AND c.password_hash = u.password_hash
          WHERE c.token_hash = $1 AND c.expires_at > now() AND u.status = 'active' FOR SHARE OF u`,
          [hash],
        );
        const answered = await tx.affected('DELETE FROM sign_in_challenges WHERE token_hash = $1', [hash]);
        if (!proved || answered === 0) throw signInOver();
        const by = await this.secondFactor.accept(tx, userId, code);
        // Nothing is committed, so the challenge stays valid for another code.
        if (!by) throw secondFactorFailed();
        const { recoveryCodesLeft } = await this.secondFactor.state({ userId }, tx);
        return this.begin(tx, userId, origin, previous, { by, ...(by === 'recovery_code' && { recoveryCodesLeft }) });
      })
      .catch(async (error: unknown) => {
        if (error instanceof DomainError && error.code === 'SECOND_FACTOR_FAILED')
          await audit(this.database, anonymous(origin.ip), 'second_factor.failed', { type: 'user', id: userId });
        throw error;
      });
    await this.limits.forgive('secondFactorUser', userId);
    await this.limits.forgive('signInAccount', accountOf({ id: userId }, ''));
    return session;
  }

  private async challenge(tx: Transaction, userId: number): Promise<Challenge | null> {
    const challenge = randomBytes(32).toString('base64url');
    const row = await tx.first<{ expiresAt: Date }>(
      `INSERT INTO sign_in_challenges (token_hash, user_id, password_hash, expires_at)
       SELECT $1, u.id, u.password_hash, now() + $3 * interval '1 minute'
         FROM users u JOIN second_factors f ON f.user_id = u.id
        WHERE u.id = $2 AND f.confirmed_at IS NOT NULL RETURNING expires_at`,
      [tokenHash(challenge), userId, CHALLENGE_MINUTES],
    );
    return row ? { challenge, expiresAt: row.expiresAt } : null;
  }

  private async begin(tx: Transaction, userId: number, origin: Origin, previous?: string, detail: AuditDetail = {}) {
    const session = await this.sessions.begin(userId, origin, tx, previous);
    await audit(tx, { userId, ip: origin.ip, via: 'session' }, 'sign_in', { type: 'user', id: userId }, detail);
    return session;
  }
}

export const signInFailed = () =>
  new DomainError(
    'unauthenticated',
    'SIGN_IN_FAILED',
    'The address or the password is wrong, or the account may not be used yet.',
  );

const secondFactorFailed = () =>
  new DomainError('unauthenticated', 'SECOND_FACTOR_FAILED', 'The code is not right, or was used already.');

const signInOver = () =>
  new DomainError(
    'unauthenticated',
    'SIGN_IN_OVER',
    'This sign-in took too long or was finished already: start again.',
  );
