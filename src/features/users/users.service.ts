import { Injectable } from '@nestjs/common';
import { Database, type Transaction, violates } from '../../database/database';
import { emailKey, parseEmailAddress, singleLineProblem } from '../../domain/email-address';
import { ConflictError, ForbiddenError, NotFoundError, ValidationError } from '../../domain/errors';
import { at, problem } from '../../domain/problems';
import { listPage, newestFirst, type View, viewWhere } from '../../database/list';
import { anywhere, searched } from '../../database/search';
import type { Page, PageRequest } from '../../domain/paging';
import { mayBlock, readableOwner, requireMay, type Role, type Viewer } from '../../domain/permissions';
import { timeZoneName } from '../../domain/time-zone';
import { audit } from '../audit/audit';
import { Notices } from '../notices/notices.service';
import { lockAccess } from './lock-access';
import { hashPassword, passwordProblems } from './passwords';
import { User, type UserStatus } from './user.entity';

export interface NewUser {
  email: string;
  role: Role;
  password?: string;
  fullName?: string;
}

/** A user as managers see them. */
export type UserView = Omit<User, 'passwordHash' | 'invitedBy' | 'timeZoneKnown'> & {
  /** Whether sign-in by password asks them for a code. */
  secondFactor: boolean;
};

export interface UserQuery extends PageRequest {
  search?: string;
  status?: UserStatus;
  role?: Role;
}

export interface Profile {
  fullName?: string;
  language?: 'en' | 'ru';
  timeZone?: string;
}

const VIEW: View = {
  select: `u.id, u.email, u.full_name, u.role, u.status, u.language, u.time_zone, u.created_at, u.updated_at,
    u.invited_at, u.last_seen_at,
    EXISTS (SELECT FROM second_factors f WHERE f.user_id = u.id AND confirmed_at IS NOT NULL) AS second_factor`,
  from: 'users u',
};

@Injectable()
export class UsersService {
  constructor(
    private readonly database: Database,
    private readonly notices: Notices,
  ) {}

  /**
   * Makes a user who may sign in at once; for the command line and the demo.
   * @throws ValidationError, ConflictError EMAIL_TAKEN
   */
  async create(input: NewUser): Promise<User> {
    const email = parseEmailAddress(input.email);
    const errors = [
      ...at('email', email.ok ? null : email.problem),
      ...at('fullName', singleLineProblem(input.fullName ?? '', 200)),
      ...(input.password === undefined ? [] : await passwordProblems(input.password, input.email)),
    ];
    if (errors.length > 0 || !email.ok) throw new ValidationError(errors);
    const passwordHash = input.password === undefined ? null : await hashPassword(input.password);
    try {
      return await this.database.transaction(async (tx) => {
        const users = tx.manager.getRepository(User);
        const user = await users.save(
          users.create({ email: email.email, role: input.role, fullName: input.fullName ?? '', passwordHash }),
        );
        await audit(tx, { userId: 0, via: 'cli' }, 'user.create', { type: 'user', id: user.id }, { role: user.role });
        return user;
      });
    } catch (error) {
      if (violates(error, 'users_email_key')) {
        throw new ConflictError('EMAIL_TAKEN', `There is a user with the address ${email.email} already.`);
      }
      throw error;
    }
  }

  /** Whether there is any user yet. */
  async any(): Promise<boolean> {
    const row = await this.database.first<{ found: boolean }>('SELECT EXISTS (SELECT FROM users) AS found');
    return row?.found ?? false;
  }

  /** @throws NotFoundError */
  async byEmail(email: string): Promise<User> {
    const user = await this.database.dataSource
      .getRepository(User)
      .createQueryBuilder('u')
      .where('lower(u.email) = :key', { key: emailKey(email) })
      .getOne();
    if (!user) throw new NotFoundError('A user with the address', email);
    return user;
  }

  /** @throws NotFoundError */
  async byId(id: number): Promise<User> {
    const user = await this.database.dataSource.getRepository(User).findOneBy({ id });
    if (!user) throw new NotFoundError('User', id);
    return user;
  }

  /** The users whose objects a viewer may see beside their own; null if there are none, or they see only their own. */
  async owners(viewer: Viewer): Promise<{ id: number; email: string }[] | null> {
    if (readableOwner(viewer) !== null) return null;
    const owners = await this.database.rows<{ id: number; email: string }>(
      'SELECT id, email FROM users ORDER BY email LIMIT 1000',
    );
    return owners.length > 1 ? owners : null;
  }

