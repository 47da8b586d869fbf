import type { FetchMessageObject, ImapFlow } from 'imapflow';
import { INBOUND_KEPT_BYTES } from '../domain/read-letter';
import { failureOf, MailboxFailure } from './mailbox-failure';
import type { MailboxSettings } from './mailbox-url';

/** A letter in the mailbox, as far as it is read. */
export interface MailboxLetter {
  uid: number;
  /** Of the whole letter, in bytes. */
  size: number;
  /** At most `INBOUND_KEPT_BYTES` of it. */
  raw: Buffer;
}

/** What became of letters that were put away; `flagged`: they stay where they are, marked as read. */
export type Filed = 'moved' | 'copied' | 'flagged' | 'untouched';

/** Where letters that were read are put. */
export const FILED_FOLDER = 'Gonets';

const CONNECT_MS = 30_000;
const OPEN_MS = 90_000;
const COMMAND_MS = 120_000;
const SOCKET_MS = 5 * 60_000;
/** What a server says in one answer, beside letters; a list of numbers is the longest. */
const LINE_BYTES = 4 * 1024 * 1024;
const TOKENS = 50_000;
/** So many letters are found at once, and so many answers are taken to a question for some. */
const FOUND_MAX = 20_000;
const ROWS_MAX = 1_000;
/** Letters are searched for by ranges of so many numbers: the answer is one line, which must not be too long. */
const NUMBERS = 200_000;
/** What a column holds. */
const SIZE_MAX = 2 ** 31 - 1;

/**
 * An open folder of a mailbox (IMAP, RFC 3501). Letters are read without marking them; nothing is ever deleted or
 * expunged. Each call takes bounded time and memory whatever the server sends; every failure is a `MailboxFailure`,
 * after which the connection is of no more use.
 */
export class Mailbox {
  private hasNews = false;
  private wake: (() => void) | undefined;
  private folder: string | null | undefined;
  private lost: unknown;

  private constructor(
    private readonly client: ImapFlow,
    readonly uidValidity: number,
  ) {
    client.on('exists', () => {
      this.hasNews = true;
      this.wake?.();
    });
    client.on('close', () => this.wake?.());
  }

  /**
   * @param accessToken instead of a password
   * @param signal closes it at once; whatever is under way fails
   * @throws MailboxFailure
   */
  static async open(settings: MailboxSettings, accessToken: string | null, signal: AbortSignal): Promise<Mailbox> {
    const { host, port, secure, requireTls, rejectUnauthorized, servername, user, pass, folder } = settings;
    // Most installations have no such mailbox, and the library takes some MB.
    const { ImapFlow } = await import('imapflow');
    const client = new ImapFlow({
      host,
      port,
      secure,
      auth: { user, ...(accessToken === null ? { pass } : { accessToken }) },
      ...(requireTls && { doSTARTTLS: true }),
      ...(servername !== null && { servername }),
      tls: { rejectUnauthorized },
      logger: false,
      clientInfo: { name: 'Gonets' },
      disableAutoIdle: true,
      disableCompression: true,
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: SOCKET_MS,
      maxLineLength: LINE_BYTES,
      maxLiteralSize: 2 * INBOUND_KEPT_BYTES,
      maxResponseSize: 2 * LINE_BYTES,
      maxResponseTokens: TOKENS,
    });
    let lost: unknown;
    client.on('error', (error) => (lost ??= error));
    signal.addEventListener('abort', () => client.close());
    try {
      signal.throwIfAborted();
      const opened = await within(OPEN_MS, client, async () => {
        await client.connect();
        return client.mailboxOpen(folder);
      });
      const mailbox = new Mailbox(client, Number(opened.uidValidity ?? 0));
      client.on('error', (error) => (mailbox.lost ??= error));
      return mailbox;
    } catch (error) {
      client.close();
      throw failureOf(reasonOf(error, lost), true);
    }
  }

  /** The numbers of the letters after this one that came in on that day or later, in order; the first ones, if many. */
  async lettersAfter(uid: number, since: Date): Promise<number[]> {
    this.hasNews = false;
    const { mailbox } = this.client;
    const next = mailbox ? mailbox.uidNext : 0;
    for (let from = uid + 1; ; from += NUMBERS) {
      const isLast = from + NUMBERS >= next;
      const range = `${from}:${isLast ? '*' : from + NUMBERS - 1}`;
      const found = await this.command(() => this.client.search({ uid: range, since }, { uid: true }));
      if (!Array.isArray(found)) throw new MailboxFailure('refused', 'SEARCH');
      // `*` is the last letter, also where that is before the first.
      const after = found.filter((each) => each > uid).sort((a, b) => a - b);
      if (isLast || after.length > 0) return after.slice(0, FOUND_MAX);
    }
  }

