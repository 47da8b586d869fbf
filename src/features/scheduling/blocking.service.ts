import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database';
import { ConflictError, ForbiddenError, NotFoundError } from '../../domain/errors';
import { mayBlock, requireMay, type Viewer } from '../../domain/permissions';
import { audit } from '../audit/audit';
import { withdrawNotices, withdrawTokens } from '../notices/notice-tokens';
import { lockAccess } from '../users/lock-access';
import { SessionsService } from '../users/sessions.service';
import { endTokens } from '../users/tokens.service';
import type { User } from '../users/user.entity';
import { setUserStatus } from '../users/users.service';
import { LifecycleService } from './lifecycle.service';

/** Blocks and unblocks users. */
@Injectable()
export class BlockingService {
  constructor(
    private readonly database: Database,
    private readonly sessions: SessionsService,
    private readonly lifecycle: LifecycleService,
  ) {}

  /**
   * Sessions, tokens and links of notices end at once, mailings are paused (`owner_blocked`): after this has returned
   * no letter of theirs is claimed.
   * @throws NotFoundError, ForbiddenError, ConflictError USER_UNCONFIRMED
   */
  async block(viewer: Viewer, id: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const user = await lockUser(tx, viewer, id);
      if (user.status === 'blocked') return;
      if (user.status === 'unconfirmed')
        throw new ConflictError('USER_UNCONFIRMED', 'The address of this user is not confirmed yet.');
      await setUserStatus(tx, id, 'blocked');
      await this.sessions.endAll(id, undefined, tx);
      await endTokens(tx, id);
      await withdrawTokens(tx, id, 'reset');
      await withdrawTokens(tx, id, 'change_email');
      await withdrawNotices(tx, id, 'test');
      const paused = await this.lifecycle.pauseAllOf(tx, id, viewer.userId);
      await audit(tx, viewer, 'user.block', { type: 'user', id }, { pausedMailings: paused });
    });
  }

  /** They may sign in again; nothing is resumed. */
  async unblock(viewer: Viewer, id: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const user = await lockUser(tx, viewer, id);
      if (user.status !== 'blocked') throw new ConflictError('USER_NOT_BLOCKED', 'This user is not blocked.');
      await setUserStatus(tx, id, 'active');
      await audit(tx, viewer, 'user.unblock', { type: 'user', id });
    });
  }
}

async function lockUser(tx: Transaction, viewer: Viewer, id: number): Promise<User> {
  requireMay(viewer, 'users.manage');
  await lockAccess(tx, viewer);
  const user = await tx.first<User>('SELECT * FROM users WHERE id = $1 FOR NO KEY UPDATE', [id]);
  if (!user) throw new NotFoundError('User', id);
  if (!mayBlock(viewer, user)) throw new ForbiddenError();
  return user;
}
