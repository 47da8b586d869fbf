import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { emailKey, parseEmailAddress, singleLineProblem } from '../../domain/email-address';
import { ConflictError, ForbiddenError, NotFoundError, ValidationError } from '../../domain/errors';
import type { Language } from '../../domain/language';
import { at } from '../../domain/problems';
import { mayGrant, requireMay, type Role, type Viewer } from '../../domain/permissions';
import { timeZoneName } from '../../domain/time-zone';
import { Limits } from '../../queue/limits';
import { anonymous, audit } from '../audit/audit';
import { redeemToken, userOfToken, withdrawTokens } from '../notices/notice-tokens';
import { Notices } from '../notices/notices.service';
import { invitationHolds } from './inviter';
import { lockAccess } from './lock-access';
import { hashPassword, refuseBad } from './passwords';
import { linkInvalid } from './registration.service';
import type { Origin } from './sessions.service';

export interface Invitation {
  email: string;
  fullName?: string;
  /** If absent, that of an earlier invitation, else `user`. */
  role?: Role;
  /** Of the letter, and of the user until they choose another; by default that of whoever invites. */
  language?: Language;
}

export interface Acceptance {
  password: string;
  /** If absent or empty, the name that the invitation gave. */
  fullName?: string;
  /** UTC if absent or not a time zone. */
  timeZone?: string;
}

/** Managers and admins let people in by e-mail, whatever REGISTRATION says. */
@Injectable()
export class InvitationsService {
  constructor(
    private readonly database: Database,
    private readonly notices: Notices,
    private readonly limits: Limits,
  ) {}

  /**
   * Makes a user who is `unconfirmed` until they set a password by the link of a notice, which is good for seven days.
   * Done again for an address that has not accepted yet, it sends another notice, and the earlier links end. The links
   * work only while the viewer is active and may grant the role.
   * @returns the user's id
   * @throws ForbiddenError for a role that the viewer may not grant, ValidationError, ConflictError EMAIL_TAKEN,
   * DomainError RATE_LIMITED, LIMITS_UNAVAILABLE
   */
  async invite(viewer: Viewer, { fullName = '', ...input }: Invitation): Promise<number> {
    requireMay(viewer, 'users.manage');
    if (!mayGrant(viewer, input.role ?? 'user')) throw new ForbiddenError();
    const address = parseEmailAddress(input.email);
    const errors = [
      ...at('email', address.ok ? null : address.problem),
      ...at('fullName', singleLineProblem(fullName, 200)),
    ];
    if (errors.length > 0 || !address.ok) throw new ValidationError(errors);
    await this.limits.take('inviteUser', viewer.userId);
    const { id, noticeId } = await this.database.transaction(async (tx) => {
      await lockAccess(tx, viewer);
      const inviter = await tx.first<{ email: string; language: Language }>(
        'SELECT email, language FROM users WHERE id = $1',
        [viewer.userId],
      );
      const language = input.language ?? inviter?.language ?? 'en';
      await tx.affected(
        `INSERT INTO users (email, status) VALUES ($1, 'unconfirmed') ON CONFLICT (lower(email)) DO NOTHING`,
        [address.email],
      );
      const user = await tx.first<{ id: number; email: string; role: Role; isInvited: boolean }>(
        `SELECT id, email, role, invited_at IS NOT NULL AS is_invited FROM users
          WHERE lower(email) = $1 AND status = 'unconfirmed' FOR NO KEY UPDATE`,
        [emailKey(address.email)],
      );
      if (!user) throw new ConflictError('EMAIL_TAKEN', `There is a user with the address ${address.email} already.`);
      if (!mayGrant(viewer, user.role)) throw new ForbiddenError();
      const role = input.role ?? (user.isInvited ? user.role : 'user');
      await tx.affected(
        `UPDATE users SET role = $2, language = $3, full_name = coalesce(nullif($4, ''), full_name), invited_at = now(),
           invited_by = nullif($5::bigint, 0), updated_at = app_now() WHERE id = $1`,
        [user.id, role, language, fullName, viewer.userId],
      );
      // Somebody may have registered with the address: their password must not open an account that was given a role.
      await withdrawTokens(tx, user.id, 'confirm');
      await withdrawTokens(tx, user.id, 'invite');
      await audit(tx, viewer, 'user.invite', { type: 'user', id: user.id }, { role });
      const payload = { language, inviter: inviter?.email ?? '' };
      return {
        id: user.id,
        noticeId: await this.notices.write(tx, { kind: 'invite', userId: user.id, email: user.email, payload }),
      };
    });
    await this.notices.enqueue(noticeId);
    return id;
  }

  /** Deletes a user who was invited and has not accepted. @throws NotFoundError, ConflictError USER_NOT_INVITED */
  async withdraw(viewer: Viewer, id: number): Promise<void> {
    requireMay(viewer, 'users.manage');
    await this.database.transaction(async (tx) => {
      await lockAccess(tx, viewer);
      const user = await tx.first<{ role: Role; isOpen: boolean }>(
        `SELECT role, status = 'unconfirmed' AND invited_at IS NOT NULL AS is_open FROM users WHERE id = $1 FOR UPDATE`,
        [id],
      );
      if (!user) throw new NotFoundError('User', id);
      if (!mayGrant(viewer, user.role)) throw new ForbiddenError();
      if (!user.isOpen) throw new ConflictError('USER_NOT_INVITED', 'This user has no open invitation.');
      await tx.affected('DELETE FROM users WHERE id = $1', [id]);
      await audit(tx, viewer, 'user.uninvite', { type: 'user', id });
    });
  }

  /** Whether the link still leads somewhere, as `accept` sees it. It is not used up. */
  linkWorks(token: string): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const userId = await userOfToken(tx, 'invite', token);
      return userId !== null && (await invitationHolds(tx, userId));
    });
  }

  /**
   * Sets the password by the link of the notice; the user may sign in.
   * @throws ValidationError, DomainError LINK_INVALID, also if whoever made the invitation might not make it now
   */
  async accept(token: string, { password, fullName = '', timeZone = '' }: Acceptance, origin: Origin): Promise<void> {
    await refuseBad(password, '');
    const errors = at('fullName', singleLineProblem(fullName, 200));
    if (errors.length > 0) throw new ValidationError([...errors]);
    await this.limits.take('linkAddress', origin.ip);
    const passwordHash = await hashPassword(password);
    await this.database.transaction(async (tx) => {
      const proved = await redeemToken(tx, 'invite', token);
      // If the password is refused, the link stays valid.
      if (proved) await refuseBad(password, proved.email);
      const done =
        proved &&
        (await invitationHolds(tx, proved.userId)) &&
        (await tx.affected(
          `UPDATE users SET status = 'active', password_hash = $2, full_name = coalesce(nullif($3, ''), full_name),
             time_zone = coalesce($4, time_zone), time_zone_known = $4::text IS NOT NULL, updated_at = app_now()
            WHERE id = $1 AND status = 'unconfirmed'`,
          [proved.userId, passwordHash, fullName, timeZoneName(timeZone)],
        ));
      if (!proved || !done) throw linkInvalid();
      await audit(tx, anonymous(origin.ip, proved.userId), 'user.accept', { type: 'user', id: proved.userId });
    });
  }
}
