import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { untilAnswered } from '../../database/wait';
import { type Attached, attachedBoundary } from '../../domain/attached';
import { prepareLetter } from '../../domain/compose';
import { DomainError } from '../../domain/errors';
import { composeSigned, type Identity } from '../../domain/identity';
import { boundaryOf, letterDigest, messageIdOf } from '../../domain/message-id';
import { nextDelayMs } from '../../domain/retry-policy';
import { classify, type TransmitResult, type Verdict } from '../../domain/smtp-outcome';
import type { RenderedContent } from '../../domain/template';
import type { Envelope } from '../../smtp/letter-transaction';
import { SmtpPool } from '../../smtp/smtp-pool';
import { loadAttached, type StoredAttachment } from '../../storage/load-attached';
import { StoredObjects } from '../../storage/stored-objects';
import { type Language, type NoticeKind, noticeText, type TextNoticeKind } from './notice-texts';
import { type InviteNotice, inviteNotice } from './invite-notice';
import { type SignupNotice, signupNotice } from './signup-notices';
import { issueToken, TOKEN_LIFE_MS, type TokenNoticeKind } from './notice-tokens';

interface ClaimedNotice {
  id: number;
  kind: NoticeKind;
  email: string;
  attempts: number;
  fullName: string;
  language: Language;
  noticeKey: string;
  /** When it was claimed: the date of this try, by the database's clock. */
  claimedAt: Date;
  payload: Partial<RenderedContent> & { language?: Language; messageId?: number } & Partial<
      SignupNotice & InviteNotice
    >;
}

/** Where the links of notices lead; `?token=` follows. */
export const NOTICE_PATHS: Record<TokenNoticeKind, string> & { signIn: string } = {
  confirm: '/confirm',
  reset: '/reset',
  change_email: '/confirm-email',
  signup: '/f/confirm',
  invite: '/invitation',
  signIn: '/sign-in',
};

