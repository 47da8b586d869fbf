import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { failpoint } from '../../config/failpoint';
import { Database, isUnavailable, type Transaction } from '../../database/database';
import type { ReturnToken } from '../../domain/bounce-address';
import { decide, type InboundVerdict, unwrap } from '../../domain/inbound-decision';
import { parseMailbox } from '../../domain/mailbox';
import { OF_A_PROOF } from '../../domain/proof';
import { decideReport } from '../../domain/provider-verdict';
import { isProvider, type ProviderName } from '../../domain/providers/provider';
import { PROVIDERS } from '../../domain/providers/providers';
import { LinkKeys } from '../consent/link-keys.service';
import { Outages } from '../consent/outages.service';
import { ReturnAddresses } from '../consent/return-addresses';
import { storable } from '../../domain/storable';
import { UnsubscribeService } from '../runs/unsubscribe.service';
import { carryOut } from './effects';
import { eraseJudged } from './erasure';
import { matchLetter, type OwnLetter } from './match';
import { matchReport } from './match-report';
import { noteProof } from './proof-return';

interface Waiting {
  id: number;
  receivedAt: Date;
  envelopeFrom: string;
  envelopeTo: string;
  raw: Buffer;
  /** The way by which it came in. */
  source: string;
  /** What it was before, if it is judged anew. */
  kind: string | null;
  deliveryId: number | null;
}

/** What came of a letter. */
export interface Judged {
  verdict: InboundVerdict;
  /** Of the letter of ours that it is about. */
  mailingId: number | null;
}

/** What a letter is, and which one of ours it is about. */
interface Decision {
  verdict: InboundVerdict;
  own: OwnLetter | null;
  isMatched: boolean;
  proofId?: number;
}

/** Judging one that fails so often is given up, until somebody asks for it. */
export const FAILURES_MAX = 5;

/**
 * Why a letter is not judged: it `failed` with an error, which is logged, or the process was `interrupted`; it is tried
 * again, unless it was `given_up`.
 */
export const inboundProblems = ['failed', 'interrupted', 'given_up'] as const;
export type InboundProblem = (typeof inboundProblems)[number];

const BEGIN = `UPDATE inbound_letters SET failures = failures + 1,
         problem = coalesce(problem, CASE WHEN failures > 0 THEN 'interrupted' END)
   WHERE id = $1 AND judged_at IS NULL AND failures < ${FAILURES_MAX}
  RETURNING id, received_at, source, envelope_from, envelope_to, raw, kind, delivery_id`;

/** Judges letters that came in: reads them, finds the letter of ours, decides, and carries out what follows. */
@Injectable()
export class InboundJudge {
  private readonly mailFrom: string;

