import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database';

export interface FormDraft {
  fields: Record<string, string>;
  keptAt: Date;
}

/** So many drafts one user may have, and so long an untouched one is kept. */
const DRAFTS_MAX = 100;
const DAYS = 30;

/** What users have typed into forms and not saved yet: one draft for each user and page, which only they can read. */
@Injectable()
export class FormDrafts {
  constructor(private readonly database: Database) {}

  /** Replaces the draft of this page; the user's oldest ones go if there are too many. @returns when it was kept */
  async keep(userId: number, page: string, fields: Record<string, string>): Promise<Date> {
    const row = await this.database.first<{ keptAt: Date }>(
      `INSERT INTO form_drafts (user_id, page, fields) VALUES ($1, $2, $3)
       ON CONFLICT (user_id, page) DO UPDATE SET fields = excluded.fields, kept_at = app_now() RETURNING kept_at`,
      [userId, page, fields],
    );
    await this.database.affected(
      `DELETE FROM form_drafts WHERE user_id = $1 AND page IN (SELECT page FROM form_drafts WHERE user_id = $1
        ORDER BY kept_at DESC, page OFFSET ${DRAFTS_MAX})`,
      [userId],
    );
    if (!row) throw new Error('an insert returned no row');
    return row.keptAt;
  }

  async read(userId: number, page: string): Promise<FormDraft | null> {
    const draft = await this.database.first<FormDraft>(
      'SELECT fields, kept_at FROM form_drafts WHERE user_id = $1 AND page = $2',
      [userId, page],
    );
    return draft ?? null;
  }

  /** When the drafts of these pages were kept; only of those that have one. */
  async keptAt(userId: number, pages: string[]): Promise<Map<string, Date>> {
    const rows = await this.database.rows<{ page: string; keptAt: Date }>(
      'SELECT page, kept_at FROM form_drafts WHERE user_id = $1 AND page = ANY ($2)',
      [userId, pages],
    );
    return new Map(rows.map(({ page, keptAt }) => [page, keptAt]));
  }

  /** @param keptAt only the draft that was kept then, to the millisecond, and none that replaced it */
  async drop(userId: number, page: string, keptAt: Date | null = null): Promise<void> {
    await this.database.affected(
      `DELETE FROM form_drafts WHERE user_id = $1 AND page = $2
          AND ($3::timestamptz IS NULL OR date_trunc('milliseconds', kept_at) = $3)`,
      [userId, page, keptAt],
    );
  }

  /** Deletes drafts that nobody touched for a month. */
  async forgetOld(): Promise<void> {
    await this.database.affected(`DELETE FROM form_drafts WHERE kept_at < app_now() - interval '${DAYS} days'`);
  }
}

/**
 * Deletes the drafts that mention what a pattern finds: those of an owner, and of admins, who may edit the owner's
 * things; for null those of everybody.
 */
export const eraseFromDrafts = (tx: Transaction, ownerId: number | null, pattern: string) =>
  tx.affected(
    `DELETE FROM form_drafts d USING users u WHERE u.id = d.user_id
        AND ($1::bigint IS NULL OR u.id = $1 OR u.role = 'admin') AND d.fields::text ~* $2`,
    [ownerId, pattern],
  );
