import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { DomainError } from '../../domain/errors';
import { requireMay, type Viewer } from '../../domain/permissions';
import type { ProofFinding } from '../../domain/proof';
import { audit } from '../audit/audit';
import { InboundJobs } from './inbound-jobs.service';
import { provedSettings } from './proof-letter';

/**
 * Where a proof letter is: not sent yet, on its way, or it `has not come back` in time (it still may); the mail server
 * `refused` it; it `returned`, or a report came that it could not be delivered (`bounced`).
 */
export const proofStates = ['waiting', 'sent', 'lost', 'refused', 'returned', 'bounced'] as const;
export type ProofState = (typeof proofStates)[number];

export interface ProofView {
  id: number;
  createdAt: Date;
  state: ProofState;
  sentAt: Date | null;
  returnedAt: Date | null;
  /** What the mail server answered, or the report says. */
  response: string | null;
  /** The way by which it came back. */
  source: string | null;
  /** Empty until it came back. */
  checks: ProofFinding[];
  /** What receivers on the way say (Authentication-Results), as it stands in the letter. */
  receivers: string[];
  /** Whether the settings are still those that it went out with. */
  isCurrent: boolean;
}

/** What the check before a mailing's start says of it. */
export interface ProofSummary {
  /** When the last one came back that went out with the present settings; null: none did. */
  provedAt: Date | null;
  /** What that one found wrong. */
  failed: ProofFinding['check'][];
}

/** A letter that is not back by then is taken for lost, in minutes. */
const PATIENCE = 15;
/** Nobody needs two at once. */
const AGAIN_SECONDS = 30;

/** Letters that the service sends to itself, to see what its relay does to letters. */
@Injectable()
export class ProofLetters {
  constructor(
    private readonly database: Database,
    private readonly jobs: InboundJobs,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Has one sent; one that was asked for just now is the same. @returns its id
   * @throws ForbiddenError; DomainError PROOF_NEEDS_ADDRESS if letters can't come back
   */
  async start(viewer: Viewer): Promise<number> {
    requireMay(viewer, 'account.prove');
    if (this.config.bounceAddress === '')
      throw new DomainError(
        'conflict',
        'PROOF_NEEDS_ADDRESS',
        'A proof letter has to come back: set BOUNCE_ADDRESS, and a way in for letters to it (INBOUND_LISTEN, ' +
          'gonets receive, or POST /inbound; see docs/inbound.md).',
      );
    const settings = provedSettings(this.config);
    const id = await this.database.transaction(async (tx) => {
      await tx.rows(`SELECT pg_advisory_xact_lock(hashtext('proof_letters'))`);
      const known = await tx.first<{ id: number }>(
        `SELECT id FROM proof_letters WHERE state IN ('waiting', 'sending', 'sent') AND settings = $1
            AND created_at > app_now() - interval '${AGAIN_SECONDS} seconds' ORDER BY id DESC LIMIT 1`,
        [settings],
      );
      if (known) return known.id;
      await audit(tx, viewer, 'account.prove', { type: 'account' });
      const made = await tx.first<{ id: number }>(
        'INSERT INTO proof_letters (user_id, settings) VALUES ($1, $2) RETURNING id',
        [viewer.userId, settings],
      );
      return made!.id;
    });
    await this.jobs.addProofs([id]);
    return id;
  }

  /** The last one; null if there was none. @throws ForbiddenError */
  async last(viewer: Viewer): Promise<ProofView | null> {
    requireMay(viewer, 'account.prove');
    const found = await this.database.first<ProofView>(
      `SELECT id, created_at, sent_at, returned_at, response, source, coalesce(checks, '[]') AS checks, receivers,
              settings = $1 AS is_current,
              CASE WHEN state IN ('waiting', 'sending', 'sent') AND created_at < app_now() - interval '${PATIENCE} minutes'
                THEN 'lost' WHEN state = 'sending' THEN 'sent' ELSE state END AS state
         FROM proof_letters ORDER BY id DESC LIMIT 1`,
      [provedSettings(this.config)],
    );
    return found ?? null;
  }

  /** Null if nothing can come back. */
  async summary(): Promise<ProofSummary | null> {
    if (this.config.bounceAddress === '') return null;
    const last = await this.database.first<{ returnedAt: Date; checks: ProofFinding[] }>(
      `SELECT returned_at, checks FROM proof_letters WHERE state = 'returned' AND settings = $1 ORDER BY id DESC LIMIT 1`,
      [provedSettings(this.config)],
    );
    const failed = (last?.checks ?? []).filter(({ result }) => result === 'failed').map(({ check }) => check);
    return { provedAt: last?.returnedAt ?? null, failed };
  }
}
