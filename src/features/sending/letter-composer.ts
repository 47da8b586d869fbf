import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { unsubscribeUrl } from '../../domain/address-token';
import { type Attached, attachedBoundary } from '../../domain/attached';
import type { FieldValues } from '../../domain/client-fields';
import { type PreparedLetter, prepareLetter } from '../../domain/compose';
import { DomainError, ValidationError } from '../../domain/errors';
import { feedbackId, mayNameForComplaints, senderIdOf } from '../../domain/feedback';
import { composeSigned, senderOf } from '../../domain/identity';
import { boundaryOf, letterDigest, messageIdOf } from '../../domain/message-id';
import type { Language } from '../../domain/language';
import { reasonText } from '../../domain/footer';
import { compileContent, type LetterData } from '../../domain/template';
import { Repeated } from '../../logging/repeated';
import { loadAttached, type StoredAttachment } from '../../storage/load-attached';
import { StoredObjects } from '../../storage/stored-objects';
import { ACCOUNT, type Account } from '../accounts/account';
import { LinkKeys } from '../consent/link-keys.service';
import { ReturnAddresses, type ReturnPair } from '../consent/return-addresses';
import { oneLine } from '../consent/senders.service';
import type { Claim } from '../ledger/claims';
import { settleSnapshot } from '../runs/run-moves';
import { LedgerClock } from './ledger-clock';

/** What the letters of a run have in common, computed once. */
interface RunContent {
  prepared: PreparedLetter;
  runKey: string | null;
  domain: string;
  data: Omit<LetterData, 'client' | 'unsubscribeUrl'>;
  /** The link by which the recipient of a delivery leaves. */
  linkOf: (deliveryId: number, email: string) => string;
  /** Where the letter of a delivery comes back to; null: to its From. */
  returnPairOf: ((deliveryId: number) => ReturnPair) | null;
}

/** A run as it was when it began. */
interface RunSnapshot {
  subject: string;
  body: string;
  bodyText: string | null;
  mailingId: number;
  mailingName: string;
  timeZone: string;
  sender: string;
  letterKey: string | null;
  ownerId: number;
  transactional: boolean;
  language: Language;
  replyTo: string | null;
  postalAddress: string;
  unsubscribeText: string | null;
  createdAt: Date;
}

/** A run's content while it is read and afterwards; an error once reading takes too long. */
interface Loading {
  soon: Promise<RunContent | DomainError>;
}

/** Writes a letter for a server with these capabilities. */
export type Compose = (server: { eightBitMime: boolean }) => Buffer;

/** A letter that is ready to be written. */
export interface ReadyLetter {
  /** The envelope sender. */
  from: string;
  raw: Compose;
  /** What follows it. */
  tail?: Buffer | undefined;
}

const KEPT_RUNS = 50;
/** So long letters wait for the content of their run: those of other runs need their places. */
const PATIENCE_MS = 5_000;
/** What the attachments of these runs may take in memory; those of letters under way stay as long as these do. */
const KEPT_ATTACHED = 128 * 1024 * 1024;

/**
 * Composes letters. Everything but the date depends only on the run as it began and on the client as they are now, so
 * that it is the same on every try. The date, also that of the signatures, is that of the try.
 */
@Injectable()
export class LetterComposer {
  private readonly clock: LedgerClock;
  private readonly said: Repeated;
  private readonly contents = new Map<number, Loading>();
  /** How much attachments take, by run. */
  private readonly attached = new Map<number, number>();

  constructor(
    private readonly database: Database,
    @Inject(ACCOUNT) private readonly account: Account,
    @Inject(CONFIG) private readonly config: Config,
    private readonly keys: LinkKeys,
    private readonly returns: ReturnAddresses,
    private readonly objects: StoredObjects,
    logger: PinoLogger,
  ) {
    this.clock = new LedgerClock(database);
    this.said = new Repeated(logger);
  }

  /**
   * This claim's envelope sender, and the function that writes its letter once the server's capabilities are known;
   * null if its content could not be read.
   * @throws DomainError (the returned function) if the run's content can't be composed
   */
  async letter(claim: Claim): Promise<ReadyLetter | null> {
    let content: RunContent | DomainError;
    try {
      content = await this.content(claim.runId);
      await this.clock.follow();
    } catch (error) {
      this.said.warn(
        { event: 'letter.not_composed', runId: claim.runId, reason: (error as Error).message },
        'The content of a run could not be read; its deliveries are pending again',
      );
      return null;
    }
    const { runId, clientId, id: deliveryId } = claim;
    const returnPair = content instanceof DomainError ? undefined : content.returnPairOf?.(deliveryId);
    const raw: Compose = ({ eightBitMime }) => {
      if (content instanceof DomainError) throw content;
      const date = this.clock.now();
      const { prepared, runKey, domain, data, linkOf } = content;
      const digest = letterDigest({ runKey, runId, clientId, deliveryId }, this.config.secretKey);
      return composeSigned(this.account.identity, prepared, {
        data: {
          client: {
            ...(prepared.content.readsFields && (JSON.parse(claim.fields) as FieldValues)),
            fullName: claim.fullName,
            email: claim.email,
            comment: claim.comment,
          },
          unsubscribeUrl: linkOf(deliveryId, claim.email),
          ...data,
        },
        messageId: messageIdOf(digest, domain),
        boundary: boundaryOf(digest),
        date,
        eightBitMime,
        unsubscribeAddress: returnPair?.unsubscribe,
      });
    };
    const tail = content instanceof DomainError ? undefined : content.prepared.attached?.tail;
    return { from: returnPair?.bounce ?? this.account.identity.from.address, raw, tail };
  }