/** Sends a notice: claim, make its token, compose, transmit, record. */
@Injectable()
export class NoticeSender {
  constructor(
    private readonly database: Database,
    private readonly pool: SmtpPool,
    private readonly objects: StoredObjects,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * The result of the try, or null if there was nothing to send: another worker has the notice, or it is done or
   * withdrawn.
   */
  async send(noticeId: number, identity: Identity): Promise<{ result: TransmitResult; verdict: Verdict } | null> {
    const notice = await this.claim(noticeId);
    if (!notice) return null;
    const content = await this.content(notice);
    if (!content) return null;
    const envelope = { from: identity.from.address, to: notice.email };
    const result = await this.transmit(notice, content, identity, envelope);
    const verdict = classify(result, envelope);
    await untilAnswered(() => this.record(notice, result, verdict));
    return { result, verdict };
  }

  private async transmit(
    notice: ClaimedNotice,
    content: RenderedContent,
    identity: Identity,
    envelope: Envelope,
  ): Promise<TransmitResult> {
    let attached: Attached | DomainError | undefined;
    try {
      attached = await this.attachedTo(notice);
    } catch (error) {
      // It waits, which counts as no try: whatever is away comes back.
      return { kind: 'withheld', phase: 'connect', text: (error as Error).message };
    }
    const raw = this.compose(notice, content, identity, attached);
    const tail = attached instanceof DomainError ? undefined : attached?.tail;
    return this.pool.transmit({ ...envelope, raw, tail, first: true });
  }

  private claim(noticeId: number): Promise<ClaimedNotice | undefined> {
    return this.database.first<ClaimedNotice>(
      `UPDATE notices n SET status = 'sending', attempts = attempts + 1, claimed_at = now() FROM users u
        WHERE n.id = $1 AND n.status = 'pending' AND n.next_attempt_at <= now() AND u.id = n.user_id
        RETURNING n.id, n.kind, n.email, n.attempts, n.payload, n.notice_key, n.claimed_at, u.language,
                  CASE WHEN lower(u.email) = lower(n.email) THEN u.full_name ELSE '' END AS full_name`,
      [noticeId],
    );
  }

  private async content(notice: ClaimedNotice): Promise<RenderedContent | null> {
    const { kind, payload } = notice;
    if (kind === 'test') {
      const { subject = '', html = '', text = '' } = payload;
      return { subject, html, text };
    }
    const { publicUrl } = this.config;
    const base = publicUrl.replace(/\/+$/, '');
    const language = payload.language ?? notice.language;
    if (!(kind in TOKEN_LIFE_MS)) return noticeText(kind as TextNoticeKind, language, `${base}${NOTICE_PATHS.signIn}`);
    const proves = kind as TokenNoticeKind;
    const token = await issueToken(this.database, notice.id, proves);
    if (token === null) return null;
    const link = `${base}${NOTICE_PATHS[proves]}?token=${token}`;
    if (kind === 'signup') return signupNotice(payload as SignupNotice, link);
    if (kind === 'invite') return inviteNotice(payload as InviteNotice, link);
    return noticeText(kind, language, link);
  }

  /** What a test letter carries: what its message carries now. */
  private async attachedTo({ noticeKey, payload }: ClaimedNotice): Promise<Attached | DomainError | undefined> {
    const { messageId } = payload;
    if (messageId === undefined) return undefined;
    const stored = await this.database.rows<StoredAttachment>(
      `SELECT a.name, a.type, f.key FROM message_attachments a JOIN attachment_files f USING (hash)
        WHERE a.message_id = $1 ORDER BY a.id`,
      [messageId],
    );
    return loadAttached(this.objects, stored, attachedBoundary(noticeKey, this.config.secretKey));
  }

  /** Message-ID and boundary are the same on every try; the date is that of the try. */
  private compose(
    notice: ClaimedNotice,
    content: RenderedContent,
    identity: Identity,
    attached?: Attached | DomainError,
  ) {
    if (attached instanceof DomainError)
      return () => {
        throw attached;
      };
    const { from, domain } = identity;
    const { id, noticeKey: runKey, claimedAt: date } = notice;
    const digest = letterDigest({ runKey, runId: 0, clientId: id, deliveryId: id }, this.config.secretKey);
    const prepared = prepareLetter({ from, content: { render: () => content }, autoSubmitted: true, attached });
    return ({ eightBitMime }: { eightBitMime: boolean }): Buffer =>
      composeSigned(identity, prepared, {
        data: {
          client: { fullName: notice.fullName, email: notice.email, comment: '' },
          mailing: { name: '' },
          sender: { name: from.name, email: from.address },
          date: date.toISOString(),
        },
        messageId: messageIdOf(digest, domain),
        boundary: boundaryOf(digest),
        date,
        eightBitMime,
      });
  }

  /**
   * A final answer ends the notice; anything else is tried again, also after a lost reply: a second copy of a notice
   * does no harm. A notice that was withdrawn meanwhile is not tried again.
   */
  private async record(notice: ClaimedNotice, result: TransmitResult, verdict: Verdict): Promise<void> {
    const policy = nextDelayMs({
      tries: notice.attempts,
      delaysMs: this.config.retryDelaysMs,
      random01: Math.random(),
    });
    const sent = verdict.delivery === 'sent';
    const forGood = verdict.delivery === 'failed' || policy === null;
    // Trouble with the account is no try of the notice.
    const uncounted = verdict.delivery === 'pending' && (verdict.attempt === 'none' || verdict.scope === 'account');
    const status = sent ? 'sent' : forGood && !uncounted ? 'failed' : 'pending';
    const response = 'reply' in result ? result.reply.text : 'error' in result ? result.error : result.text;
    await this.database.affected(
      `UPDATE notices SET status = $2, outcome = $3, last_response = $4, claimed_at = NULL,
              attempts = attempts - $5::int,
              next_attempt_at = CASE WHEN $2 = 'pending' THEN now() + $6 * interval '1 millisecond' END,
              finished_at = CASE WHEN $2 <> 'pending' THEN now() END
        WHERE id = $1 AND (status = 'sending' OR $2 <> 'pending')`,
      [
        notice.id,
        status,
        sent ? 'sent' : verdict.reason,
        response.slice(0, 1_000),
        uncounted ? 1 : 0,
        uncounted ? this.config.breakerDelaysMs[0] : policy,
      ],
    );
  }
}