  constructor(
    private readonly database: Database,
    private readonly keys: LinkKeys,
    private readonly returns: ReturnAddresses,
    private readonly unsubscribes: UnsubscribeService,
    private readonly outages: Outages,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {
    this.mailFrom = parseMailbox(config.mailFrom)?.address ?? '';
  }

  /**
   * Judges one letter, once: its verdict and all that follows from it are one transaction. Harmless to repeat.
   * @returns null if it was judged already, or is gone
   * @throws only what makes Postgres unavailable; any other failure is noted with the letter, which is tried again
   */
  async judge(id: number): Promise<Judged | null> {
    try {
      return await this.judgeOnce(id);
    } catch (error) {
      if (isUnavailable(error)) {
        await this.database
          .affected('UPDATE inbound_letters SET failures = greatest(failures - 1, 0) WHERE id = $1', [id])
          .catch(() => undefined);
        throw error;
      }
      await this.database.affected(`UPDATE inbound_letters SET problem = 'failed' WHERE id = $1`, [id]);
      this.logger.warn({ event: 'inbound.failed', inboundId: id, err: error }, 'An incoming letter was not judged');
      return null;
    }
  }

  /** Counts the try before it is made, so that a letter which ends the process is given up some time, too. */
  private begin(id: number): Promise<Waiting | undefined> {
    return this.database.first<Waiting>(BEGIN, [id]);
  }

  private async judgeOnce(id: number): Promise<Judged | null> {
    const letter = await this.begin(id);
    if (!letter) return null;
    const { verdict, own, proofId } = await this.decide(letter);
    const isKnown = letter.kind === verdict.kind && letter.deliveryId === (verdict.match?.deliveryId ?? null);
    // In transactions of its own, which are harmless to repeat; it must be done before the letter counts as judged.
    if (verdict.kind === 'unsubscribe' && own && !isKnown)
      await this.unsubscribes.leaveByMail(own.deliveryId, isProvider(letter.source) ? 'inbound' : 'mailto');
    failpoint('inbound-decided');
    const isMine = await this.database.transaction(async (tx) => {
      // It may have been erased meanwhile; erasing takes the delivery first, too.
      const email = own ? await emailNow(tx, own.deliveryId) : null;
      const isWaiting = await tx.first(
        'SELECT id FROM inbound_letters WHERE id = $1 AND judged_at IS NULL FOR UPDATE',
        [id],
      );
      if (!isWaiting) return false;
      const isErased = own !== null && email === null;
      if (isErased) await eraseJudged(tx, id);
      else await note(tx, id, verdict, own);
      if (proofId !== undefined) await noteProof(tx, this.config, proofId, letter);
      if (own && !isKnown) {
        const said = isErased ? { ...verdict, address: null, reply: null } : verdict;
        await carryOut(tx, { verdict: said, own, email, inboundId: id, receivedAt: letter.receivedAt });
      }
      return true;
    });
    if (!isMine) return null;
    if (verdict.kind === 'hard') await this.outages.note();
    return { verdict, mailingId: own?.mailingId ?? null };
  }

  /**
   * What a letter is; changes nothing. `isMatched`: the letter of ours is known, whether or not it counts for that;
   * `proofId`: it is a proof letter that came back.
   */
  async decide(
    letter: Pick<Waiting, 'source' | 'envelopeFrom' | 'envelopeTo' | 'raw' | 'receivedAt'>,
  ): Promise<Decision> {
    if (isProvider(letter.source)) return this.decideReport(letter.source, letter);
    const token = await this.returns.read(letter.envelopeTo);
    if (token?.kind === 'proof') return { verdict: OF_A_PROOF, own: null, isMatched: true, proofId: token.proofId };
    const letters = await unwrap(letter.raw);
    const own = await matchLetter(this.database, this.keys, letters, token);
    const envelope = {
      from: letter.envelopeFrom,
      to: letter.envelopeTo,
      toKind: token?.kind ?? null,
      isFeedbackAddress: this.returns.isFeedback(letter.envelopeTo),
      sender: await this.senderOf(letter.envelopeTo, token, own),
    };
    const verdict = decide(letters, envelope, own);
    return { verdict, own: verdict.match === null ? null : own, isMatched: own !== null };
  }

  private async decideReport(
    provider: ProviderName,
    { raw, receivedAt }: Pick<Waiting, 'raw' | 'receivedAt'>,
  ): Promise<Decision> {
    const report = PROVIDERS[provider].report(JSON.parse(raw.toString()));
    if (!report) throw new Error('a report that was kept is none');
    const own = await matchReport(this.database, this.returns, report, receivedAt);
    const verdict = decideReport(report, own, await this.senderOf('', null, own));
    return { verdict, own: verdict.match === null ? null : own, isMatched: own !== null };
  }

  /** The envelope sender of a letter of ours: what refused it may name that address. */
  private async senderOf(to: string, token: ReturnToken | null, own: OwnLetter | null): Promise<string> {
    if (token?.kind === 'bounce') return to;
    const pairOf = own && (await this.returns.writer());
    return pairOf ? pairOf(own.deliveryId).bounce : this.mailFrom;
  }
}

/** @returns null if the person was erased */
async function emailNow(tx: Transaction, deliveryId: number): Promise<string | null> {
  const row = await tx.first<{ email: string }>('SELECT email FROM deliveries WHERE id = $1 FOR SHARE', [deliveryId]);
  return row?.email.includes('@') ? row.email : null;
}

const note = (tx: Transaction, id: number, verdict: InboundVerdict, own: OwnLetter | null) =>
  tx.affected(
    `UPDATE inbound_letters SET judged_at = app_now(), failures = 0, problem = NULL, kind = $2, reason = $3, basis = $4,
            address = $5, enhanced_code = $6, reply = $7, blame = $8, match_by = $9, delivery_id = $10, owner_id = $11
      WHERE id = $1`,
    [
      id,
      verdict.kind,
      verdict.reason,
      verdict.basis,
      storable(verdict.address),
      storable(verdict.enhancedCode),
      storable(verdict.reply),
      verdict.blame,
      own?.by ?? null,
      own?.deliveryId ?? null,
      own?.ownerId ?? null,
    ],
  );
