import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { seal, unseal } from '../../config/sealed';
import { Database, type Sql, type Transaction } from '../../database/database';
import { ConflictError, ForbiddenError, NotFoundError, ValidationError } from '../../domain/errors';
import { at, problem } from '../../domain/problems';
import { mayBlock, requireMay, type Role, type Viewer } from '../../domain/permissions';
import { Limits } from '../../queue/limits';
import { audit } from '../audit/audit';
import { Notices } from '../notices/notices.service';
import { lockAccess } from './lock-access';
import { OwnPassword, passwordMissing, wrongPassword } from './own-password';
import { hashRecoveryCode, newRecoveryCodes, newTotpSecret, plainCode, totpStep, totpUri } from './second-factor-codes';
import { SessionsService } from './sessions.service';

/** What users see of their second factor; never the secret. */
export interface SecondFactorState {
  enabled: boolean;
  /** Since when. */
  since: Date | null;
  recoveryCodesLeft: number;
}

/** The secret for an authenticator app, as text and as the content of a QR code. */
export interface SecondFactorSecret {
  secret: string;
  uri: string;
}

/** The password and a code, required for changes of the second factor. */
export interface Proof {
  password: string;
  code: string;
}

/** Which of the two was used up. */
export type CodeKind = 'totp' | 'recovery_code';

/**
 * TOTP beside the password. Each code works once. Secrets are sealed under SECRET_KEY; after it changes, only recovery
 * codes work.
 */
