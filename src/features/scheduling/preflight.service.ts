import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Transaction } from '../../database/database';
import { ConflictError, ForbiddenError, invalid, type ToldFinding } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { byLevel, type Finding, isBlocking, mayOverride } from '../../domain/preflight';
import {
  letterFindings,
  listFindings,
  localFindings,
  type LocalFacts,
  proofFindings,
  senderFindings,
} from '../../domain/preflight-rules';
import { toldFinding } from '../../domain/preflight-texts';
import { problem } from '../../domain/problems';
import type { SenderFacts } from '../../domain/sender-domain';
import type { MailingKind } from '../../domain/suppression';
import { audit, type AuditObject } from '../audit/audit';
import { ProofLetters } from '../inbound/proof-letters.service';
import { SendersService } from '../consent/senders.service';
import type { Mailing } from '../mailings/mailing.entity';
import { MailingsService } from '../mailings/mailings.service';
import { type DraftMailing, draftRecipients, type DraftRecipients } from './draft-facts';
import { LetterCheck, type Shown } from './letter-check.service';
import { FINE, type Letter, letterOf, listFacts, type Recipients, recipientsFacts } from './preflight-facts';
import { SenderCheck } from './sender-check.service';

/** What a mailing's check before its start says: what is wrong, and who gets its letters. */
export type Preflight = Recipients & { findings: ToldFinding[] };

/** The same of a mailing that is being made, with the first of those who get it. */
export type DraftCheck = DraftRecipients & { findings: ToldFinding[] };

/** What is read of a mailing for its check. */
interface Known {
  shown: Shown;
  letter: Letter;
  recipients: Recipients;
}

const OVERRIDE_MAX = 500;

/**
 * The check before letters go out. REST, the pages and the command line pass it alike:
 *
 * | What makes letters go out | What is asked |
 * |---|---|
 * | start, send now | everything that may block (`require`); what DNS says is asked before (`sender`) |
 * | resume, send again to those who failed | what every letter shows: postal address, link (`requireOfLetters`) |
 * | an occurrence that is due, by the tick or an edit | the postal address, else the mailing pauses (`withoutAddress`) |
 *
 * `of` shows everything, also what only warns. An occurrence of a mailing that was let start without an address is not asked for one. Nothing is asked of what only
 * goes on with a run that was let go, with the content and address it began with: clients who join it, tries again
 * (also of one letter of unknown outcome, by hand), the account's resume.
 */