  private content(runId: number): Promise<RunContent | DomainError> {
    let loading = this.contents.get(runId);
    if (!loading) {
      loading = this.begin(runId);
      this.contents.set(runId, loading);
      const oldest = this.contents.keys().next();
      if (this.contents.size > KEPT_RUNS && !oldest.done) this.forget(oldest.value);
    }
    return loading.soon;
  }

  /** What is wrong is not kept: an attachment that is gone may be restored. */
  private begin(runId: number): Loading {
    const content = this.load(runId);
    const late = sleep(PATIENCE_MS, undefined, { ref: false }).then(() => {
      throw new Error('it is still being read');
    });
    const loading: Loading = { soon: Promise.race([content, late]) };
    const drop = () => void (this.contents.get(runId) === loading && this.forget(runId));
    loading.soon.catch(() => undefined);
    content.then((made) => (made instanceof DomainError ? drop() : (loading.soon = content)), drop);
    return loading;
  }

  private forget(runId: number): void {
    this.contents.delete(runId);
    this.attached.delete(runId);
  }

  /** What the letters of a run carry, encoded once. */
  private async attachedTo(runId: number, runKey: string | null): Promise<Attached | DomainError | undefined> {
    const stored = await this.database.rows<StoredAttachment>(
      `SELECT a.name, a.type, f.key FROM run_attachments a JOIN attachment_files f USING (hash)
        WHERE a.run_id = $1 ORDER BY a.position`,
      [runId],
    );
    const boundary = attachedBoundary(`${runKey ?? ''}:${runId}`, this.config.secretKey);
    const attached = await loadAttached(this.objects, stored, boundary);
    if (!attached || attached instanceof DomainError) return attached;
    this.attached.set(runId, attached.tail.length);
    let all = [...this.attached.values()].reduce((sum, bytes) => sum + bytes, 0);
    for (const [other, bytes] of this.attached) {
      if (all <= KEPT_ATTACHED || other === runId) break;
      all -= bytes;
      this.forget(other);
    }
    return attached;
  }

  private async load(runId: number): Promise<RunContent | DomainError> {
    const run = await this.snapshot(runId);
    const { transactional, language, mailingName, timeZone } = run;
    const source = { subject: run.subject, body: run.body, bodyText: run.bodyText };
    // Whatever may be a field is taken: it was checked when the message was written, and one that is gone is empty.
    const compiled = compileContent(source, transactional ? undefined : language, 'any');
    if (!compiled.ok)
      return new DomainError('invalid', 'TEMPLATE_FAILED', new ValidationError(compiled.errors).message);
    const { from, domain } = senderOf(run.sender);
    const replyTo = run.replyTo === null ? {} : { replyTo: { address: run.replyTo } };
    const { dkim } = this.account.identity;
    const { feedbackAddress: complaintsTo } = this.config;
    const listId = `mailing-${run.mailingId}.${domain}`;
    const attached = await this.attachedTo(runId, run.letterKey);
    if (attached instanceof DomainError) return attached;
    const tokenOf = await this.keys.signer({ kind: 'unsubscribe', ownerId: run.ownerId, mailingId: run.mailingId });
    return {
      prepared: prepareLetter({
        from,
        ...replyTo,
        content: compiled.content,
        listId,
        mailingName,
        leavable: !transactional,
        attached,
        feedbackId: feedbackId(
          { mailingId: run.mailingId, ownerId: run.ownerId, kind: transactional ? 'transactional' : 'marketing' },
          this.config.feedbackSenderId || senderIdOf(domain),
        ),
        ...(complaintsTo !== '' && mayNameForComplaints(complaintsTo, { domain, dkim }) && { complaintsTo }),
      }),
      runKey: run.letterKey,
      domain,
      data: {
        mailing: { name: mailingName },
        sender: { name: from.name, email: from.address },
        senderAddress: oneLine(run.postalAddress),
        footerText: run.unsubscribeText ?? reasonText(language, from.name || from.address),
        date: run.createdAt.toISOString(),
        timeZone,
      },
      returnPairOf: await this.returns.writer(),
      linkOf: (deliveryId, email) => unsubscribeUrl(this.config.publicUrl, tokenOf(deliveryId, email)),
    };
  }

  private async snapshot(runId: number): Promise<RunSnapshot> {
    const { from } = this.account.identity;
    await settleSnapshot(this.database, runId, from, this.config.senderAddress);
    const run = await this.database.first<RunSnapshot>(
      `SELECT subject, body, body_text, mailing_id, owner_id, mailing_name, time_zone, sender, letter_key,
        transactional,
              language, reply_to, postal_address, unsubscribe_text, created_at FROM runs WHERE id = $1`,
      [runId],
    );
    if (!run) throw new Error(`run ${runId} is gone`);
    return run;
  }
}
