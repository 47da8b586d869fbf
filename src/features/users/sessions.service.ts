import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Sql } from '../../database/database';
import { NotFoundError } from '../../domain/errors';
import type { Role, Viewer } from '../../domain/permissions';
import { tokenHash } from '../../domain/token-hash';
import { audit } from '../audit/audit';

/** Where a request came from, for limits and the audit log. */
export interface Origin {
  ip: string;
  userAgent?: string;
}

/** A new session; only here its token is known outside of the cookie. */
export interface NewSession {
  sessionToken: string;
  csrfToken: string;
  userId: number;
  /** The absolute end; idle sessions end earlier. */
  expiresAt: Date;
}

/** A session as its user sees it. */
export interface SessionView {
  id: number;
  ip: string;
  userAgent: string;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
  /** Whether it is the session of this request. */
  current: boolean;
}

/** The user of a session's cookie. */
export interface SessionBearer {
  sessionId: number;
  userId: number;
  role: Role;
}

/** Sessions that are over stay in the table for a day: they are deleted, but nothing ended. */
interface Ended {
  deleted: number;
  live: number;
}

/** SQL: a session has not ended by itself; `idleMs` is the parameter with SESSION_IDLE_MS. */
const live = (idleMs: string) => `(expires_at > now() AND last_seen_at > now() - ${idleMs} * interval '1 millisecond')`;

/** SQL: so long sessions that have ended by themselves are remembered. */
export const OVER = `interval '1 day'`;

