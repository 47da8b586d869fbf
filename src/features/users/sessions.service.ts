import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Sql } from '../../database/database';
import { DomainError } from '../../domain/errors';
import type { Role } from '../../domain/permissions';
import { Limits } from '../../queue/limits';
import { anonymous, audit } from '../audit/audit';
import { passwordMatches } from './passwords';

/** Where a request came from, for limits and the audit log. */
export interface Origin {
  ip: string;
  userAgent?: string;
}

/** A session that was just made: the only time its token is known outside of the cookie. */
export interface NewSession {
  sessionToken: string;
  csrfToken: string;
  userId: number;
  /** The absolute end; idle sessions end earlier. */
  expiresAt: Date;
}

/** Whom a session's cookie speaks for. */
export interface SessionBearer {
  sessionId: number;
  userId: number;
  role: Role;
}

/** Sessions are 32 random bytes in a cookie; Postgres has their SHA-256. Every sign-in makes a new one. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly database: Database,
    private readonly limits: Limits,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * One answer, after the same work, for a wrong password, an unknown address, an address that is not confirmed, one
   * that waits for approval and one that is blocked.
   * @param previous the token of the cookie that came with the request; that session ends
   * @throws DomainError SIGN_IN_FAILED, RATE_LIMITED, LIMITS_UNAVAILABLE
   */
  async signIn(email: string, password: string, origin: Origin, previous?: string): Promise<NewSession> {
    await this.limits.take('signInAddress', origin.ip);
    await this.limits.take('signInAccount', email.trim());
    const user = await this.database.first<{ id: number; passwordHash: string | null; status: string }>(
      'SELECT id, password_hash, status FROM users WHERE lower(email) = lower($1)',
      [email.trim()],
    );
    const matches = await passwordMatches(user?.passwordHash ?? null, password);
    const object = user && { type: 'user' as const, id: user.id };
    if (!user || !matches || user.status !== 'active') {
      await audit(this.database, anonymous(origin.ip), 'sign_in_failed', object);
      throw signInFailed();
    }
    if (previous) await this.database.affected('DELETE FROM sessions WHERE token_hash = $1', [hashOf(previous)]);
    const session = await this.database.transaction(async (tx) => {
      // A block or a new password that came meanwhile has ended all sessions: this one must not begin behind it.
      const proved = await tx.first<{ id: number }>(
        `SELECT id FROM users WHERE id = $1 AND status = 'active' AND password_hash = $2 FOR SHARE`,
        [user.id, user.passwordHash],
      );
      return proved && this.begin(user.id, origin, tx);
    });
    if (!session) throw signInFailed();
    await audit(this.database, { userId: user.id, ip: origin.ip, via: 'session' }, 'sign_in', object);
    await this.limits.forgive('signInAccount', email.trim());
    return session;
  }

  /** Makes a session of a user who proved who they are; `signIn` is for all others. */
  async begin(userId: number, origin: Origin, sql: Sql = this.database): Promise<NewSession> {
    const sessionToken = randomBytes(32).toString('base64url');
    const row = await sql.first<{ expiresAt: Date }>(
      `INSERT INTO sessions (user_id, token_hash, ip, user_agent, expires_at)
       VALUES ($1, $2, $3, $4, now() + $5 * interval '1 millisecond') RETURNING expires_at`,
      [userId, hashOf(sessionToken), origin.ip, (origin.userAgent ?? '').slice(0, 300), this.config.sessionMaxMs],
    );
    if (!row) throw new Error('an insert returned no row');
    return { sessionToken, csrfToken: this.csrfToken(sessionToken), userId, expiresAt: row.expiresAt };
  }

  /** The bearer of a live session of an active user, else null. Notes its use, at most once a minute. */
  async authenticate(sessionToken: string): Promise<SessionBearer | null> {
    if (!/^[\w-]{43}$/.test(sessionToken)) return null;
    const found = await this.database.first<SessionBearer & { stale: boolean }>(
      `SELECT s.id AS session_id, s.user_id, u.role, s.last_seen_at < now() - least(60000, $2 / 4) * interval '1 millisecond' AS stale
         FROM sessions s JOIN users u ON u.id = s.user_id
        WHERE s.token_hash = $1 AND u.status = 'active' AND s.expires_at > now()
          AND s.last_seen_at > now() - $2 * interval '1 millisecond'`,
      [hashOf(sessionToken), this.config.sessionIdleMs],
    );
    if (!found) return null;
    const { stale, ...bearer } = found;
    if (stale)
      await this.database.affected('UPDATE sessions SET last_seen_at = now() WHERE id = $1', [bearer.sessionId]);
    return bearer;
  }

  async signOut(sessionToken: string, origin?: Partial<Origin>): Promise<void> {
    const ended = await this.database.first<{ userId: number }>(
      'DELETE FROM sessions WHERE token_hash = $1 RETURNING user_id',
      [hashOf(sessionToken)],
    );
    if (!ended) return;
    const actor = { userId: ended.userId, via: 'session' as const, ...(origin?.ip !== undefined && { ip: origin.ip }) };
    await audit(this.database, actor, 'sign_out', { type: 'user', id: ended.userId });
  }

  /** Ends all sessions of a user but, if given, the one with this token. */
  async endAll(userId: number, except?: string, sql: Sql = this.database): Promise<void> {
    await sql.affected('DELETE FROM sessions WHERE user_id = $1 AND ($2::bytea IS NULL OR token_hash <> $2)', [
      userId,
      except ? hashOf(except) : null,
    ]);
  }

  /** What a form or header must repeat for the session's cookie to write: bound to the session and SECRET_KEY. */
  csrfToken(sessionToken: string): string {
    return createHmac('sha256', this.config.secretKey).update(`csrf:${sessionToken}`).digest('base64url');
  }

  csrfMatches(sessionToken: string, given: unknown): boolean {
    if (typeof given !== 'string') return false;
    const expected = Buffer.from(this.csrfToken(sessionToken));
    const actual = Buffer.from(given);
    return expected.length === actual.length && timingSafeEqual(expected, actual);
  }
}

const hashOf = (token: string) => createHash('sha256').update(token).digest();

const signInFailed = () =>
  new DomainError(
    'unauthenticated',
    'SIGN_IN_FAILED',
    'The address or the password is wrong, or the account may not be used yet.',
  );
