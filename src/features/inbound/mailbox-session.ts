import { failpoint } from '../../config/failpoint';
import { type Database, isUnavailable } from '../../database/database';
import { isForUs, recipientsOf, returnPathOf } from '../../domain/mailbox-letter';
import { decoded, headersOf } from '../../domain/read-letter';
import type { Filed, Mailbox, MailboxLetter } from '../../mailbox/mailbox';
import { MailboxFailure } from '../../mailbox/mailbox-failure';
import type { ReturnAddresses } from '../consent/return-addresses';
import type { InboundJudge } from './inbound-judge.service';
import type { InboundLetters } from './inbound-letters.service';
import { LeaseLost, type MailboxCursor, type MailboxSource } from './mailbox-source';

/** What reads a mailbox works with. */
export interface MailboxTools {
  database: Database;
  letters: InboundLetters;
  judge: Pick<InboundJudge, 'decide'>;
  returns: ReturnAddresses;
  source: MailboxSource;
  /** Letters that are older are not looked at: they would not be kept. */
  keepDays: number;
  trouble: ReadTrouble;
  onFiled: (how: Filed, letters: number) => void;
  onSkipped: (uid: number) => void;
}

/** Where reading failed, perhaps because of what a letter is: it outlives the connection. */
export interface ReadTrouble {
  /** Letters up to this one are read one by one, */
  upTo: number;
  /** and one that fails alone so often is left behind. */
  uid: number;
  times: number;
}

/** So many letters are asked for at once; those of them that are ours are put away together. */
const BATCH = 20;
/** A letter that the server can't or won't give, or that we can't read, is asked for so often. */
const PATIENCE = 3;
/** What a lost connection counts, compared with a refusal. */
const LOST = 0.5;
const HEADER_BYTES = 64 * 1024;
const DAY_MS = 86_400_000;

/**
 * Reads one open mailbox for the worker that has the lease. A letter that is for us is kept together with the step that
 * leaves it behind, in one transaction, and put away after it; so none is lost or kept twice whenever this ends. What is
 * for somebody else is not touched.
 */
export class MailboxSession {
  constructor(
    private readonly tools: MailboxTools,
    private readonly mailbox: Mailbox,
    private readonly worker: number,
    private cursor: MailboxCursor,
  ) {}

  /** Looks at everything that is new. @throws MailboxFailure, LeaseLost, and what makes Postgres unavailable */
  async look(): Promise<void> {
    const { database, source, keepDays } = this.tools;
    await this.begin();
    await this.file(this.cursor.toFile);
    const since = new Date((await database.clock()).getTime() - (keepDays + 1) * DAY_MS);
    for (;;) {
      const uids = await this.mailbox.lettersAfter(this.cursor.lastUid, since);
      if (uids.length === 0) break;
      await this.readAll(uids);
    }
    await source.looked(database, this.worker);
  }

  private async begin(): Promise<void> {
    const { uidValidity } = this.mailbox;
    if (uidValidity === this.cursor.uidValidity) return;
    await this.tools.source.begin(this.tools.database, this.worker, uidValidity);
    this.cursor = { uidValidity, lastUid: 0, toFile: [] };
    // Its numbers are other letters' by now.
    Object.assign(this.tools.trouble, { upTo: 0, uid: 0, times: 0 });
  }

  /** Some at once; one by one where that failed before. */
  private async readAll(uids: number[]): Promise<void> {
    const { trouble } = this.tools;
    for (let at = 0; at < uids.length;) {
      const first = uids[at]!;
      const some = uids.slice(at, at + (first <= trouble.upTo ? 1 : BATCH));
      at += some.length;
      if (first === trouble.uid && trouble.times >= PATIENCE) {
        this.tools.onSkipped(first);
        await this.leaveBehind(first);
        continue;
      }
      await this.read(some).catch((error: unknown) => {
        noteTrouble(trouble, some, error);
        throw error;
      });
    }
  }

  private async read(uids: number[]): Promise<void> {
    const last = uids.at(-1)!;
    const left = new Set(uids);
    const toFile: number[] = [];
    for await (const letter of this.mailbox.read(uids)) {
      left.delete(letter.uid);
      // No server has to answer in order.
      const upTo = left.size > 0 ? Math.min(...left) - 1 : last;
      if (await this.take(letter, upTo)) toFile.push(letter.uid);
    }
    if (this.cursor.lastUid < last) await this.leaveBehind(last);
    failpoint('mailbox-kept');
    await this.file(toFile);
  }

  private async leaveBehind(uid: number): Promise<void> {
    await this.tools.source.advance(this.tools.database, this.worker, this.cursor, uid, []);
    this.cursor = { ...this.cursor, lastUid: uid };
  }

  /** @returns whether it is kept */
  private async take({ uid, size, raw }: MailboxLetter, upTo: number): Promise<boolean> {
    const { database, letters, source } = this.tools;
    const envelope = await this.envelopeIfForUs(raw);
    if (!envelope) return false;
    const kept = await database.transaction(async (tx) => {
      await source.advance(tx, this.worker, this.cursor, upTo, [uid]);
      return letters.keep(tx, 'mailbox', envelope, raw, size);
    });
    this.cursor = { ...this.cursor, lastUid: upTo };
    if (kept.isNew) await letters.announce([kept.id]);
    return true;
  }

  private async envelopeIfForUs(raw: Buffer): Promise<{ from: string; to: string } | null> {
    const outer = { headers: headersOf(decoded(raw.subarray(0, HEADER_BYTES))) };
    const envelope = { from: returnPathOf(outer), to: await this.recipientOf(outer) };
    const { verdict, isMatched } = await this.tools.judge.decide({
      source: 'mailbox',
      receivedAt: new Date(),
      envelopeFrom: envelope.from,
      envelopeTo: envelope.to,
      raw,
    });
    return isForUs(outer, verdict.reason, isMatched) ? envelope : null;
  }

  /** The address of ours among those to which it may have come; else the first one. */
  private async recipientOf(outer: Parameters<typeof recipientsOf>[0]): Promise<string> {
    const { returns } = this.tools;
    const addresses = recipientsOf(outer);
    for (const address of addresses)
      if (returns.isFeedback(address) || (await returns.read(address)) !== null) return address;
    return addresses[0] ?? '';
  }

  private async file(uids: number[]): Promise<void> {
    if (uids.length === 0) return;
    const { database, source, onFiled } = this.tools;
    for (let at = 0; at < uids.length; at += BATCH) {
      const some = uids.slice(at, at + BATCH);
      onFiled(await this.mailbox.file(some), some.length);
      await source.filed(database, this.cursor.uidValidity, some);
    }
    this.cursor = { ...this.cursor, toFile: [] };
  }
}

/**
 * Counts a failure against the letter at which reading failed, unless it was the database's, or another worker reads by
 * now. A lost connection may have other causes, but seldom comes at the same letter again and again.
 */
function noteTrouble(trouble: ReadTrouble, uids: number[], error: unknown): void {
  if (isUnavailable(error) || error instanceof LeaseLost) return;
  const isLost = error instanceof MailboxFailure && error.problem === 'interrupted';
  trouble.upTo = uids.at(-1)!;
  if (uids.length > 1) return;
  trouble.times = (trouble.uid === trouble.upTo ? trouble.times : 0) + (isLost ? LOST : 1);
  trouble.uid = trouble.upTo;
}
