import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database';
import { listPage, newestFirst, type View, viewWhere } from '../../database/list';
import { anywhere, searched } from '../../database/search';
import { csvRow } from '../../domain/csv-records';
import { parseEmailAddress } from '../../domain/email-address';
import { ConflictError, ForbiddenError, invalid, NotFoundError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { mayLift, readableOwner, requireMay, type Viewer } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import {
  scopeOf,
  type SuppressionReason,
  type SuppressionScope,
  type SuppressionSource,
} from '../../domain/suppression';
import { audit } from '../audit/audit';
import { LinkKeys } from './link-keys.service';
import { suppress } from './suppressions';

export interface SuppressionView {
  id: number;
  /** Null: it applies to all owners. */
  ownerId: number | null;
  mailingId: number | null;
  mailingName: string | null;
  /** Null once the address was erased. */
  email: string | null;
  reason: SuppressionReason;
  detail: string;
  source: SuppressionSource;
  deliveryId: number | null;
  createdAt: Date;
  expiresAt: Date | null;
  liftedAt: Date | null;
  liftedBy: number | null;
  liftReason: string | null;
}

export interface SuppressionQuery extends PageRequest {
  search?: string;
  reason?: SuppressionReason;
  /** Those that were lifted, instead of those in force. */
  lifted?: boolean;
  ownerId?: number;
}

export interface NewSuppressionInput {
  email: string;
  reason?: SuppressionReason;
  /** `owner` if absent: the viewer's mailings; `installation`, for managers: those of all. */
  scope?: Exclude<SuppressionScope, 'mailing'>;
  /** Only this mailing of the viewer's. */
  mailingId?: number;
  detail?: string;
}

const VIEW: View = {
  select: `s.id, s.owner_id, s.mailing_id, m.name AS mailing_name, s.email_key AS email, s.reason, s.detail, s.source,
    s.delivery_id,
    s.created_at, s.expires_at, s.lifted_at, s.lifted_by, s.lift_reason`,
  from: 'suppressions s LEFT JOIN mailings m ON m.id = s.mailing_id',
};

/**
 * SQL: which suppressions the viewer $1 may lift: those of their list, and one that binds everybody, if it is about a
 * client of theirs.
 */
const THEIRS = `($1::bigint IS NULL OR s.listed_for = $1 OR (s.owner_id IS NULL AND EXISTS (
  SELECT FROM clients c WHERE c.owner_id = $1 AND lower(c.email) = s.email_key)))`;
/**
 * SQL: the list of the viewer $1: what they suppressed, and what their letters brought. $2 is the owner asked for, $3
 * what is searched for, $4 the reason, $5 whether lifted ones are wanted.
 */
const LISTED = `($1::bigint IS NULL OR s.listed_for = $1) AND ($2::bigint IS NULL OR s.listed_for = $2)
  AND ($3::text IS NULL OR ${searched('s.email_key')} LIKE ${searched('$3')}) AND ($4::text IS NULL OR s.reason = $4)
  AND CASE WHEN $5::boolean THEN s.lifted_at IS NOT NULL
           ELSE s.lifted_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > app_now()) END`;

const EXPORT_PAGE = 2_000;
/** A user may lift a bounce of the same address only once in so many days. */
const LIFT_AGAIN_DAYS = 30;
const TEXT_MAX = 500;

@Injectable()
export class SuppressionsService {
  constructor(
    private readonly database: Database,
    private readonly keys: LinkKeys,
  ) {}

  list(viewer: Viewer, query: SuppressionQuery): Promise<Page<SuppressionView>> {
    const list = { ...VIEW, where: LISTED, params: listed(viewer, query), ...newestFirst('s.id') };
    return listPage<SuppressionView>(this.database, list, query);
  }

  /**
   * As CSV; read in pages as it is wanted. Erased addresses are left out. An import leaves out hard
   * bounces with an `expires_at`: there they would last for ever.
   */
  async *exportCsv(viewer: Viewer, query: Omit<SuppressionQuery, keyof PageRequest> = {}): AsyncGenerator<string> {
    await audit(this.database, viewer, 'suppressions.export');
    yield `\uFEFF${csvRow(['email', 'reason', 'scope', 'mailing_id', 'created_at', 'source', 'detail', 'expires_at'])}`;
    for (let after = 0; ;) {
      const page = await this.database.shares.take(() =>
        this.database.rows<SuppressionView>(
          `SELECT ${VIEW.select} FROM ${VIEW.from} WHERE ${LISTED} AND s.id > $6 ORDER BY s.id LIMIT ${EXPORT_PAGE}`,
          [...listed(viewer, query), after],
        ),
      );
      const last = page.at(-1);
      if (!last) return;
      yield page
        .filter((s) => s.email !== null)
        .map((s) => {
          const [email, expiresAt] = [s.email ?? '', s.expiresAt?.toISOString() ?? ''];
          return csvRow([
            email,
            s.reason,
            scopeOf(s),
            s.mailingId,
            s.createdAt.toISOString(),
            s.source,
            s.detail,
            expiresAt,
          ]);
        })
        .join('');
      after = last.id;
    }
  }

  /**
   * No letter of the viewer's goes to this address any more. The caller moves its open deliveries afterwards. An address
   * that is suppressed already stays as it is.
   * @throws ValidationError, ForbiddenError
   */
  async add(viewer: Viewer, input: NewSuppressionInput, source: SuppressionSource): Promise<SuppressionView> {
    const { email, reason = 'manual', mailingId = null, detail = '', scope = 'owner' } = input;
    if (scope === 'installation') requireMay(viewer, 'suppressions.for_all');
    const parsed = parseEmailAddress(email);
    if (!parsed.ok) throw invalid('email', parsed.problem);
    const key = parsed.email.toLowerCase();
    const addressHash = await this.keys.hashOf(key);
    if (detail.length > TEXT_MAX) throw invalid('detail', problem('too_long', { max: TEXT_MAX }));
    return this.database.transaction(async (tx) => {
      if (mailingId !== null) {
        if (scope === 'installation') throw invalid('mailingId', problem('unknown_field'));
        await requireOwnMailing(tx, viewer, mailingId);
      }
      const ownerId = scope === 'installation' ? null : viewer.userId;
      const isNew = await suppress(tx, { ownerId, mailingId, emailKey: key, addressHash, reason, source, detail });
      if (isNew) await audit(tx, viewer, 'suppression.add', { type: 'suppression' }, { reason });
      const where = `s.owner_id IS NOT DISTINCT FROM $1 AND s.mailing_id IS NOT DISTINCT FROM $2
        AND s.email_key = $3 AND s.reason = $4 AND s.lifted_at IS NULL`;
      const added = await tx.first<SuppressionView>(viewWhere(VIEW, where), [ownerId, mailingId, key, reason]);
      if (!added) throw new Error('an insert returned no row');
      return added;
    });
  }

  /**
   * The address gets letters again.
   * @param why is kept with it, and in the audit log
   * @throws NotFoundError, ForbiddenError, ConflictError SUPPRESSION_LIFTED, LIFTED_LATELY
   */
  async lift(viewer: Viewer, id: number, why: string): Promise<void> {
    const reason = why.trim();
    if (reason === '') throw invalid('reason', problem('empty'));
    if (reason.length > TEXT_MAX) throw invalid('reason', problem('too_long', { max: TEXT_MAX }));
    await this.database.transaction(async (tx) => {
      const found = await tx.first<{
        ownerId: number | null;
        addressHash: Buffer;
        reason: SuppressionReason;
        liftedAt: Date | null;
      }>(
        `SELECT s.owner_id, s.address_hash, s.reason, s.lifted_at FROM suppressions s
          WHERE s.id = $2 AND ${THEIRS} FOR UPDATE`,
        [readableOwner(viewer), id],
      );
      if (!found) throw new NotFoundError('Suppression', id);
      if (found.liftedAt) throw new ConflictError('SUPPRESSION_LIFTED', 'It was lifted already.');
      const may = mayLift(viewer, found);
      if (may === 'no') throw new ForbiddenError(`Your role does not allow to lift "${found.reason}".`);
      if (may === 'once_a_month' && (await liftedLately(tx, viewer, found.addressHash)))
        throw new ConflictError(
          'LIFTED_LATELY',
          `You lifted this for the same address within the last ${LIFT_AGAIN_DAYS} days.`,
        );
      await tx.affected(
        `UPDATE suppressions SET lifted_at = app_now(), lifted_by = nullif($2::bigint, 0), lift_reason = $3
          WHERE id = $1`,
        [id, viewer.userId, reason],
      );
      await audit(tx, viewer, 'suppression.lift', { type: 'suppression', id }, { reason: found.reason, why: reason });
    });
  }
}

const listed = (viewer: Viewer, { ownerId, search, reason, lifted }: Omit<SuppressionQuery, keyof PageRequest>) => [
  readableOwner(viewer),
  ownerId ?? null,
  anywhere(search),
  reason ?? null,
  lifted ?? false,
];

async function requireOwnMailing(tx: Transaction, viewer: Viewer, mailingId: number): Promise<void> {
  const own = await tx.first('SELECT id FROM mailings WHERE id = $1 AND owner_id = $2', [mailingId, viewer.userId]);
  if (!own) throw invalid('mailingId', problem('unknown_mailing', { id: mailingId }));
}

const liftedLately = (tx: Transaction, viewer: Viewer, addressHash: Buffer) =>
  tx.first(
    `SELECT id FROM suppressions WHERE address_hash = $1 AND reason = 'hard_bounce' AND lifted_by = $2
        AND lifted_at > app_now() - interval '${LIFT_AGAIN_DAYS} days' LIMIT 1`,
    [addressHash, viewer.userId],
  );