  /**
   * These letters as they come, at most the first `INBOUND_KEPT_BYTES` of each. Those that are gone are left out. One
   * is in memory at a time.
   */
  async *read(uids: number[]): AsyncGenerator<MailboxLetter> {
    const wanted = new Set(uids);
    const query = { uid: true, size: true, source: { start: 0, maxLength: INBOUND_KEPT_BYTES } };
    const rows = this.client.fetch(uids.join(','), query, { uid: true })[Symbol.asyncIterator]();
    try {
      for (let n = 0; ; n++) {
        if (n > ROWS_MAX) throw new MailboxFailure('broken', 'FETCH');
        const row = await this.command(() => rows.next());
        if (row.done) break;
        const letter = letterOf(row.value);
        // Servers also tell of changes of others.
        if (letter && wanted.delete(letter.uid)) yield letter;
      }
    } finally {
      // What is left of the answer is read to its end, but not looked at.
      void rows.return?.(undefined).catch(() => undefined);
    }
    await this.requireGone([...wanted]);
  }

  /**
   * Puts letters away: marks them as read, and moves them to the folder `Gonets`, which is made if it is missing. If
   * the server can't move, they are copied; if there can be no such folder, they stay. Harmless to repeat.
   */
  async file(uids: number[]): Promise<Filed> {
    const { client } = this;
    const range = uids.join(',');
    const isFlagged = await this.command(() => client.messageFlagsAdd(range, ['\\Seen'], { uid: true, silent: true }));
    const folder = await this.filedFolder();
    const done = isFlagged ? 'flagged' : 'untouched';
    if (folder === null) return done;
    // Without MOVE the library would copy and then expunge, which takes what others marked as deleted along.
    const canMove = client.capabilities.has('MOVE');
    const isDone = await this.command(() =>
      canMove ? client.messageMove(range, folder, { uid: true }) : client.messageCopy(range, folder, { uid: true }),
    );
    return isDone ? (canMove ? 'moved' : 'copied') : done;
  }

  /** Resolves when something came in, or after this time. @throws MailboxFailure if the connection is lost */
  async news(ms: number): Promise<void> {
    if (!this.client.usable) throw this.failure(undefined);
    if (this.hasNews) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
      // It ends with the next command.
      this.client.idle().catch(() => undefined);
    });
    this.wake = undefined;
    if (!this.client.usable) throw this.failure(undefined);
  }

  /** An answer that the library can't parse is left out by it: no letter may be taken for gone because of that. */
  private async requireGone(uids: number[]): Promise<void> {
    if (uids.length === 0) return;
    const found = await this.command(() => this.client.search({ uid: uids.join(',') }, { uid: true }));
    if (!Array.isArray(found) || found.some((uid) => uids.includes(uid))) throw new MailboxFailure('broken', 'FETCH');
  }

  /** Null: there is none, and it can't be made. */
  private async filedFolder(): Promise<string | null> {
    if (this.folder !== undefined) return this.folder;
    const made = await this.command(() =>
      this.client.mailboxCreate(FILED_FOLDER).then(
        ({ path }) => path,
        (error: { responseStatus?: string }) => {
          if (error.responseStatus) return null;
          throw error;
        },
      ),
    );
    return (this.folder = made);
  }

  private async command<T>(work: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await within(COMMAND_MS, this.client, work);
    } catch (error) {
      throw this.failure(error);
    }
    // Some commands of the library answer false both to a refusal and to a lost connection.
    if (!this.client.usable) throw this.failure(undefined);
    return result;
  }

  private failure(error: unknown): MailboxFailure {
    return failureOf(reasonOf(error, this.lost), false);
  }
}

/** What ended a connection says more than that it ended. */
const reasonOf = (error: unknown, lost: unknown): unknown => {
  const { code } = (error ?? {}) as { code?: string };
  return lost !== undefined && (error === undefined || code === 'NoConnection' || code === 'EConnectionClosed')
    ? lost
    : (error ?? new Error('closed'));
};

/** A server that keeps the connection busy without an end is not waited for. */
async function within<T>(ms: number, client: ImapFlow, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      client.close();
      reject(new MailboxFailure('interrupted', 'LATE'));
    }, ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function letterOf({ uid, size, source }: FetchMessageObject): MailboxLetter | null {
  if (!source || typeof uid !== 'number') return null;
  const raw = source.subarray(0, INBOUND_KEPT_BYTES);
  return { uid, size: Math.min(Math.max(size ?? 0, raw.length), SIZE_MAX), raw };
}
