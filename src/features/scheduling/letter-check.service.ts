import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { prepareLetter } from '../../domain/compose';
import { reasonText } from '../../domain/footer';
import { composeSigned, identityOf } from '../../domain/identity';
import { foreignTags } from '../../domain/foreign-tags';
import { contentFacts } from '../../domain/letter-content';
import type { LetterFacts } from '../../domain/preflight-rules';
import type { ContentTemplate, LetterData } from '../../domain/template';
import { askSpamd, type SpamVerdict } from '../../spamd/spamd';
import type { SendersService } from '../consent/senders.service';
import type { Mailing } from '../mailings/mailing.entity';
import type { Letter } from './preflight-facts';

/** What letters say about their sender. */
export type Shown = Awaited<ReturnType<SendersService['shown']>>;

/** For so many milliseconds a page waits for spamd, which may go on for so many. */
const WAIT_MS = 2_500;
const SPAMD_MS = 20_000;
const KEPT_MS = 10 * 60_000;
const UNANSWERED_MS = 30_000;
const KEPT = 100;

/** What filters and readers will dislike in a mailing's letters: one of them is made for somebody made up. */
@Injectable()
export class LetterCheck {
  private readonly verdicts = new Map<string, { verdict: Promise<SpamVerdict | null>; until: number }>();

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** @returns null if no letter can be made */
  async facts(mailing: Mailing, letter: Letter, sender: Shown): Promise<LetterFacts | null> {
    const { content } = letter;
    if (!content) return null;
    const data = this.dataOf(mailing, letter.client, sender);
    try {
      const { subject, html, text } = content.render(data);
      const [foreign, ...more] = foreignTags(`${subject}\n${text}`);
      const facts = {
        ...contentFacts(html, `${this.config.publicUrl}/u/`),
        ...(foreign && { foreign: { ...foreign, n: 1 + more.length } }),
      };
      return this.config.spamd === '' ? facts : { ...facts, spam: await this.judged(mailing, content, data) };
    } catch {
      // Not even for somebody made up can the letter be composed: sending says why.
      return null;
    }
  }

  private dataOf({ name, language, timeZone }: Mailing, client: LetterData['client'], sender: Shown): LetterData {
    return {
      client,
      mailing: { name },
      sender: { name: sender.name, email: sender.email },
      date: `${new Date().toISOString().slice(0, 10)}T00:00:00Z`,
      timeZone,
      unsubscribeUrl: `${this.config.publicUrl}/u/example`,
      senderAddress: sender.postalAddress,
      footerText: sender.unsubscribeText || reasonText(language, sender.name || sender.email),
    };
  }

  /** The same letter is judged once in ten minutes. */
  private judged({ id, name, kind }: Mailing, content: ContentTemplate, data: LetterData): Promise<SpamVerdict | null> {
    const identity = identityOf(this.config);
    const prepared = prepareLetter({
      from: { name: data.sender.name, address: identity.from.address },
      content,
      listId: `mailing-${id}.${identity.domain}`,
      mailingName: name,
      leavable: kind === 'marketing',
    });
    const letter = (date: Date) =>
      composeSigned(identity, prepared, {
        data,
        messageId: `<preflight@${identity.domain}>`,
        boundary: 'preflight',
        date,
        eightBitMime: false,
      });
    const key = createHash('sha256')
      .update(letter(new Date(0)))
      .digest('base64');
    const late = new Promise<null>((resolve) => setTimeout(resolve, WAIT_MS, null).unref());
    return Promise.race([this.kept(key, () => askSpamd(this.config.spamd, letter(new Date()), SPAMD_MS)), late]);
  }

  private kept(key: string, ask: () => Promise<SpamVerdict | null>): Promise<SpamVerdict | null> {
    const before = this.verdicts.get(key);
    if (before && before.until > performance.now()) return before.verdict;
    const kept = { verdict: ask(), until: performance.now() + KEPT_MS };
    this.verdicts.delete(key);
    this.verdicts.set(key, kept);
    const oldest = this.verdicts.keys().next();
    if (this.verdicts.size > KEPT && !oldest.done) this.verdicts.delete(oldest.value);
    void kept.verdict.then((verdict) => {
      if (verdict === null) kept.until = performance.now() + UNANSWERED_MS;
    });
    return kept.verdict;
  }
}
