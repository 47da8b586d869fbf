import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { within } from '../../database/bounded';
import { Database, type Sql, type Transaction } from '../../database/database';
import { ConflictError, ForbiddenError, invalid, type ToldFinding, ValidationError } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { findingTexts, isBlocking, mayOverride, preflight, type PreflightFacts } from '../../domain/preflight';
import { problem } from '../../domain/problems';
import type { ExclusionReason } from '../../domain/codes';
import type { Language } from '../../domain/language';
import type { MailingKind } from '../../domain/suppression';
import { fieldsOf } from '../clients/field-definitions';
import { compileContent, type ContentSource } from '../../domain/template';
import { type Addressed, chosenBy, containsSql, countMembers, letInSql } from '../audiences/members';
import { audienceOf, isCounted } from '../audiences/audiences';
import { audit, type AuditObject } from '../audit/audit';
import { applies, GRAVEST_FIRST, whySuppressed } from '../consent/suppression-sql';
import { SendersService } from '../consent/senders.service';
import type { Mailing } from '../mailings/mailing.entity';
import { MailingsService } from '../mailings/mailings.service';
import { recipientsOf } from '../runs/allowance';

/** What a mailing's check before its start says: what is wrong, and who gets its letters. */
export interface Preflight {
  findings: ToldFinding[];
  /** Null if it takes too long to count them. */
  chosen: number | null;
  eligible: number | null;
  excluded: Partial<Record<ExclusionReason, number>>;
}

/** A mailing that is being made, as far as it says what goes to whom. */
export type DraftMailing = Addressed & {
  kind: MailingKind;
  language: Language;
  /** Null until one is chosen. */
  messageId: number | null;
  /** Clients who are about to be selected, beside those who are. */
  clientIds: number[];
};

/** The same of a mailing that is being made, with the first of those who get it. */
export interface DraftCheck extends Preflight {
  first: { email: string; fullName: string }[];
}

/** SQL: whether `c` is a member. Pushes its parameters. */
type MembersIn = (params: unknown[]) => string;

const FIRST = 5;

const OVERRIDE_MAX = 500;
/** How long each part of the audience may be counted. */
const COUNT_MS = 3_000;

/**
 * The check before letters go out. REST, the pages and the command line pass it alike:
 *
 * | What makes letters go out | What is asked |
 * |---|---|
 * | start, send now | everything (`require`) |
 * | resume, send again to those who failed | what every letter shows: postal address, link (`requireOfLetters`) |
 * | an occurrence that is due, by the tick or an edit | the postal address, else the mailing pauses (`withoutAddress`) |
 *
 * An occurrence of a mailing that was let start without an address is not asked for one. Nothing is asked of what only
 * goes on with a run that was let go, with the content and address it began with: clients who join it, tries again
 * (also of one letter of unknown outcome, by hand), the account's resume.
 */
