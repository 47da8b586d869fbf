import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { NotFoundError, ValidationError } from '../../domain/errors';
import { singleLineProblem } from '../../domain/email-address';
import type { Role } from '../../domain/permissions';
import { ApiToken, type TokenScope } from './api-token.entity';

export interface NewToken {
  name: string;
  expiresAt?: Date | null;
  scopes?: TokenScope[];
}

/** Who a bearer token speaks for. */
export interface TokenBearer {
  tokenId: number;
  userId: number;
  role: Role;
  scopes: TokenScope[];
}

/** API tokens are 32 random bytes, shown once; the database has only their SHA-256. */
@Injectable()
export class TokensService {
  constructor(private readonly database: Database) {}

  async create(userId: number, input: NewToken): Promise<ApiToken & { token: string }> {
    const problem = input.name.trim() === '' ? 'must not be empty' : singleLineProblem(input.name, 100);
    if (problem) throw new ValidationError([{ field: 'name', message: problem }]);
    if (input.expiresAt && input.expiresAt <= new Date()) {
      throw new ValidationError([{ field: 'expiresAt', message: 'must lie in the future' }]);
    }
    const token = `gnt_${randomBytes(32).toString('base64url')}`;
    const tokens = this.database.dataSource.getRepository(ApiToken);
    const row = await tokens.save(
      tokens.create({
        userId,
        name: input.name,
        tokenHash: hashToken(token),
        expiresAt: input.expiresAt ?? null,
        scopes: input.scopes ?? ['read', 'write'],
      }),
    );
    return { ...row, token };
  }

  list(userId: number): Promise<ApiToken[]> {
    return this.database.dataSource.getRepository(ApiToken).find({ where: { userId }, order: { id: 'DESC' } });
  }

  /** @throws NotFoundError if it is not there or another user's */
  async revoke(userId: number, id: number): Promise<void> {
    const result = await this.database.dataSource.getRepository(ApiToken).delete({ id, userId });
    if (!result.affected) throw new NotFoundError('Token', id);
  }

  /** The bearer of a live token of an active user, else null. Notes its use, at most once a minute. */
  async authenticate(token: string): Promise<TokenBearer | null> {
    const found = await this.database.first<TokenBearer & { stale: boolean }>(
      `SELECT t.id AS token_id, t.user_id, u.role, t.scopes,
              t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute' AS stale
         FROM api_tokens t JOIN users u ON u.id = t.user_id
        WHERE t.token_hash = $1 AND (t.expires_at IS NULL OR t.expires_at > now()) AND u.status = 'active'`,
      [hashToken(token)],
    );
    if (!found) return null;
    if (found.stale)
      await this.database.affected('UPDATE api_tokens SET last_used_at = now() WHERE id = $1', [found.tokenId]);
    return found;
  }
}

const hashToken = (token: string) => createHash('sha256').update(token).digest();
