import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Sql } from '../../database/database';
import { listPage, newestFirst, type View, viewWhere } from '../../database/list';
import { NotFoundError } from '../../domain/errors';
import type { InboundBasis, InboundKind, InboundReason, InboundVerdict, MatchWay } from '../../domain/inbound-decision';
import type { Page, PageRequest } from '../../domain/paging';
import { isProvider, type ProviderName, providerNames } from '../../domain/providers/provider';
import { readableOwner, requireMay, type Viewer } from '../../domain/permissions';
import { decoded, header, headersOf, INBOUND_KEPT_BYTES, readLetter } from '../../domain/read-letter';
import { audit } from '../audit/audit';
import { storable } from '../../domain/storable';
import { forgetHealth } from '../consent/address-health';
import { FAILURES_MAX, type InboundProblem } from './inbound-judge.service';
import { InboundJobs } from './inbound-jobs.service';
import { forgetNonces } from './webhook-nonces';
import { waitingProofs } from './proof-letter';

/** How a letter came in, or which mail provider reported. */
export const inboundSources = ['api', 'pipe', 'listener', 'mailbox', ...providerNames] as const;
export type InboundSource = (typeof inboundSources)[number];

/** What a mail provider reported, as it is kept. */
export interface NewReport {
  /** The same for a report that comes in again, and for no other. */
  digest: Buffer;
  /** At most `INBOUND_KEPT_BYTES` of JSON. */
  raw: Buffer;
  subject: string;
}

/** A letter that came in, and what it is. */
export interface InboundView {
  id: number;
  receivedAt: Date;
  source: InboundSource;
  /** Empty: the null sender. */
  envelopeFrom: string;
  envelopeTo: string;
  subject: string;
  /** In bytes. */
  size: number;
  /** Null: it was not judged yet, or is to be judged anew. */
  judgedAt: Date | null;
  /** Why it is not judged yet, if something went wrong. */
  problem: InboundProblem | null;
  kind: InboundKind | null;
  reason: InboundReason | null;
  basis: InboundBasis | null;
  address: string | null;
  enhancedCode: string | null;
  reply: string | null;
  blame: InboundVerdict['blame'];
  matchBy: MatchWay | null;
  deliveryId: number | null;
  ownerId: number | null;
}

/** For those who download it. */
export interface InboundFile {
  raw: Buffer;
  type: string;
  name: string;
}

export interface InboundContent {
  /** Empty: what a provider reports has none. */
  headers: string;
  text: string;
}

export interface InboundQuery extends PageRequest {
  kind?: InboundKind;
}

const VIEW: View = {
  select: `l.id, l.received_at, l.source, l.envelope_from, l.envelope_to, l.subject, l.size, l.judged_at,
    CASE WHEN l.problem IS NOT NULL AND l.failures >= ${FAILURES_MAX} THEN 'given_up' ELSE l.problem END AS problem,
    l.kind, l.reason, l.basis, l.address, l.enhanced_code, l.reply, l.blame, l.match_by, l.delivery_id, l.owner_id`,
  from: 'inbound_letters l',
};
/** SQL: what the viewer $1 may see: a user only what is about their letters. */
const VISIBLE = '($1::bigint IS NULL OR l.owner_id = $1)';

const SUBJECT_MAX = 300;
/** So many characters of a letter are shown. */
const SHOWN = 20_000;
const ENVELOPE_MAX = 320;

/** The letters that come in: kept first, judged afterwards. */
@Injectable()
export class InboundLetters {
  constructor(
    private readonly database: Database,
    private readonly jobs: InboundJobs,
    @Inject(CONFIG) private readonly config: Pick<Config, 'inboundKeepDays'>,
  ) {}

  /**
   * Keeps a letter; it is committed when this returns, and judged soon. One that comes in again is the same.
   * @param raw at most `INBOUND_MAX_BYTES`; what exceeds `INBOUND_KEPT_BYTES` is not kept
   */
  async take(source: InboundSource, envelope: { from: string; to: string }, raw: Buffer): Promise<number> {
    const kept = await this.keep(this.database, source, envelope, raw);
    if (kept.isNew) await this.announce([kept.id]);
    return kept.id;
  }

  /** Has letters judged that were kept, and are committed. */
  announce(ids: number[]): Promise<void> {
    return this.jobs.add(ids.map((id) => ({ id, failures: 0 })));
  }

  /**
   * Keeps a letter in somebody's transaction, after which it is to be announced if it is new.
   * @param size of the whole letter, if `raw` is not all of it
   */
  async keep(
    sql: Sql,
    source: InboundSource,
    envelope: { from: string; to: string },
    raw: Buffer,
    size = raw.length,
  ): Promise<{ id: number; isNew: boolean }> {
    const [from, to] = [envelope.from, envelope.to].map((address) => bare(address).slice(0, ENVELOPE_MAX));
    const digest = createHash('sha256').update(`${to?.toLowerCase()}\0`).update(raw).digest();
    const kept = raw.subarray(0, INBOUND_KEPT_BYTES);
    const subject = header({ headers: headersOf(decoded(kept.subarray(0, 64 * 1024))) }, 'subject');
    const params = [source, from, to, digest, kept, size, storable(subject).slice(0, SUBJECT_MAX)];
    const row = await sql.first<{ id: number; isNew: boolean }>(
      `WITH added AS (
         INSERT INTO inbound_letters (source, envelope_from, envelope_to, digest, raw, size, subject)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (digest) DO NOTHING RETURNING id)
       SELECT id, true AS is_new FROM added
       UNION ALL SELECT id, false FROM inbound_letters WHERE digest = $4 LIMIT 1`,
      params,
    );
    // The same letter was committed by somebody else while this statement ran, which therefore does not see it.
    const found =
      row ??
      (await sql.first<{ id: number; isNew: boolean }>(
        'SELECT id, false AS is_new FROM inbound_letters WHERE digest = $1',
        [digest],
      ));
    if (!found) throw new Error('a letter that was kept is gone');
    return found;
  }

