import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Transaction } from '../../database/database';
import { emailKey, parseEmailAddress, singleLineProblem } from '../../domain/email-address';
import { ConflictError, DomainError, NotFoundError } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import type { ProvedIdentity } from '../../oidc/oidc-provider';
import { anonymous, audit } from '../audit/audit';
import { withdrawTokens } from '../notices/notice-tokens';
import { Notices } from '../notices/notices.service';
import { invitationHolds } from './inviter';
import { lockAccess } from './lock-access';
import { type Proof, SecondFactorService } from './second-factor.service';
import { type NewSession, type Origin, SessionsService } from './sessions.service';
import type { UserStatus } from './user.entity';

/** A provider's account that is linked to the viewer's. */
export interface IdentityView {
  id: number;
  issuer: string;
  createdAt: Date;
  lastUsedAt: Date | null;
}

/** Signed in, or confirmed and waiting for a manager's approval. */
export type IdentityOutcome = ({ kind: 'session' } & NewSession) | { kind: 'waiting' };

type Found = { id: number; status: UserStatus };

/**
 * Links between accounts of an OpenID Connect provider and users. Asking for a second factor is left to the provider.
 */
@Injectable()
export class IdentitiesService {
  constructor(
    private readonly database: Database,
    private readonly sessions: SessionsService,
    private readonly secondFactor: SecondFactorService,
    private readonly notices: Notices,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Signs in whoever the provider has authenticated: found by issuer and subject, the first time by the verified
   * address, which links the two. A user with a second factor has to link the account themselves. An unknown address is
   * registered as REGISTRATION says.
   * @throws DomainError ACCOUNT_BLOCKED, OIDC_EMAIL_UNVERIFIED, OIDC_FAILED, REGISTRATION_CLOSED; ConflictError
   * IDENTITY_TAKEN,
   * OIDC_LINK_FIRST
   */
  async signIn(
    identity: ProvedIdentity,
    origin: Origin,
    language: 'en' | 'ru',
    previous?: string,
  ): Promise<IdentityOutcome> {
    const { outcome, noticeId } = await this.database
      .transaction(async (tx) => {
        const known = await tx.first<Found>(
          `SELECT u.id, u.status FROM users u JOIN identities i ON i.user_id = u.id
          WHERE i.issuer = $1 AND i.subject = $2 FOR NO KEY UPDATE OF u`,
          [identity.issuer, identity.subject],
        );
        const adopted = known ? { user: known } : await this.adopt(tx, identity, origin, language);
        return { outcome: await this.enter(tx, adopted.user, identity, origin, previous), noticeId: adopted.noticeId };
      })
      .catch(async (error: unknown) => {
        if (error instanceof DomainError && error.kind !== 'unavailable')
          await audit(this.database, anonymous(origin.ip), 'sign_in_failed', undefined, { by: 'oidc' });
        throw error;
      });
    if (noticeId !== undefined) await this.notices.enqueue(noticeId);
    return outcome;
  }

  /** The viewer's links, of this provider and of earlier ones. */
  list({ userId }: Viewer): Promise<IdentityView[]> {
    return this.database.rows(
      'SELECT id, issuer, created_at, last_used_at FROM identities WHERE user_id = $1 ORDER BY id',
      [userId],
    );
  }

  /**
   * Asks for password and code before the viewer is sent to the provider to link an account: an unattended browser must
   * not be enough. @throws as `unlink`
   */
  async requireProof(viewer: Viewer, proof: Proof): Promise<void> {
    await this.secondFactor.proved(viewer, proof, () => Promise.resolve());
  }

  /** Links the provider's account to the viewer, whatever its address. @throws ConflictError IDENTITY_TAKEN */
  async link(viewer: Viewer, identity: ProvedIdentity): Promise<void> {
    const noticeId = await this.database.transaction(async (tx) => {
      await lockAccess(tx, viewer);
      await this.insert(tx, viewer.userId, identity);
      await audit(tx, viewer, 'identity.link', { type: 'user', id: viewer.userId }, { issuer: identity.issuer });
      return this.tell(tx, viewer.userId);
    });
    await this.notices.enqueue(noticeId);
  }

  /** @throws ValidationError for a wrong password or code, ConflictError PASSWORD_MISSING, NotFoundError */
  async unlink(viewer: Viewer, id: number, proof: Proof): Promise<void> {
    const { userId } = viewer;
    const noticeId = await this.secondFactor.proved(viewer, proof, async (tx) => {
      const gone = await tx.first<{ issuer: string }>(
        'DELETE FROM identities WHERE id = $1 AND user_id = $2 RETURNING issuer',
        [id, userId],
      );
      if (!gone) throw new NotFoundError('Linked account', id);
      await audit(tx, viewer, 'identity.unlink', { type: 'user', id: userId }, { issuer: gone.issuer });
      return this.tell(tx, userId);
    });
    await this.notices.enqueue(noticeId);
  }

  /** Unlinks all accounts of a user whose account may be compromised. @returns how many there were */
  async endAll(userId: number, tx: Transaction): Promise<number> {
    return tx.affected('DELETE FROM identities WHERE user_id = $1', [userId]);
  }

  private async enter(
    tx: Transaction,
    { id, status }: Found,
    { issuer, subject }: ProvedIdentity,
    origin: Origin,
    previous?: string,
  ): Promise<IdentityOutcome> {
    if (status === 'waiting') return { kind: 'waiting' };
    if (status !== 'active') throw accountBlocked();
    await tx.affected('UPDATE identities SET last_used_at = now() WHERE issuer = $1 AND subject = $2', [
      issuer,
      subject,
    ]);
    const session = await this.sessions.begin(id, origin, tx, previous);
    const actor = { userId: id, ip: origin.ip, via: 'session' as const };
    await audit(tx, actor, 'sign_in', { type: 'user', id }, { by: 'oidc', issuer });
    return { kind: 'session', ...session };
  }

  /** The first sign-in: finds the user with the address, or registers a new one. */
  private async adopt(
    tx: Transaction,
    identity: ProvedIdentity,
    origin: Origin,
    language: 'en' | 'ru',
  ): Promise<{ user: Found; noticeId?: number }> {
    const parsed = parseEmailAddress(identity.email ?? '');
    if (!parsed.ok) throw emailUnverified();
    const { email } = parsed;
    const owner = await tx.first<Found>('SELECT id, status FROM users WHERE lower(email) = $1 FOR NO KEY UPDATE', [
      emailKey(email),
    ]);
    if (owner?.status === 'blocked') throw accountBlocked();
    // The address alone is not enough for a user with a second factor: whoever can read their mail could open such an
    // account at the provider.
    if (owner && (await this.secondFactor.state({ userId: owner.id }, tx)).enabled) throw linkFirst();
    const isNew = !owner || owner.status === 'unconfirmed';
    const isInvited = owner !== undefined && isNew && (await invitationHolds(tx, owner.id));
    const user = isNew ? await this.register(tx, email, identity, origin, language, isInvited) : owner;
    await this.insert(tx, user.id, identity);
    const actor = anonymous(origin.ip, user.id);
    await audit(tx, actor, 'identity.link', { type: 'user', id: user.id }, { issuer: identity.issuer });
    return isNew ? { user } : { user, noticeId: await this.tell(tx, user.id) };
  }

  /**
   * The provider has verified the address: a registration that waited for confirmation is completed, and its password
   * never takes effect. Whoever was invited needs nobody's approval; if the invitation does not hold, it gives
   * nothing, neither a way in nor a role.
   */
  private async register(
    tx: Transaction,
    email: string,
    { fullName }: ProvedIdentity,
    origin: Origin,
    language: 'en' | 'ru',
    isInvited: boolean,
  ): Promise<Found> {
    const { registration } = this.config;
    if (registration === 'closed' && !isInvited) throw registrationClosed();
    const user = await tx.first<Found>(
      `INSERT INTO users (email, full_name, language, status) VALUES ($1, $2, $3, $4)
       ON CONFLICT (lower(email)) DO UPDATE SET full_name = EXCLUDED.full_name, language = EXCLUDED.language,
         status = EXCLUDED.status, updated_at = app_now(),
         role = CASE WHEN $5 OR users.invited_at IS NULL THEN users.role ELSE EXCLUDED.role END,
         invited_at = CASE WHEN $5 THEN users.invited_at END, invited_by = CASE WHEN $5 THEN users.invited_by END
         WHERE users.status = 'unconfirmed'
       RETURNING id, status`,
      [
        email,
        singleLineProblem(fullName, 200) === null ? fullName : '',
        language,
        isInvited || registration === 'open' ? 'active' : 'waiting',
        isInvited,
      ],
    );
    // Somebody registered with the address at the same moment: the next try will find them.
    if (!user) throw new DomainError('invalid', 'OIDC_FAILED', 'Please try again.');
    await withdrawTokens(tx, user.id, 'confirm');
    await withdrawTokens(tx, user.id, 'invite');
    const actor = anonymous(origin.ip, user.id);
    await audit(tx, actor, 'register', { type: 'user', id: user.id }, { isNew: true, by: 'oidc' });
    return user;
  }

  private async insert(tx: Transaction, userId: number, { issuer, subject }: ProvedIdentity): Promise<void> {
    const made = await tx.affected(
      'INSERT INTO identities (user_id, issuer, subject) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [userId, issuer, subject],
    );
    if (made === 0) throw identityTaken();
  }

  private async tell(tx: Transaction, userId: number): Promise<number> {
    const user = await tx.first<{ email: string }>('SELECT email FROM users WHERE id = $1', [userId]);
    return this.notices.write(tx, { kind: 'sign_in_changed', userId, email: user?.email ?? '' });
  }
}

const accountBlocked = () =>
  new DomainError(
    'forbidden',
    'ACCOUNT_BLOCKED',
    'This account may not sign in. Ask a manager or admin of this service.',
  );

const linkFirst = () =>
  new ConflictError(
    'OIDC_LINK_FIRST',
    'Your account has a second factor. Sign in with your password and code, ' +
      'then link the provider on your account page.',
  );

const emailUnverified = () =>
  new DomainError(
    'forbidden',
    'OIDC_EMAIL_UNVERIFIED',
    'The sign-in provider does not say that your e-mail address is verified.',
  );

const registrationClosed = () =>
  new DomainError(
    'forbidden',
    'REGISTRATION_CLOSED',
    'There is no account with your address, and registration is closed.',
  );

const identityTaken = () =>
  new ConflictError(
    'IDENTITY_TAKEN',
    'This account of the provider is linked to another user here, or your account is linked to another account of it.',
  );
