import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, violates } from '../../database/database';
import { emailKey, parseEmailAddress, singleLineProblem } from '../../domain/email-address';
import { ConflictError, DomainError, ValidationError } from '../../domain/errors';
import { at, type FieldProblem } from '../../domain/problems';
import type { Viewer } from '../../domain/permissions';
import { timeZoneName } from '../../domain/time-zone';
import { accountOf, Limits } from '../../queue/limits';
import { anonymous, audit } from '../audit/audit';
import { redeemToken, type TokenNoticeKind, userOfToken, withdrawTokens } from '../notices/notice-tokens';
import { Notices } from '../notices/notices.service';
import { lockAccess } from './lock-access';
import { IdentitiesService } from './identities.service';
import { OwnPassword, wrongPassword } from './own-password';
import { hashPassword, passwordProblems, refuseBad } from './passwords';
import { type Origin, SessionsService } from './sessions.service';
import { endTokens } from './tokens.service';
import type { UserStatus } from './user.entity';

type Known = { id: number; email: string; status: UserStatus; isInvited: boolean };

export interface Registration {
  email: string;
  password: string;
  fullName?: string;
  language?: 'en' | 'ru';
  /** UTC if absent or not a time zone. */
  timeZone?: string;
}

/** Registration, confirmation and reset of passwords and addresses. No answer reveals whether an address is known. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly database: Database,
    private readonly notices: Notices,
    private readonly sessions: SessionsService,
    private readonly ownPassword: OwnPassword,
    private readonly identities: IdentitiesService,
    private readonly limits: Limits,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Sends a notice to confirm the address, or, for a known address, one that tells its owner. The password takes effect
   * with the confirmation: of several registrations, that of the notice whose link is used. Somebody who was invited
   * gets the invitation again. Does nothing if registration is closed.
   * @throws ValidationError, DomainError RATE_LIMITED, LIMITS_UNAVAILABLE
   */
  async register(input: Registration, origin: Origin): Promise<void> {
    const { email, errors } = readEmail(input.email);
    errors.push(...at('fullName', singleLineProblem(input.fullName ?? '', 200)));
    errors.push(...(await passwordProblems(input.password, email)));
    if (errors.length > 0) throw new ValidationError(errors);
    await this.limits.take('registerAddress', origin.ip);
    const mayWrite = await this.limits.allows('registerAccount', accountOf(undefined, email));
    await this.evenly(async () => {
      const passwordHash = await hashPassword(input.password);
      if (this.config.registration === 'closed' || !mayWrite) return;
      const zone = timeZoneName(input.timeZone ?? '');
      const noticeId = await this.database.transaction(async (tx) => {
        const user = await tx.first<Known>(
          `INSERT INTO users (email, status) VALUES ($1, 'unconfirmed')
           ON CONFLICT (lower(email)) DO UPDATE SET updated_at = users.updated_at
           RETURNING id, email, status, invited_at IS NOT NULL AS is_invited`,
          [email],
        );
        if (!user) throw new Error('an insert returned no row');
        const isOpen = user.status === 'unconfirmed';
        const isNew = isOpen && !user.isInvited;
        await audit(tx, anonymous(origin.ip), 'register', { type: 'user', id: user.id }, { isNew });
        // Whoever was invited has a role already: only the invitation's link sets a password for it.
        if (isOpen && user.isInvited) return this.notices.again(tx, user.id, 'invite');
        return this.notices.write(tx, {
          kind: isNew ? 'confirm' : 'known_address',
          userId: user.id,
          email: user.email,
          payload: isNew
            ? {
                passwordHash,
                fullName: input.fullName ?? '',
                ...(zone !== null && { timeZone: zone }),
                ...(input.language && { language: input.language }),
              }
            : {},
        });
      });
      if (noticeId !== undefined) await this.notices.enqueue(noticeId);
    });
  }

  /**
   * Confirms an address: the user is `active`, or `waiting` for a manager's approval. @throws DomainError LINK_INVALID
   */
  async confirm(token: string, origin: Origin): Promise<{ status: 'active' | 'waiting' }> {
    await this.limits.take('linkAddress', origin.ip);
    const status = this.config.registration === 'open' ? 'active' : 'waiting';
    await this.database.transaction(async (tx) => {
      const notice = await redeemToken(tx, 'confirm', token);
      const { passwordHash, fullName = '', language = 'en', timeZone } = notice?.payload ?? {};
      const done =
        notice &&
        passwordHash &&
        (await tx.affected(
          `UPDATE users SET status = $2, password_hash = $3, full_name = $4, language = $5,
            time_zone = coalesce($6, time_zone), time_zone_known = $6::text IS NOT NULL, updated_at = app_now()
            WHERE id = $1 AND status = 'unconfirmed' AND invited_at IS NULL`,
          [notice.userId, status, passwordHash, fullName, language, timeZone ?? null],
        ));
      if (!notice || !done) throw linkInvalid();
      await audit(tx, anonymous(origin.ip, notice.userId), 'confirm', { type: 'user', id: notice.userId }, { status });
    });
    return { status };
  }

  /** Whether a notice's link still leads somewhere. It is not used up: programs open links before people do. */
  async linkWorks(kind: Exclude<TokenNoticeKind, 'invite'>, token: string): Promise<boolean> {
    return (await userOfToken(this.database, kind, token)) !== null;
  }

  /** Sends a notice to set a new password, if the address is known. */
  async forgot(address: string, origin: Origin): Promise<void> {
    const { email, errors } = readEmail(address);
    if (errors.length > 0) throw new ValidationError(errors);
    await this.limits.take('resetAddress', origin.ip);
    await this.evenly(async () => {
      const user = await this.database.first<{ id: number; email: string }>(
        `SELECT id, email FROM users WHERE lower(email) = $1 AND status IN ('active', 'waiting')`,
        [emailKey(email)],
      );
      if (!(await this.limits.allows('resetAccount', accountOf(user, email)))) return;
      await audit(this.database, anonymous(origin.ip), 'password.forgot', user && { type: 'user', id: user.id });
      if (!user) return;
      const notice = { kind: 'reset' as const, userId: user.id, email: user.email };
      await this.notices.enqueue(await this.notices.write(this.database, notice));
    });
  }

  /**
   * Sets the password by the link of a notice. Ends all sessions and API tokens, unlinks accounts of providers and
   * withdraws a pending change of address: the account may have been compromised. The second factor stays.
   * @throws ValidationError, DomainError LINK_INVALID
   */
  async reset(token: string, password: string, origin: Origin): Promise<void> {
    await refuseBad(password, '');
    await this.limits.take('linkAddress', origin.ip);
    const passwordHash = await hashPassword(password);
    const notice = await this.database.transaction(async (tx) => {
      const proved = await redeemToken(tx, 'reset', token);
      // If the password is refused, the link stays valid.
      if (proved) await refuseBad(password, proved.email);
      const done =
        proved &&
        (await tx.affected(
          `UPDATE users SET password_hash = $2, updated_at = app_now()
            WHERE id = $1 AND status IN ('active', 'waiting')`,
          [proved.userId, passwordHash],
        ));
      if (!proved || !done) throw linkInvalid();
      await this.sessions.endAll(proved.userId, undefined, tx);
      const endedTokens = await endTokens(tx, proved.userId);
      const endedLinks = await this.identities.endAll(proved.userId, tx);
      await withdrawTokens(tx, proved.userId, 'change_email');
      const object = { type: 'user' as const, id: proved.userId };
      await audit(tx, anonymous(origin.ip, proved.userId), 'password.reset', object, { endedTokens, endedLinks });
      return { id: await this.notices.write(tx, { ...proved, kind: 'password_changed', payload: {} }), ...proved };
    });
    await this.notices.enqueue(notice.id);
    await this.limits.forgive('signInAccount', accountOf({ id: notice.userId }, notice.email));
  }

  /**
   * Ends all other sessions, but no API tokens; `keep` is the caller's own session.
   * @throws ValidationError, also for a wrong current password
   */
  async changePassword(
    viewer: Viewer,
    change: { currentPassword: string; newPassword: string },
    keep?: string,
  ): Promise<void> {
    await refuseBad(change.newPassword, '', 'newPassword');
    const { email, passwordHash: old } = await this.ownPassword.require(
      viewer,
      change.currentPassword,
      'currentPassword',
    );
    await refuseBad(change.newPassword, email, 'newPassword');
    const passwordHash = await hashPassword(change.newPassword);
    const noticeId = await this.database.transaction(async (tx) => {
      await lockAccess(tx, viewer);
      const done = await tx.affected(
        'UPDATE users SET password_hash = $2, updated_at = app_now() WHERE id = $1 AND password_hash = $3',
        [viewer.userId, passwordHash, old],
      );
      if (done === 0) throw wrongPassword('currentPassword');
      await this.sessions.endAll(viewer.userId, keep, tx);
      await withdrawTokens(tx, viewer.userId, 'reset');
      await withdrawTokens(tx, viewer.userId, 'change_email');
      await audit(tx, viewer, 'password.change', { type: 'user', id: viewer.userId });
      return this.notices.write(tx, { kind: 'password_changed', userId: viewer.userId, email });
    });
    await this.notices.enqueue(noticeId);
  }

  /** Sends a notice to the new address; the old one stays valid until its link is used. */
  async changeEmail(viewer: Viewer, change: { email: string; password: string }): Promise<void> {
    const { email, errors } = readEmail(change.email);
    if (errors.length > 0) throw new ValidationError(errors);
    const { passwordHash } = await this.ownPassword.require(viewer, change.password);
    await this.limits.take('registerAccount', accountOf(undefined, email));
    const noticeId = await this.database.transaction(async (tx) => {
      await lockAccess(tx, viewer);
      const proved = 'SELECT id FROM users WHERE id = $1 AND password_hash = $2';
      if (!(await tx.first(proved, [viewer.userId, passwordHash]))) throw wrongPassword();
      const owner = await tx.first<{ id: number; email: string }>(
        'SELECT id, email FROM users WHERE lower(email) = $1 AND id <> $2',
        [emailKey(email), viewer.userId],
      );
      await withdrawTokens(tx, viewer.userId, 'change_email');
      await audit(tx, viewer, 'email.change_asked', { type: 'user', id: viewer.userId });
      return this.notices.write(
        tx,
        owner
          ? { kind: 'known_address', userId: owner.id, email: owner.email }
          : { kind: 'change_email', userId: viewer.userId, email },
      );
    });
    await this.notices.enqueue(noticeId);
  }

  /** Confirms the new address: it replaces the old one, which gets a notice. @throws DomainError LINK_INVALID */
  async confirmEmail(token: string, origin: Origin): Promise<void> {
    await this.limits.take('linkAddress', origin.ip);
    const noticeId = await this.database
      .transaction(async (tx) => {
        const proved = await redeemToken(tx, 'change_email', token);
        const old =
          proved &&
          (await tx.first<{ email: string }>(
            `SELECT email FROM users WHERE id = $1 AND status = 'active' FOR NO KEY UPDATE`,
            [proved.userId],
          ));
        if (!proved || !old) throw linkInvalid();
        const { userId, email } = proved;
        await tx.affected('UPDATE users SET email = $2, updated_at = app_now() WHERE id = $1', [userId, email]);
        await withdrawTokens(tx, userId, 'reset');
        await audit(tx, anonymous(origin.ip, userId), 'email.change', { type: 'user', id: userId });
        return this.notices.write(tx, { kind: 'email_changed', userId, email: old.email });
      })
      .catch((error: unknown) => {
        if (violates(error, 'users_email_key'))
          throw new ConflictError('EMAIL_TAKEN', 'There is a user with this address already.');
        throw error;
      });
    await this.notices.enqueue(noticeId);
  }

  /** Takes the same time for known and unknown addresses: answers only after AUTH_ANSWER_MS. */
  private async evenly(work: () => Promise<void>): Promise<void> {
    const [outcome] = await Promise.allSettled([work(), sleep(this.config.authAnswerMs)]);
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

function readEmail(text: string): { email: string; errors: FieldProblem[] } {
  const parsed = parseEmailAddress(text);
  return parsed.ok ? { email: parsed.email, errors: [] } : { email: '', errors: [...at('email', parsed.problem)] };
}

export const linkInvalid = () =>
  new DomainError('invalid', 'LINK_INVALID', 'This link was used already, is too old, or is not complete.');
