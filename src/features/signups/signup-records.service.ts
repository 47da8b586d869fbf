import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database';
import { listPage, newestFirst } from '../../database/list';
import type { FieldValues } from '../../domain/client-fields';
import type { Page, PageRequest } from '../../domain/paging';
import type { Viewer } from '../../domain/permissions';
import { forgetUnconfirmed, NOTHING_BUT_ADDRESS } from '../clients/signed-up';
import { forgetSignupNotices } from '../notices/erasure';
import { SIGNUP_DAYS } from './signups.service';
import { SignupFormsService } from './signup-forms.service';

/** A sign-up: what a person agreed to, when and from where. */
export interface SignupRecord {
  id: number;
  formId: number;
  formName: string;
  email: string;
  fullName: string;
  fields: FieldValues;
  topics: string[];
  /** As it was shown. */
  consentText: string;
  ip: string;
  origin: string | null;
  createdAt: Date;
  confirmedAt: Date | null;
  confirmedIp: string | null;
  expiresAt: Date;
  clientId: number | null;
}

const VIEW = { select: 's.*, f.name AS form_name', from: 'signups s JOIN signup_forms f ON f.id = s.form_id' };
/** How many of one client's are read. */
const MAX = 200;

/** The sign-ups of owners' forms, as evidence of what people agreed to. */
@Injectable()
export class SignupRecords {
  constructor(
    private readonly database: Database,
    private readonly forms: SignupFormsService,
  ) {}

  /** Of one form, newest first. @throws NotFoundError */
  async list(viewer: Viewer, formId: number, query: PageRequest): Promise<Page<SignupRecord>> {
    await this.forms.get(viewer, formId);
    return listPage<SignupRecord>(
      this.database,
      { ...VIEW, where: 's.form_id = $1', params: [formId], ...newestFirst('s.id') },
      query,
    );
  }

  /** The last ones of a client, whom the caller may read. */
  ofClient({ id, ownerId, email }: { id: number; ownerId: number; email: string }): Promise<SignupRecord[]> {
    return this.database.rows<SignupRecord>(
      `SELECT ${VIEW.select} FROM ${VIEW.from}
        WHERE s.owner_id = $1 AND (s.client_id = $2 OR lower(s.email) = lower($3 COLLATE "C")) ORDER BY s.id DESC LIMIT ${MAX}`,
      [ownerId, id, email],
    );
  }

  /**
   * For the sweeper: forgets sign-ups that nobody confirmed in time, and the clients of whom nothing else is known. No
   * mailing went to them, so the ledger has nothing of theirs but that they were skipped.
   */
  async forgetExpired(): Promise<void> {
    await this.database.affected('DELETE FROM signups WHERE confirmed_at IS NULL AND expires_at < app_now()');
    await forgetSignupNotices(this.database);
    const left = await this.database.rows<{ id: number }>(
      `SELECT c.id FROM clients c
        WHERE c.unconfirmed_since < app_now() - interval '${SIGNUP_DAYS} days' AND ${NOTHING_BUT_ADDRESS}
          AND NOT EXISTS (SELECT FROM signups s WHERE s.owner_id = c.owner_id AND lower(s.email) = lower(c.email))
        ORDER BY c.id LIMIT 1000`,
    );
    if (left.length === 0) return;
    await this.database.transaction((tx) =>
      forgetUnconfirmed(
        tx,
        left.map(({ id }) => id),
      ),
    );
  }
}

/** Forgets the sign-ups of a person: of one owner's forms, or (owner null) of everybody's. */
export const eraseSignups = (tx: Transaction, ownerId: number | null, addresses: string[], clientIds: number[]) =>
  tx.affected(
    `DELETE FROM signups WHERE ($1::bigint IS NULL OR owner_id = $1)
      AND (lower(email) = ANY($2::text[]) OR client_id = ANY($3::bigint[]))`,
    [ownerId, addresses, clientIds],
  );