  /** Newest first. */
  list(viewer: Viewer, query: UserQuery): Promise<Page<UserView>> {
    requireMay(viewer, 'users.manage');
    return listPage<UserView>(
      this.database,
      {
        ...VIEW,
        where: `($1::text IS NULL OR ${searched(`u.email || ' ' || u.full_name`)} LIKE ${searched('$1')})
                AND ($2::text IS NULL OR u.status = $2) AND ($3::text IS NULL OR u.role = $3)`,
        params: [anywhere(query.search), query.status ?? null, query.role ?? null],
        ...newestFirst('u.id'),
      },
      query,
    );
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<UserView> {
    requireMay(viewer, 'users.manage');
    const user = await this.database.first<UserView>(viewWhere(VIEW, 'u.id = $1'), [id]);
    if (!user) throw new NotFoundError('User', id);
    return user;
  }

  /** Somebody who proved their address may sign in, and is told so by a notice. */
  async letIn(viewer: Viewer, id: number): Promise<void> {
    const user = await this.get(viewer, id);
    if (!mayBlock(viewer, user)) throw new ForbiddenError();
    const noticeId = await this.database.transaction(async (tx) => {
      await lockAccess(tx, viewer);
      const done = await tx.affected(
        `UPDATE users SET status = 'active', updated_at = app_now() WHERE id = $1 AND status = 'waiting'`,
        [id],
      );
      if (done === 0) throw new ConflictError('USER_NOT_WAITING', 'This user does not wait to be let in.');
      await audit(tx, viewer, 'user.let_in', { type: 'user', id });
      return this.notices.write(tx, { kind: 'let_in', userId: id, email: user.email });
    });
    await this.notices.enqueue(noticeId);
  }

  /**
   * For admins: not their own role, so that one admin always remains. The role of somebody who has not accepted their
   * invitation rests on the viewer's rights from then on.
   */
  async setRole(viewer: Viewer, id: number, role: Role): Promise<void> {
    requireMay(viewer, 'users.role');
    if (viewer.userId === id) throw new ConflictError('OWN_ROLE', 'Nobody can change their own role.');
    await this.database.transaction(async (tx) => {
      await lockAccess(tx, viewer);
      const user = await tx.first<{ role: Role }>('SELECT role FROM users WHERE id = $1 FOR NO KEY UPDATE', [id]);
      if (!user) throw new NotFoundError('User', id);
      await tx.affected(
        `UPDATE users SET role = $2, updated_at = app_now(),
           invited_by = CASE WHEN status = 'unconfirmed' AND invited_at IS NOT NULL THEN nullif($3::bigint, 0)
                             ELSE invited_by END
          WHERE id = $1`,
        [id, role, viewer.userId],
      );
      await audit(tx, viewer, 'user.role', { type: 'user', id }, { from: user.role, to: role });
    });
  }

  /**
   * The zone that a user's browser names, if neither they nor a browser named one before.
   * @param zone a name of the IANA database
   * @returns whether it is another one now
   */
  async takeZone(userId: number, zone: string): Promise<boolean> {
    const taken = await this.database.affected(
      `UPDATE users SET time_zone = $2, time_zone_known = true, updated_at = app_now()
        WHERE id = $1 AND NOT time_zone_known AND time_zone = 'UTC'`,
      [userId, zone],
    );
    return taken > 0 && zone !== 'UTC';
  }

  /** Changes the viewer's own name, language and time zone. @throws ValidationError */
  async updateProfile(viewer: Viewer, { fullName, language, timeZone }: Profile): Promise<User> {
    const zone = timeZone === undefined ? null : timeZoneName(timeZone);
    const errors = [
      ...at('fullName', singleLineProblem(fullName ?? '', 200)),
      ...at('timeZone', timeZone !== undefined && zone === null ? problem('time_zone') : null),
    ];
    if (errors.length > 0) throw new ValidationError(errors);
    await this.database.affected(
      `UPDATE users SET full_name = coalesce($2, full_name), language = coalesce($3, language),
              time_zone = coalesce($4, time_zone), time_zone_known = time_zone_known OR $4::text IS NOT NULL,
              updated_at = app_now() WHERE id = $1`,
      [viewer.userId, fullName ?? null, language ?? null, zone],
    );
    return this.byId(viewer.userId);
  }
}

/** The caller has locked the user. */
export const setUserStatus = (tx: Transaction, id: number, status: User['status']) =>
  tx.affected('UPDATE users SET status = $2, updated_at = app_now() WHERE id = $1', [id, status]);