  /**
   * Keeps reports of a mail provider, all or none; they are committed when this returns, and judged soon. One that comes
   * in again is the same.
   */
  async takeReports(source: ProviderName, reports: readonly NewReport[]): Promise<void> {
    if (reports.length === 0) return;
    // In one order, so that two batches with the same reports do not wait for each other.
    const added = await this.database.rows<{ id: number }>(
      `INSERT INTO inbound_letters (source, envelope_from, envelope_to, digest, raw, size, subject)
       SELECT $1, '', '', r.digest, r.raw, octet_length(r.raw), r.subject
         FROM unnest($2::bytea[], $3::bytea[], $4::text[]) AS r(digest, raw, subject) ORDER BY r.digest
       ON CONFLICT (digest) DO NOTHING RETURNING id`,
      [
        source,
        reports.map(({ digest }) => digest),
        reports.map(({ raw }) => raw),
        reports.map(({ subject }) => storable(subject).slice(0, SUBJECT_MAX)),
      ],
    );
    await this.jobs.add(added.map(({ id }) => ({ id, failures: 0 })));
  }

  /** Newest first. */
  list(viewer: Viewer, query: InboundQuery): Promise<Page<InboundView>> {
    const where = `${VISIBLE} AND ($2::text IS NULL OR l.kind = $2)`;
    const params = [readableOwner(viewer), query.kind ?? null];
    return listPage<InboundView>(this.database, { ...VIEW, where, params, ...newestFirst('l.id') }, query);
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<InboundView> {
    const found = await this.database.first<InboundView>(viewWhere(VIEW, `${VISIBLE} AND l.id = $2`), [
      readableOwner(viewer),
      id,
    ]);
    if (!found) throw new NotFoundError('Letter', id);
    return found;
  }

  /** The letter as it came, or what a provider reported. @throws NotFoundError */
  async raw(viewer: Viewer, id: number): Promise<InboundFile> {
    const found = await this.database.first<{ raw: Buffer; source: InboundSource }>(
      `SELECT l.raw, l.source FROM inbound_letters l WHERE ${VISIBLE} AND l.id = $2`,
      [readableOwner(viewer), id],
    );
    if (!found) throw new NotFoundError('Letter', id);
    const [type, extension] = isProvider(found.source) ? ['application/json', 'json'] : ['message/rfc822', 'eml'];
    return { raw: found.raw, type, name: `letter-${id}.${extension}` };
  }

  /** What people read of it: its header as it came, and its text. @throws NotFoundError */
  async content(viewer: Viewer, id: number): Promise<InboundContent> {
    const { raw, type } = await this.raw(viewer, id);
    if (type === 'application/json')
      return { headers: '', text: JSON.stringify(JSON.parse(raw.toString()), null, 2).slice(0, SHOWN) };
    const { text } = await readLetter(raw);
    const whole = decoded(raw);
    const end = /\r?\n\r?\n/.exec(whole)?.index ?? whole.length;
    return { headers: whole.slice(0, Math.min(end, SHOWN)), text: text.slice(0, SHOWN) };
  }

  /** Has it judged anew, as after an update of the rules. What it led to before stays. @throws NotFoundError */
  async judgeAnew(viewer: Viewer, id: number): Promise<InboundView> {
    requireMay(viewer, 'inbound.judge');
    await this.database.transaction(async (tx) => {
      const asked = await tx.affected(
        `UPDATE inbound_letters l SET judged_at = NULL, failures = 0, problem = NULL WHERE ${VISIBLE} AND l.id = $2`,
        [readableOwner(viewer), id],
      );
      if (asked === 0) throw new NotFoundError('Letter', id);
      await audit(tx, viewer, 'inbound.judge', { type: 'inbound', id });
    });
    await this.jobs.add([{ id, failures: 0 }], true);
    return this.get(viewer, id);
  }

  /** For the sweeper: adds jobs that were lost, and deletes letters and what is known of addresses when they are too old. */
  async sweep(): Promise<void> {
    await this.jobs.add(
      await this.database.rows<{ id: number; failures: number }>(
        `SELECT id, failures FROM inbound_letters WHERE judged_at IS NULL AND failures < ${FAILURES_MAX}
          ORDER BY id LIMIT 5000`,
      ),
    );
    await this.database.affected(
      `DELETE FROM inbound_letters WHERE id IN (SELECT id FROM inbound_letters
        WHERE received_at < app_now() - $1 * interval '1 day' ORDER BY received_at LIMIT 2000)`,
      [this.config.inboundKeepDays],
    );
    await forgetHealth(this.database);
    await forgetNonces(this.database);
    await this.jobs.addProofs(await waitingProofs(this.database));
  }
}

const bare = (address: string): string => storable(address.trim().replace(/^<|>$/g, ''));