@Injectable()
export class PreflightService {
  constructor(
    private readonly database: Database,
    private readonly mailings: MailingsService,
    private readonly senders: SendersService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws NotFoundError */
  async of(viewer: Viewer, mailingId: number): Promise<Preflight> {
    return this.check(this.database, await this.mailings.get(viewer, mailingId));
  }

  /**
   * What is to be said of a mailing before it is saved. The caller has made sure that the viewer may read its owner's
   * clients and the message. Each part that takes longer than `ms` is left out.
   */
  async ofDraft(draft: DraftMailing, ms: number): Promise<DraftCheck> {
    const { kind, clientIds } = draft;
    const chosenIn = await chosenBy(this.database, draft);
    const membersIn: MembersIn = (params) =>
      clientIds.length === 0
        ? containsSql(chosenIn, params)
        : `(${audienceOf(draft).contains} OR c.id = ANY($${params.push(clientIds)}::bigint[]))
           AND ${letInSql(chosenIn, params)}`;
    const [chosen, found, first, sender] = await Promise.all([
      this.countDraft(draft, membersIn, ms),
      excludedOf(this.database, draft, { ms, membersIn }),
      this.firstOf(draft, membersIn, ms),
      this.senders.shown({ userId: draft.ownerId }, this.database),
    ]);
    const excluded = found ?? {};
    const left = Object.values(excluded).reduce((sum, n) => sum + n, 0);
    const eligible = chosen === null || found === null ? null : Math.max(0, chosen - left);
    const findings = this.find({
      kind,
      postalAddress: sender.postalAddress,
      templateProblem: await templateProblem(this.database, draft),
      chosen,
      eligible,
    });
    return { findings, chosen, eligible, excluded, first };
  }

  private async countDraft(draft: DraftMailing, membersIn: MembersIn, ms: number): Promise<number | null> {
    if (isCounted(draft) && audienceOf(draft).grows) {
      const row = await this.database.first<{ n: number }>(
        'SELECT coalesce((SELECT clients FROM client_totals WHERE owner_id = $1), 0)::bigint AS n',
        [draft.ownerId],
      );
      return row?.n ?? 0;
    }
    const params: unknown[] = [draft.id, draft.ownerId];
    const inside = membersIn(params);
    const counted = await within(this.database, ms, (sql) =>
      sql.first<{ n: number }>(
        `SELECT count(*) AS n FROM clients c WHERE $1::bigint IS NOT NULL AND c.owner_id = $2 AND ${inside}`,
        params,
      ),
    );
    return counted && (counted.value?.n ?? 0);
  }

  private async firstOf(draft: DraftMailing, membersIn: MembersIn, ms: number): Promise<DraftCheck['first']> {
    const params: unknown[] = [draft.id, draft.ownerId, draft.kind === 'transactional'];
    const inside = membersIn(params);
    const of = { email: 'c.email', owner: '$2', mailing: '$1', transactional: '$3' };
    const found = await within(this.database, ms, (sql) =>
      sql.rows<DraftCheck['first'][number]>(
        `SELECT c.email, c.full_name FROM clients c, ${whySuppressed(of)}
          WHERE c.owner_id = $2 AND ${inside} AND c.unconfirmed_since IS NULL AND why.reason IS NULL
          ORDER BY c.id LIMIT ${FIRST}`,
        params,
      ),
    );
    return found?.value ?? [];
  }

  /**
   * @param override why a manager or admin starts it although something is found; audited
   * @returns whether it then has no postal address
   * @throws ConflictError PREFLIGHT_BLOCKED with the findings, ForbiddenError for an override by a user
   */
  async require(tx: Transaction, viewer: Viewer, mailing: Mailing, override: string | undefined): Promise<boolean> {
    const { findings } = await this.check(tx, mailing);
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
    const address = letters.postalAddress || (await this.senders.shown({ userId: ownerId }, tx)).postalAddress;
    const findings = this.find({ kind, postalAddress: address, templateProblem: null, chosen: 0, eligible: 0 });
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

  private async check(sql: Database | Transaction, mailing: Mailing): Promise<Preflight> {
    const { postalAddress } = await this.senders.shown({ userId: mailing.ownerId }, sql);
    const chosen = isCounted(mailing)
      ? ((await recipientsOf(sql, [mailing.id])).get(mailing.id) ?? 0)
      : await countMembers(sql, mailing, COUNT_MS);
    const found = await excludedOf(sql, mailing);
    const excluded = found ?? {};
    const left = Object.values(excluded).reduce((sum, n) => sum + n, 0);
    const eligible = chosen === null || found === null ? null : Math.max(0, chosen - left);
    const { kind } = mailing;
    const findings = this.find({
      kind,
      postalAddress,
      templateProblem: await templateProblem(sql, mailing),
      chosen,
      eligible,
    });
    return { findings, chosen, eligible, excluded };
  }

  private find(facts: Omit<PreflightFacts, 'publicUrl' | 'production'>): ToldFinding[] {
    const { publicUrl, secureCookies: production } = this.config;
    const findings = preflight({ ...facts, publicUrl, production });
    return findings.map((finding) => ({ ...finding, message: findingTexts[finding.code](finding.values) }));
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

async function templateProblem(
  sql: Sql,
  { messageId, ownerId, kind, language }: Pick<Mailing, 'messageId' | 'ownerId' | 'kind' | 'language'>,
): Promise<string | null> {
  const source = await sql.first<ContentSource>('SELECT subject, body, body_text FROM messages WHERE id = $1', [
    messageId,
  ]);
  if (!source) return null;
  const keys = (await fieldsOf(sql, ownerId)).map(({ key }) => key);
  const compiled = compileContent(source, kind === 'marketing' ? language : undefined, keys);
  return compiled.ok ? null : new ValidationError(compiled.errors).message;
}

/**
 * How many of a mailing's recipients get nothing, by reason; null if that takes too long. It begins at the suppressions,
 * which are few beside the clients: each finds its client by an index. Those who have not confirmed their address have
 * an index of their own.
 */
async function excludedOf(
  sql: Database | Transaction,
  mailing: Addressed & Pick<Mailing, 'kind'>,
  { ms = COUNT_MS, membersIn }: { ms?: number; membersIn?: MembersIn } = {},
): Promise<Preflight['excluded'] | null> {
  const params: unknown[] = [mailing.id, mailing.ownerId, mailing.kind === 'transactional'];
  const isMember = membersIn ? membersIn(params) : containsSql(await chosenBy(sql, mailing), params);
  const found = await within(sql, ms, (bounded) =>
    bounded.rows<{ reason: ExclusionReason; n: number }>(
      `SELECT reason, count(*) AS n FROM (
         SELECT DISTINCT ON (c.id) s.reason FROM suppressions s
           JOIN clients c ON c.owner_id = $2 AND lower(c.email) = s.email_key
          WHERE ${applies({ owner: '$2', mailing: '$1', transactional: '$3' })} AND ${isMember}
            AND c.unconfirmed_since IS NULL
          ORDER BY c.id, ${GRAVEST_FIRST}) suppressed
        GROUP BY reason
        UNION ALL SELECT 'unconfirmed', count(*) FROM clients c
         WHERE c.owner_id = $2 AND c.unconfirmed_since IS NOT NULL AND ${isMember} HAVING count(*) > 0`,
      params,
    ),
  );
  return found && Object.fromEntries(found.value.map(({ reason, n }) => [reason, n]));
}
