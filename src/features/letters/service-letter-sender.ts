import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { untilAnswered } from '../../database/wait';
import { prepareLetter } from '../../domain/compose';
import { composeSigned, type Identity } from '../../domain/identity';
import { boundaryOf, letterDigest, messageIdOf } from '../../domain/message-id';
import { nextDelayMs } from '../../domain/retry-policy';
import { classify, type TransmitResult, type Verdict } from '../../domain/smtp-outcome';
import type { RenderedContent } from '../../domain/template';
import { SmtpPool } from '../../smtp/smtp-pool';
import { type Language, letterText, type TextLetterKind } from './letter-texts';
import { issueToken, TOKEN_LIFE_MS, type TokenLetterKind } from './letter-tokens';

interface ClaimedLetter {
  id: number;
  kind: TextLetterKind | 'test';
  email: string;
  attempts: number;
  fullName: string;
  language: Language;
  letterKey: string;
  /** When it was claimed: the date of this try, by the database's clock. */
  claimedAt: Date;
  payload: Partial<RenderedContent> & { language?: Language };
}

/** Where the links of letters lead; `?token=` follows. */
export const LETTER_PATHS: Record<TokenLetterKind, string> & { signIn: string } = {
  confirm: '/confirm',
  reset: '/reset',
  change_email: '/confirm-email',
  signIn: '/sign-in',
};

/** Sends one of the service's own letters: claim, make its token, compose, transmit, record. */
@Injectable()
export class ServiceLetterSender {
  constructor(
    private readonly database: Database,
    private readonly pool: SmtpPool,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** What the server said, or null if there was nothing to send: somebody else has it, or it is done or withdrawn. */
  async send(letterId: number, identity: Identity): Promise<{ result: TransmitResult; verdict: Verdict } | null> {
    const letter = await this.claim(letterId);
    if (!letter) return null;
    const content = await this.content(letter);
    if (!content) return null;
    const raw = this.compose(letter, content, identity);
    const envelope = { from: identity.from.address, to: letter.email };
    const result = await this.pool.transmit({ ...envelope, raw, first: true });
    const verdict = classify(result, envelope);
    await untilAnswered(() => this.record(letter, result, verdict));
    return { result, verdict };
  }

  private claim(letterId: number): Promise<ClaimedLetter | undefined> {
    return this.database.first<ClaimedLetter>(
      `UPDATE service_letters l SET status = 'sending', attempts = attempts + 1, claimed_at = now() FROM users u
        WHERE l.id = $1 AND l.status = 'pending' AND l.next_attempt_at <= now() AND u.id = l.user_id
        RETURNING l.id, l.kind, l.email, l.attempts, l.payload, l.letter_key, l.claimed_at, u.language,
                  CASE WHEN lower(u.email) = lower(l.email) THEN u.full_name ELSE '' END AS full_name`,
      [letterId],
    );
  }

  private async content(letter: ClaimedLetter): Promise<RenderedContent | null> {
    const { kind, payload } = letter;
    if (kind === 'test') return { subject: '', html: '', text: '', ...payload };
    const { publicUrl } = this.config;
    const base = publicUrl.replace(/\/+$/, '');
    const language = payload.language ?? letter.language;
    if (!(kind in TOKEN_LIFE_MS)) return letterText(kind, language, `${base}${LETTER_PATHS.signIn}`);
    const proves = kind as TokenLetterKind;
    const token = await issueToken(this.database, letter.id, proves);
    return token === null ? null : letterText(kind, language, `${base}${LETTER_PATHS[proves]}?token=${token}`);
  }

  /** Message-ID and boundary are the letter's, on every try; the date is that of the try. */
  private compose(letter: ClaimedLetter, content: RenderedContent, identity: Identity) {
    const { from, domain } = identity;
    const { id, letterKey: runKey, claimedAt: date } = letter;
    const digest = letterDigest({ runKey, runId: 0, clientId: id, deliveryId: id }, this.config.secretKey);
    const prepared = prepareLetter({ from, content: { render: () => content }, autoSubmitted: true });
    return ({ eightBitMime }: { eightBitMime: boolean }): Buffer =>
      composeSigned(identity, prepared, {
        data: {
          client: { fullName: letter.fullName, email: letter.email, comment: '' },
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
   * What may be said for good ends the letter; anything else is tried again. A lost reply, too: one letter too many does
   * no harm here. What was withdrawn meanwhile is not. A test letter shows its writer what became of it, so it is tried once.
   */
  private async record(letter: ClaimedLetter, result: TransmitResult, verdict: Verdict): Promise<void> {
    const policy = nextDelayMs({
      tries: letter.attempts,
      delaysMs: this.config.retryDelaysMs,
      random01: Math.random(),
    });
    const sent = verdict.delivery === 'sent';
    const forGood = verdict.delivery === 'failed' || policy === null;
    // Trouble with the account is no try of the letter.
    const uncounted = verdict.delivery === 'pending' && (verdict.attempt === 'none' || verdict.scope === 'transport');
    const status = sent ? 'sent' : forGood && !uncounted ? 'failed' : 'pending';
    const response = 'reply' in result ? result.reply.text : 'error' in result ? result.error : result.text;
    await this.database.affected(
      `UPDATE service_letters SET status = $2, outcome = $3, last_response = $4, claimed_at = NULL,
              attempts = attempts - $5::int,
              next_attempt_at = CASE WHEN $2 = 'pending' THEN now() + $6 * interval '1 millisecond' END,
              finished_at = CASE WHEN $2 <> 'pending' THEN now() END
        WHERE id = $1 AND (status = 'sending' OR $2 <> 'pending')`,
      [
        letter.id,
        status,
        sent ? 'sent' : verdict.reason,
        response.slice(0, 1_000),
        uncounted ? 1 : 0,
        uncounted ? this.config.breakerDelaysMs[0] : policy,
      ],
    );
  }
}