@Injectable()
export class PreflightService {
  constructor(
    private readonly database: Database,
    private readonly mailings: MailingsService,
    private readonly senders: SendersService,
    private readonly senderCheck: SenderCheck,
    private readonly letterCheck: LetterCheck,
    private readonly proofs: ProofLetters,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Everything that can be found; a mailing that is done is not asked about what could be better. @throws NotFoundError */
  async of(viewer: Viewer, mailingId: number): Promise<Preflight> {
    const mailing = await this.mailings.get(viewer, mailingId);
    const knowing = this.known(this.database, mailing);
    if (mailing.status === 'done') return this.preflightOf(mailing, await knowing, null);
    // DNS and the spam filter are asked at the same time.
    const advising = knowing.then((known) => this.advice(mailing, known));
    const [sender, known, advice] = await Promise.all([this.sender(), knowing, advising]);
    return this.preflightOf(mailing, known, sender, advice);
  }

  /**
   * What is to be said of a mailing before it is saved. The caller has made sure that the viewer may read its owner's
   * clients and the message. Each part that takes longer than `ms` is left out.
   */
  async ofDraft(draft: DraftMailing, ms: number): Promise<DraftCheck> {
    const [recipients, { postalAddress }, { facts }] = await Promise.all([
      draftRecipients(this.database, draft, ms),
      this.senders.shown({ userId: draft.ownerId }, this.database),
      letterOf(this.database, draft),
    ]);
    const { chosen, eligible } = recipients;
    const findings = this.local({ kind: draft.kind, postalAddress, ...facts, chosen, eligible });
    return { ...recipients, findings: findings.map(toldFinding).sort(byLevel) };
  }

  /**
   * What DNS says about the sender, for `require`; asked before a transaction, so that none waits for DNS. Null if the
   * check is off.
   */
  sender(): Promise<SenderFacts | null> {
    return this.senderCheck.facts();
  }

  /**
   * @param override why a manager or admin starts it although something is found; audited
   * @returns whether it then has no postal address
   * @throws ConflictError PREFLIGHT_BLOCKED with the findings, ForbiddenError for an override by a user
   */
  async require(
    tx: Transaction,
    viewer: Viewer,
    mailing: Mailing,
    { sender, override }: { sender: SenderFacts | null; override: string | undefined },
  ): Promise<boolean> {
    const { findings } = this.preflightOf(mailing, await this.known(tx, mailing), sender);
    return letGo(tx, viewer, { type: 'mailing', id: mailing.id }, findings, override);
  }

  /**
   * The same for letters whose content and recipients are decided already.
   * @param letters their address, if they have one of their own; `object` is what the audit log names
   */
  async requireOfLetters(
    tx: Transaction,
    viewer: Viewer,
    letters: { ownerId: number; kind: MailingKind; postalAddress?: string | null; object: AuditObject },
    override: string | undefined,
  ): Promise<boolean> {
    const { ownerId, kind, object } = letters;
    const postalAddress = letters.postalAddress || (await this.senders.shown({ userId: ownerId }, tx)).postalAddress;
    const findings = this.local({ kind, postalAddress, ...FINE, chosen: 0, eligible: 0 }).map(toldFinding);
    return letGo(tx, viewer, object, findings, override);
  }

  /**
   * Of these mailings, which are about to run, those whose letters would have no postal address, but for those that a
   * manager or admin has let start so.
   */
  async withoutAddress(tx: Transaction, mailings: Mailing[]): Promise<Mailing[]> {
    if (this.config.senderAddress !== '') return [];
    const marketing = mailings.filter(({ kind, addressWaived }) => kind === 'marketing' && !addressWaived);
    if (marketing.length === 0) return [];
    const owners = await this.senders.withAddress(
      tx,
      marketing.map(({ ownerId }) => ownerId),
    );
    return marketing.filter(({ ownerId }) => !owners.has(ownerId));
  }

  /** The ids of started mailings that will be paused at their next occurrence, because nobody entered an address. */
  async startedWithoutAddress(): Promise<number[]> {
    if (this.config.senderAddress !== '') return [];
    const started = await this.database.transaction(async (tx) =>
      this.withoutAddress(
        tx,
        await tx.rows<Mailing>(`SELECT * FROM mailings WHERE status = 'started' AND deleted_at IS NULL ORDER BY id`),
      ),
    );
    return started.map(({ id }) => id);
  }

  private async known(sql: Database | Transaction, mailing: Mailing): Promise<Known> {
    return {
      shown: await this.senders.shown({ userId: mailing.ownerId }, sql),
      letter: await letterOf(sql, mailing),
      recipients: await recipientsFacts(sql, mailing),
    };
  }

  private preflightOf(
    { kind }: Mailing,
    { shown: { postalAddress }, letter, recipients }: Known,
    sender: SenderFacts | null,
    advice: Finding[] = [],
  ): Preflight {
    const { chosen, eligible } = recipients;
    const local = this.local({ kind, postalAddress, ...letter.facts, chosen, eligible });
    const findings = [...local, ...this.senderFindings(sender, eligible ?? chosen), ...advice];
    return { findings: findings.map(toldFinding).sort(byLevel), ...recipients };
  }

  /** What could be better; it blocks nothing. */
  private async advice(mailing: Mailing, { shown, letter, recipients }: Known): Promise<Finding[]> {
    if (this.config.preflight === 'off') return [];
    const [content, list, proof] = await Promise.all([
      this.letterCheck.facts(mailing, letter, shown),
      listFacts(this.database, mailing, recipients.chosen),
      this.proofs.summary(),
    ]);
    const last = proof?.provedAt ? { failed: proof.failed.length } : null;
    return [
      ...(content ? letterFindings(content) : []),
      ...(proof ? proofFindings({ last }) : []),
      ...listFindings(list),
    ];
  }

  private senderFindings(sender: SenderFacts | null, recipients: number | null): Finding[] {
    return sender ? senderFindings(sender, this.config.preflight, recipients) : [];
  }

  private local(facts: Omit<LocalFacts, 'publicUrl' | 'production'>): Finding[] {
    const { publicUrl, secureCookies: production } = this.config;
    return localFindings({ ...facts, publicUrl, production });
  }
}

/**
 * Returns if nothing blocks, or if a manager or admin gives a reason and it may be overridden; the reason is audited.
 * @returns whether it was a missing postal address that was overridden
 * @throws ConflictError PREFLIGHT_BLOCKED, ForbiddenError, ValidationError
 */
async function letGo(
  tx: Transaction,
  viewer: Viewer,
  object: AuditObject,
  findings: ToldFinding[],
  override: string | undefined,
): Promise<boolean> {
  const blocking = findings.filter(isBlocking);
  if (blocking.length === 0) return false;
  if (override !== undefined) {
    if (viewer.role === 'user') throw new ForbiddenError('Only managers and admins may override the check.');
    const why = override.trim();
    if (why === '') throw invalid('override', problem('empty'));
    if (why.length > OVERRIDE_MAX) throw invalid('override', problem('too_long', { max: OVERRIDE_MAX }));
    if (blocking.every(mayOverride)) {
      await audit(tx, viewer, 'mailing.override', object, { why });
      return blocking.some(({ code }) => code === 'POSTAL_ADDRESS_MISSING');
    }
  }
  const detail = blocking.map(({ message }) => message).join(' ');
  throw new ConflictError('PREFLIGHT_BLOCKED', detail, { findings });
}
