import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, type Sql } from '../../database/database';
import { ConflictError, ForbiddenError, invalid, NotFoundError } from '../../domain/errors';
import { singleLineProblem } from '../../domain/email-address';
import { requireMay, type Role, type TokenScope, tokenScopes, type Viewer } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { tokenHash } from '../../domain/token-hash';
import { audit } from '../audit/audit';
import { ApiToken } from './api-token.entity';
import { lockAccess } from './lock-access';

export interface NewToken {
  name: string;
  expiresAt?: Date | null;
  scopes?: TokenScope[];
}

/** The user of an API token. */
export interface TokenBearer {
  tokenId: number;
  userId: number;
  role: Role;
  scopes: TokenScope[];
  expiresAt: Date | null;
}

/** The viewer on the command line, where nobody is signed in. */
const OPERATOR: Viewer = { userId: 0, role: 'admin', via: 'cli' };

/** API tokens are 32 random bytes, shown once; the database has only their SHA-256. */
@Injectable()
export class TokensService {
  constructor(private readonly database: Database) {}

  /**
   * A token that is made with another has at most its scopes and its life; only users who may hand in letters make one
   * that may. None is made after a block, or after the end of the session or token of the request.
   * @throws ValidationError, ForbiddenError, DomainError UNAUTHENTICATED, ConflictError OWNER_BLOCKED
   */
  async create(userId: number, input: NewToken, viewer = OPERATOR): Promise<ApiToken & { token: string }> {
    const badName = input.name.trim() === '' ? problem('empty') : singleLineProblem(input.name, 100);
    if (badName) throw invalid('name', badName);
    if (input.expiresAt && (await this.isOver(input.expiresAt))) throw invalid('expiresAt', problem('past'));
    const scopes = [...new Set(input.scopes ?? viewer.token?.scopes ?? ['read' as const, 'write' as const])];
    if (scopes.length === 0) throw invalid('scopes', problem('some_of', { options: [...tokenScopes] }));
    if (scopes.includes('inbound')) requireMay(viewer, 'inbound.take');
    const { token: maker } = viewer;
    const expiresAt = input.expiresAt ?? maker?.expiresAt ?? null;
    // `write` includes what `inbound` allows, for users who may do it.
    const may = (scope: TokenScope) => maker?.scopes.includes(scope === 'inbound' ? 'write' : scope);
    if (maker && !scopes.every(may))
      throw new ForbiddenError('A token cannot make a token with more scopes than it has.');
    if (maker?.expiresAt && expiresAt && expiresAt > maker.expiresAt)
      throw new ForbiddenError('A token cannot make a token that lives longer than itself.');
    const token = `gnt_${randomBytes(32).toString('base64url')}`;
    const row = await this.database.transaction(async (tx) => {
      await lockAccess(tx, viewer);
      const owner = await tx.first<{ status: string }>('SELECT status FROM users WHERE id = $1 FOR SHARE', [userId]);
      if (owner?.status !== 'active')
        throw new ConflictError('OWNER_BLOCKED', 'A user who is not active can have no tokens.');
      const tokens = tx.manager.getRepository(ApiToken);
      const saved = await tokens.save(
        tokens.create({ userId, name: input.name, tokenHash: tokenHash(token), expiresAt, scopes }),
      );
      const detail = { userId, name: input.name, scopes, ...(expiresAt && { expiresAt }) };
      await audit(tx, viewer, 'token.create', { type: 'token', id: saved.id }, detail);
      return saved;
    });
    return { ...row, token };
  }

  list(userId: number): Promise<ApiToken[]> {
    return this.database.dataSource.getRepository(ApiToken).find({ where: { userId }, order: { id: 'DESC' } });
  }

  /** @throws NotFoundError if it is not there or another user's */
  async revoke(userId: number, id: number, viewer = OPERATOR): Promise<void> {
    await this.database.transaction(async (tx) => {
      const gone = await tx.affected('DELETE FROM api_tokens WHERE id = $1 AND user_id = $2', [id, userId]);
      if (gone === 0) throw new NotFoundError('Token', id);
      await audit(tx, viewer, 'token.revoke', { type: 'token', id });
    });
  }

  /** The bearer of a live token of an active user, else null. Notes its use, at most once a minute. */
  async authenticate(token: string): Promise<TokenBearer | null> {
    const found = await this.database.first<TokenBearer & { stale: boolean }>(
      `SELECT t.id AS token_id, t.user_id, u.role, t.scopes, t.expires_at,
              t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute' AS stale
         FROM api_tokens t JOIN users u ON u.id = t.user_id
        WHERE t.token_hash = $1 AND (t.expires_at IS NULL OR t.expires_at > now()) AND u.status = 'active'`,
      [tokenHash(token)],
    );
    if (!found) return null;
    if (found.stale)
      await this.database.affected('UPDATE api_tokens SET last_used_at = now() WHERE id = $1', [found.tokenId]);
    return found;
  }

  /** By the database's clock, which will also end the token. */
  private async isOver(at: Date): Promise<boolean> {
    const row = await this.database.first<{ over: boolean }>('SELECT $1::timestamptz <= now() AS over', [at]);
    return row?.over ?? true;
  }
}

/** All of a user's. @returns how many */
export const endTokens = (tx: Sql, userId: number) =>
  tx.affected('DELETE FROM api_tokens WHERE user_id = $1', [userId]);