@Injectable()
export class SecondFactorService {
  constructor(
    private readonly database: Database,
    private readonly limits: Limits,
    private readonly ownPassword: OwnPassword,
    private readonly sessions: SessionsService,
    private readonly notices: Notices,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async state({ userId }: Pick<Viewer, 'userId'>, sql: Sql = this.database): Promise<SecondFactorState> {
    const row = await sql.first<{ since: Date; recoveryCodesLeft: number }>(
      `SELECT confirmed_at AS since, (SELECT count(*)::int FROM recovery_codes r
        WHERE r.user_id = f.user_id) AS recovery_codes_left
         FROM second_factors f WHERE user_id = $1 AND confirmed_at IS NOT NULL`,
      [userId],
    );
    return { enabled: row !== undefined, since: row?.since ?? null, recoveryCodesLeft: row?.recoveryCodesLeft ?? 0 };
  }

  /** Whether to remind the user of it: managers and admins who sign in with a password alone. */
  async isMissing({ userId, role }: Pick<Viewer, 'userId' | 'role'>): Promise<boolean> {
    if (role === 'user') return false;
    const row = await this.database.first(
      `SELECT FROM users u WHERE id = $1 AND password_hash IS NOT NULL
          AND NOT EXISTS (SELECT FROM second_factors f WHERE f.user_id = u.id AND confirmed_at IS NOT NULL)`,
      [userId],
    );
    return row !== undefined;
  }

  /** Makes a new secret, which takes effect with `enable`. @throws ConflictError SECOND_FACTOR_ON, PASSWORD_MISSING */
  async begin(viewer: Viewer): Promise<SecondFactorSecret> {
    const secret = newTotpSecret();
    const user = await this.database.first<{ email: string; hasPassword: boolean }>(
      'SELECT email, password_hash IS NOT NULL AS has_password FROM users WHERE id = $1',
      [viewer.userId],
    );
    if (!user?.hasPassword) throw passwordMissing();
    const begun = await this.database.affected(
      `INSERT INTO second_factors (user_id, secret) VALUES ($1, $2)
       ON CONFLICT (user_id) DO UPDATE SET secret = EXCLUDED.secret, created_at = now()
         WHERE second_factors.confirmed_at IS NULL`,
      [viewer.userId, seal(this.config.secretKey, 'second-factor', secret, String(viewer.userId))],
    );
    if (begun === 0) throw isOn();
    return { secret, uri: totpUri(secret, user.email) };
  }

  /** The secret that is not confirmed yet, to show the form again; null if there is none. */
  async begun({ userId }: Viewer): Promise<SecondFactorSecret | null> {
    const row = await this.database.first<{ secret: Buffer; email: string }>(
      `SELECT secret, email FROM second_factors JOIN users ON users.id = user_id
        WHERE user_id = $1 AND confirmed_at IS NULL`,
      [userId],
    );
    const secret = row && this.open(userId, row.secret);
    return secret ? { secret, uri: totpUri(secret, row.email) } : null;
  }

  /**
   * Switches the second factor on by a first code. All other sessions end. Returns the recovery codes, which can't be
   * shown again.
   * @throws ValidationError for a wrong password or code, ConflictError SECOND_FACTOR_ON, SECOND_FACTOR_OFF (none was
   * begun)
   */
  async enable(viewer: Viewer, proof: Proof): Promise<string[]> {
    return this.change(viewer, proof, 'second_factor.enable', async (tx) => {
      await tx.affected('UPDATE second_factors SET confirmed_at = now() WHERE user_id = $1', [viewer.userId]);
      return this.makeRecoveryCodes(tx, viewer.userId);
    });
  }

  /** Replaces the recovery codes by ten new ones. @throws as `disable` */
  async renewCodes(viewer: Viewer, proof: Proof): Promise<string[]> {
    return this.change(viewer, proof, 'second_factor.codes', (tx) => this.makeRecoveryCodes(tx, viewer.userId));
  }

  /** All other sessions end. @throws ValidationError for a wrong password or code, ConflictError SECOND_FACTOR_OFF */
  async disable(viewer: Viewer, proof: Proof): Promise<void> {
    await this.change(viewer, proof, 'second_factor.disable', (tx) =>
      tx.affected('DELETE FROM second_factors WHERE user_id = $1', [viewer.userId]),
    );
  }

  /**
   * Switches the second factor off for a user who lost phone and recovery codes; they have to sign in again, with the
   * password alone. Managers may do it for users, admins and the operator for everybody but themselves.
   * @throws NotFoundError, ForbiddenError, ConflictError SECOND_FACTOR_OFF
   */
  async reset(viewer: Viewer, userId: number): Promise<void> {
    requireMay(viewer, 'users.manage');
    const noticeId = await this.database.transaction(async (tx) => {
      const user = await tx.first<{ id: number; role: Role; email: string }>(
        'SELECT id, role, email FROM users WHERE id = $1 FOR NO KEY UPDATE',
        [userId],
      );
      if (!user) throw new NotFoundError('User', userId);
      if (!mayBlock(viewer, user)) throw new ForbiddenError();
      await lockAccess(tx, viewer);
      const gone = await tx.affected('DELETE FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL', [
        userId,
      ]);
      if (gone === 0) throw isOff();
      await this.sessions.endAll(userId, undefined, tx);
      await audit(tx, viewer, 'second_factor.reset', { type: 'user', id: userId });
      return this.notices.write(tx, { kind: 'sign_in_changed', userId, email: user.email });
    });
    await this.notices.enqueue(noticeId);
  }

  /**
   * Uses up a code of the user in the caller's transaction. @returns its kind; null for a code that is wrong or was
   * used. The caller limits the tries (`secondFactorUser`).
   */
  async accept(tx: Transaction, userId: number, typed: string): Promise<CodeKind | null> {
    const code = plainCode(typed);
    const factor = await tx.first<{ secret: Buffer; epochS: number }>(
      'SELECT secret, extract(epoch FROM clock_timestamp())::float8 AS epoch_s FROM second_factors WHERE user_id = $1',
      [userId],
    );
    const secret = factor && this.open(userId, factor.secret);
    const step = secret ? totpStep(secret, code, factor.epochS) : null;
    if (step !== null) {
      // If the same code is used twice at once, the second update finds the step used.
      const used = 'UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2';
      return (await tx.affected(used, [userId, step])) > 0 ? 'totp' : null;
    }
    const gone = 'DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2';
    return (await tx.affected(gone, [userId, hashRecoveryCode(code)])) > 0 ? 'recovery_code' : null;
  }

  /**
   * Checks, before a change of how a user signs in, the password, and a code if the second factor is on (or, with
   * `enabling`, was begun). The user's row is locked until the commit, so that nobody signs in by the old state
   * meanwhile.
   * @throws ValidationError for a wrong password or code, DomainError UNAUTHENTICATED, RATE_LIMITED
   */
  async proved<T>(
    viewer: Viewer,
    proof: Proof,
    work: (tx: Transaction, user: { email: string; enabled: boolean }) => Promise<T>,
    enabling = false,
  ): Promise<T> {
    const { email, passwordHash } = await this.ownPassword.require(viewer, proof.password);
    await this.limits.take('secondFactorUser', viewer.userId);
    try {
      const result = await this.database.transaction(async (tx) => {
        const unchanged = await tx.first(
          'SELECT id FROM users WHERE id = $1 AND password_hash = $2 FOR NO KEY UPDATE',
          [viewer.userId, passwordHash],
        );
        if (!unchanged) throw wrongPassword();
        await lockAccess(tx, viewer);
        const factor = await tx.first<{ enabled: boolean }>(
          'SELECT confirmed_at IS NOT NULL AS enabled FROM second_factors WHERE user_id = $1 FOR UPDATE',
          [viewer.userId],
        );
        const enabled = factor?.enabled ?? false;
        if (enabling && enabled) throw isOn();
        if (enabling && !factor) throw isOff();
        if (factor && (enabled || enabling) && !(await this.accept(tx, viewer.userId, proof.code)))
          throw new WrongCodeError();
        return work(tx, { email, enabled });
      });
      await this.limits.forgive('secondFactorUser', viewer.userId);
      return result;
    } catch (error) {
      if (error instanceof WrongCodeError) await this.failed(viewer, viewer.userId);
      throw error;
    }
  }

  private async change<T>(
    viewer: Viewer,
    proof: Proof,
    action: 'second_factor.enable' | 'second_factor.disable' | 'second_factor.codes',
    work: (tx: Transaction) => Promise<T>,
  ): Promise<T> {
    const { userId } = viewer;
    const enabling = action === 'second_factor.enable';
    const made = await this.proved(
      viewer,
      proof,
      async (tx, { email, enabled }) => {
        if (!enabling && !enabled) throw isOff();
        const result = await work(tx);
        if (action !== 'second_factor.codes') await this.sessions.endOthers(viewer, tx);
        await audit(tx, viewer, action, { type: 'user', id: userId });
        return { result, noticeId: await this.notices.write(tx, { kind: 'sign_in_changed', userId, email }) };
      },
      enabling,
    );
    await this.notices.enqueue(made.noticeId);
    return made.result;
  }

  private async makeRecoveryCodes(sql: Sql, userId: number): Promise<string[]> {
    const codes = newRecoveryCodes();
    await sql.affected('DELETE FROM recovery_codes WHERE user_id = $1', [userId]);
    await sql.affected('INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[])', [
      userId,
      codes.map(hashRecoveryCode),
    ]);
    return codes;
  }

  /** Records a wrong code in the audit log although the transaction is rolled back. */
  private failed(viewer: Viewer, id: number): Promise<void> {
    return audit(this.database, viewer, 'second_factor.failed', { type: 'user', id });
  }

  private open = (userId: number, secret: Buffer): string | null =>
    unseal(this.config.secretKey, 'second-factor', secret, String(userId));
}

class WrongCodeError extends ValidationError {
  constructor() {
    super(at('code', problem('wrong_code')));
  }
}

const isOn = () => new ConflictError('SECOND_FACTOR_ON', 'The second factor is on already.');
const isOff = () => new ConflictError('SECOND_FACTOR_OFF', 'The second factor is off: set it up first.');