/** Sessions are 32 random bytes in a cookie; Postgres has their SHA-256. Every sign-in makes a new one. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Makes a session of a user who was authenticated.
   * @param previous the token of the cookie that came with the request; that session ends
   */
  async begin(userId: number, origin: Origin, sql: Sql = this.database, previous?: string): Promise<NewSession> {
    if (previous) await sql.affected('DELETE FROM sessions WHERE token_hash = $1', [tokenHash(previous)]);
    const sessionToken = randomBytes(32).toString('base64url');
    const row = await sql.first<{ expiresAt: Date }>(
      `INSERT INTO sessions (user_id, token_hash, ip, user_agent, expires_at)
       VALUES ($1, $2, $3, $4, now() + $5 * interval '1 millisecond') RETURNING expires_at`,
      [userId, tokenHash(sessionToken), origin.ip, (origin.userAgent ?? '').slice(0, 300), this.config.sessionMaxMs],
    );
    if (!row) throw new Error('an insert returned no row');
    await seen(sql, userId);
    return { sessionToken, csrfToken: this.csrfToken(sessionToken), userId, expiresAt: row.expiresAt };
  }

  /** The bearer of a live session of an active user, else null. Notes its use, at most once a minute. */
  async authenticate(sessionToken: string): Promise<SessionBearer | null> {
    if (!/^[\w-]{43}$/.test(sessionToken)) return null;
    const found = await this.database.first<SessionBearer & { stale: boolean }>(
      `SELECT s.id AS session_id, s.user_id, u.role,
        s.last_seen_at < now() - least(60000, $2 / 4) * interval '1 millisecond' AS stale
         FROM sessions s JOIN users u ON u.id = s.user_id
        WHERE s.token_hash = $1 AND u.status = 'active' AND s.expires_at > now()
          AND s.last_seen_at > now() - $2 * interval '1 millisecond'`,
      [tokenHash(sessionToken), this.config.sessionIdleMs],
    );
    if (!found) return null;
    const { stale, ...bearer } = found;
    if (stale) {
      await this.database.affected('UPDATE sessions SET last_seen_at = now() WHERE id = $1', [bearer.sessionId]);
      await seen(this.database, bearer.userId);
    }
    return bearer;
  }

  /**
   * The active user whose session with this token ended by itself within the last day. It authorises nothing: it only
   * tells whose form came too late.
   */
  async userOfOver(sessionToken: string): Promise<number | null> {
    if (!/^[\w-]{43}$/.test(sessionToken)) return null;
    const found = await this.database.first<{ userId: number }>(
      `SELECT s.user_id FROM sessions s JOIN users u ON u.id = s.user_id
        WHERE s.token_hash = $1 AND u.status = 'active'
          AND (s.expires_at <= now() OR s.last_seen_at <= now() - $2 * interval '1 millisecond')
          AND s.expires_at > now() - ${OVER} AND s.last_seen_at > now() - $2 * interval '1 millisecond' - ${OVER}`,
      [tokenHash(sessionToken), this.config.sessionIdleMs],
    );
    return found?.userId ?? null;
  }

  async signOut(sessionToken: string, origin?: Partial<Origin>): Promise<void> {
    const ended = await this.database.first<{ userId: number }>(
      'DELETE FROM sessions WHERE token_hash = $1 RETURNING user_id',
      [tokenHash(sessionToken)],
    );
    if (!ended) return;
    const actor = { userId: ended.userId, via: 'session' as const, ...(origin?.ip !== undefined && { ip: origin.ip }) };
    await audit(this.database, actor, 'sign_out', { type: 'user', id: ended.userId });
  }

  /** The viewer's own live sessions, the one used last first. */
  list({ userId, sessionId }: Viewer): Promise<SessionView[]> {
    return this.database.rows(
      `SELECT id, ip, user_agent, created_at, last_seen_at, expires_at, id IS NOT DISTINCT FROM $2::bigint AS current
         FROM sessions WHERE user_id = $1 AND ${live('$3')}
        ORDER BY last_seen_at DESC, id DESC`,
      [userId, sessionId ?? null, this.config.sessionIdleMs],
    );
  }

  /** Ends one of the viewer's own sessions; without an id all but the one they came with. @throws NotFoundError */
  async end(viewer: Viewer, id?: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const ended = id === undefined ? await this.endOthers(viewer, tx) : await this.delete(tx, viewer, 'id = $3', id);
      if (id !== undefined && ended.deleted === 0) throw new NotFoundError('Session', id);
      await audit(tx, viewer, 'session.end', { type: 'user', id: viewer.userId }, { endedSessions: ended.live });
    });
  }

  /** Ends all sessions of a user but, if given, the one with this token; and the sign-ins that wait for a code. */
  async endAll(userId: number, except?: string, sql: Sql = this.database): Promise<void> {
    await sql.affected('DELETE FROM sessions WHERE user_id = $1 AND ($2::bytea IS NULL OR token_hash <> $2)', [
      userId,
      except ? tokenHash(except) : null,
    ]);
    await sql.affected('DELETE FROM sign_in_challenges WHERE user_id = $1', [userId]);
  }

  /**
   * Ends all sessions of the viewer but the one they came with (with an API token all), and the sign-ins that wait for
   * a code.
   * @returns how many sessions were deleted, and how many of them were live
   */
  async endOthers(viewer: Viewer, sql: Sql): Promise<Ended> {
    await sql.affected('DELETE FROM sign_in_challenges WHERE user_id = $1', [viewer.userId]);
    return this.delete(sql, viewer, 'id IS DISTINCT FROM $3::bigint', viewer.sessionId ?? null);
  }

  private async delete(sql: Sql, { userId }: Viewer, which: string, id: number | null): Promise<Ended> {
    const ended = await sql.rows<{ isLive: boolean }>(
      `DELETE FROM sessions WHERE user_id = $1 AND ${which} RETURNING ${live('$2')} AS is_live`,
      [userId, this.config.sessionIdleMs, id],
    );
    return { deleted: ended.length, live: ended.filter(({ isLive }) => isLive).length };
  }

  /**
   * The token that a form or header must repeat for writes with the session's cookie; derived from the session and
   * SECRET_KEY.
   */
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

/**
 * Notes at the user that they were here, at most once a minute: their sessions end and are deleted. While somebody else
 * holds the row it is left for the next time.
 */
const seen = (sql: Sql, userId: number) =>
  sql.affected(
    `UPDATE users SET last_seen_at = now() WHERE id = (
       SELECT id FROM users WHERE id = $1 AND (last_seen_at IS NULL OR last_seen_at < now() - interval '1 minute')
         FOR NO KEY UPDATE SKIP LOCKED)`,
    [userId],
  );
