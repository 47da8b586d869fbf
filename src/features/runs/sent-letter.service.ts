import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { unsubscribeUrl } from '../../domain/address-token';
import { type FieldValues, SAMPLE_CLIENT, sampleValues } from '../../domain/client-fields';
import { NotFoundError, ValidationError } from '../../domain/errors';
import { reasonText } from '../../domain/footer';
import type { Language } from '../../domain/language';
import { parseMailbox } from '../../domain/mailbox';
import { readableOwner, type Viewer } from '../../domain/permissions';
import { compileContent, type RenderedContent } from '../../domain/template';
import { fieldsOf } from '../clients/field-definitions';
import { LinkKeys } from '../consent/link-keys.service';
import { oneLine } from '../consent/senders.service';

/** A letter of a run, as it was when the run began; only what is known of the client is today's. */
export interface SentLetter extends RenderedContent {
  runId: number;
  mailingId: number;
  /** To whom it went; null if nobody of the run is known any more, and a made-up person stands in. */
  to: { clientId: number; email: string; fullName: string } | null;
  from: string;
  /** When its run began. */
  at: Date;
}

interface Snapshot {
  id: number;
  mailingId: number;
  ownerId: number;
  subject: string;
  body: string;
  bodyText: string | null;
  mailingName: string;
  timeZone: string;
  sender: string | null;
  transactional: boolean;
  language: Language;
  postalAddress: string | null;
  unsubscribeText: string | null;
  createdAt: Date;
}

interface Recipient {
  runId: number;
  clientId: number;
  email: string;
  fullName: string;
  comment: string;
  fields: FieldValues;
}

/** Of so many of a run's first recipients one is shown. */
const FIRST = 50;
const RECIPIENT = `d.run_id, d.client_id, d.email, c.full_name, c.comment, c.fields
  FROM deliveries d JOIN runs r ON r.id = d.run_id JOIN clients c ON c.id = d.client_id`;
/** SQL: whether the client was not erased. */
const KNOWN = `d.email NOT LIKE 'erased:%'`;

/**
 * Letters as they were sent, made anew from what a run kept. The link to unsubscribe leads to the page that says that it
 * is a test.
 */
@Injectable()
export class SentLetterService {
  constructor(
    private readonly database: Database,
    private readonly keys: LinkKeys,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** A run's letter, as one of its first recipients got it. @throws NotFoundError, also of a run that was missed */
  async ofRun(viewer: Viewer, runId: number): Promise<SentLetter> {
    const run = await this.snapshot(viewer, runId);
    const first = await this.database.first<Recipient>(
      `SELECT * FROM (SELECT d.status, d.id, ${RECIPIENT}
          WHERE d.run_id = $1 AND r.owner_id = $2 AND ${KNOWN} ORDER BY d.id LIMIT ${FIRST}) f
        ORDER BY f.status = 'sent' DESC, f.id LIMIT 1`,
      [runId, run.ownerId],
    );
    return this.render(run, first ?? null);
  }

  /**
   * What one client got.
   * @throws NotFoundError if no letter went out for this delivery, or if the client was deleted or erased
   */
  async ofDelivery(viewer: Viewer, deliveryId: number): Promise<SentLetter> {
    const found = await this.database.first<Recipient>(
      `SELECT ${RECIPIENT} WHERE d.id = $1 AND ($2::bigint IS NULL OR r.owner_id = $2) AND ${KNOWN}
          AND d.status IN ('sent', 'unknown')`,
      [deliveryId, readableOwner(viewer)],
    );
    if (!found) throw new NotFoundError('Letter', deliveryId);
    return this.render(await this.snapshot(viewer, found.runId), found);
  }

  private async snapshot(viewer: Viewer, runId: number): Promise<Snapshot> {
    const run = await this.database.first<Snapshot>(
      `SELECT r.id, r.mailing_id, r.owner_id, r.subject, r.body, r.body_text,
              coalesce(r.mailing_name, m.name) AS mailing_name, coalesce(r.time_zone, m.time_zone) AS time_zone,
              r.sender, r.transactional, r.language, r.postal_address, r.unsubscribe_text, r.created_at
         FROM runs r JOIN mailings m ON m.id = r.mailing_id
        WHERE r.id = $1 AND r.status <> 'missed' AND ($2::bigint IS NULL OR r.owner_id = $2)`,
      [runId, readableOwner(viewer)],
    );
    if (!run) throw new NotFoundError('Run', runId);
    return run;
  }

  private async render(run: Snapshot, to: Recipient | null): Promise<SentLetter> {
    const { subject, body, bodyText, transactional, language } = run;
    const compiled = compileContent({ subject, body, bodyText }, transactional ? undefined : language, 'any');
    if (!compiled.ok) throw new ValidationError(compiled.errors);
    const own = to ? to.fields : sampleValues(await fieldsOf(this.database, run.ownerId));
    const { fullName, email, comment } = to ?? SAMPLE_CLIENT;
    const from = parseMailbox(run.sender ?? this.config.mailFrom) ?? { name: '', address: '' };
    const tokenOf = await this.keys.signer({ kind: 'test', ownerId: run.ownerId, mailingId: 0 });
    const content = compiled.content.render({
      client: { ...own, fullName, email, comment },
      mailing: { name: run.mailingName },
      sender: { name: from.name, email: from.address },
      date: run.createdAt.toISOString(),
      timeZone: run.timeZone,
      unsubscribeUrl: unsubscribeUrl(this.config.publicUrl, tokenOf(0, email)),
      senderAddress: oneLine(run.postalAddress ?? this.config.senderAddress),
      footerText: run.unsubscribeText ?? reasonText(language, from.name || from.address),
    });
    return {
      ...content,
      runId: run.id,
      mailingId: run.mailingId,
      to: to && { clientId: to.clientId, email, fullName },
      from: from.name ? `${from.name} <${from.address}>` : from.address,
      at: run.createdAt,
    };
  }
}
