import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';

export interface StoredLetter {
  uid: number;
  raw: Buffer;
  flags: Set<string>;
}

interface Folder {
  uidValidity: number;
  uidNext: number;
  letters: StoredLetter[];
}

/** What becomes of a command instead of its answer: the connection ends, or nothing is said, or this is. */
export type Instead = 'drop' | 'hang' | { say: string };

const PEM = readFileSync(join(__dirname, 'localhost.pem'));
const MAX_SOCKETS = 50;

/**
 * A small IMAP server that tests script: one user, as much of RFC 3501, IDLE, MOVE and XOAUTH2 as is asked of it. It
 * deletes nothing but what is moved; any command that would is noted in `deletions`.
 */
export class ImapServer {
  readonly folders = new Map<string, Folder>([['INBOX', { uidValidity: 7, uidNext: 1, letters: [] }]]);
  /** Every command, without its tag; what logs in is left out. */
  readonly commands: string[] = [];
  readonly deletions: string[] = [];
  readonly tokens: string[] = [];
  capabilities = ['IMAP4rev1', 'IDLE', 'MOVE', 'UIDPLUS', 'SASL-IR'];
  password = 'secret';
  /** If set, only these access tokens are accepted. */
  accessTokens: string[] | null = null;
  canCreate = true;
  offersTls = false;
  greeting = '* OK ready';
  /** Asked before each command is carried out. */
  instead: (command: string, connection: number) => Instead | undefined = () => undefined;
  connections = 0;
  private readonly sockets = new Map<Socket, { idle: string | null; selected: Folder | null }>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<ImapServer> {
    const server = createServer((socket) => own.accept(socket));
    const own = new ImapServer(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return own;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  url(more = ''): string {
    return `imap://news%40news.example.org:${this.password}@127.0.0.1:${this.port}/INBOX${more}`;
  }

  folder(name = 'INBOX'): StoredLetter[] {
    return this.folders.get(name)?.letters ?? [];
  }

  /** A letter comes in; who idles is told. */
  deliver(raw: Buffer | string): number {
    const inbox = this.folders.get('INBOX')!;
    const uid = inbox.uidNext++;
    inbox.letters.push({ uid, raw: Buffer.from(raw), flags: new Set() });
    this.tell(inbox);
    return uid;
  }

  dropAll(): void {
    for (const socket of this.sockets.keys()) socket.destroy();
  }

  async stop(): Promise<void> {
    this.dropAll();
    this.server.close();
    await once(this.server, 'close');
  }

  private tell(folder: Folder): void {
    for (const [socket, { idle, selected }] of this.sockets)
      if (idle !== null && selected === folder) socket.write(`* ${folder.letters.length} EXISTS\r\n`);
  }

  private accept(socket: Socket): void {
    const connection = ++this.connections;
    if (this.sockets.size >= MAX_SOCKETS) return void socket.destroy();
    socket.write(`${this.greeting}\r\n`);
    this.serve(socket, connection);
  }

  private serve(socket: Socket, connection: number): void {
    this.sockets.set(socket, { idle: null, selected: null });
    let rest = '';
    socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    socket.on('data', (data: Buffer) => {
      rest += data.toString('latin1');
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (this.line(socket, connection, line) === 'upgraded') return;
      }
    });
  }

  private line(socket: Socket, connection: number, line: string): 'upgraded' | undefined {
    const state = this.sockets.get(socket)!;
    if (state.idle !== null) {
      if (line.toUpperCase() === 'DONE') socket.write(`${state.idle} OK idle\r\n`);
      state.idle = null;
      return undefined;
    }
    const [, tag = '*', command = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (!/^(?:LOGIN|AUTHENTICATE)/.test(command)) this.commands.push(command);
    if (/EXPUNGE|^CLOSE|^DELETE|\\Deleted/i.test(command)) this.deletions.push(command);
    const instead = this.instead(command, connection);
    if (instead === 'drop') return void socket.destroy();
    if (instead === 'hang') return undefined;
    if (instead) return void socket.write(instead.say.replaceAll('TAG', tag));
    if (command === 'STARTTLS') {
      socket.write(`${tag} OK begin\r\n`);
      this.sockets.delete(socket);
      socket.removeAllListeners('data');
      const secured = new TLSSocket(socket, { isServer: true, cert: PEM, key: PEM });
      this.serve(secured, connection);
      return 'upgraded';
    }
    socket.write(this.answer(command, tag, socket), 'latin1');
    return undefined;
  }

  private answer(command: string, tag: string, socket: Socket): string {
    const state = this.sockets.get(socket)!;
    const [name = '', ...words] = command.replace(/^UID /, '').split(' ');
    const ok = `${tag} OK done\r\n`;
    const inbox = state.selected ?? this.folders.get('INBOX')!;
    switch (name.toUpperCase()) {
      case 'CAPABILITY': {
        const tls = this.offersTls && !(socket instanceof TLSSocket) ? ' STARTTLS' : '';
        const oauth = this.accessTokens ? ' AUTH=XOAUTH2' : '';
        return `* CAPABILITY ${this.capabilities.join(' ')}${tls}${oauth}\r\n${ok}`;
      }
      case 'LOGIN':
        return words.at(-1)?.replaceAll('"', '') === this.password
          ? ok
          : `${tag} NO [AUTHENTICATIONFAILED] wrong password for news@news.example.org\r\n`;
      case 'AUTHENTICATE':
        return this.authenticate(words, ok, tag);
      case 'LIST':
      case 'LSUB':
        if (command.endsWith('"" ""')) return `* ${name} (\\Noselect) "/" ""\r\n${ok}`;
        return [...this.folders.keys()].map((folder) => `* ${name} () "/" ${folder}\r\n`).join('') + ok;
      case 'SELECT': {
        const folder = this.folders.get(words[0]!.replaceAll('"', ''));
        if (!folder) return `${tag} NO [NONEXISTENT] no such folder\r\n`;
        state.selected = folder;
        const { letters, uidNext, uidValidity } = folder;
        return (
          `* ${letters.length} EXISTS\r\n* FLAGS (\\Seen \\Deleted)\r\n* OK [PERMANENTFLAGS (\\Seen \\Deleted \\*)] x\r\n` +
          `* OK [UIDVALIDITY ${uidValidity}] x\r\n* OK [UIDNEXT ${uidNext}] x\r\n${tag} OK [READ-WRITE] x\r\n`
        );
      }
      case 'SEARCH': {
        const set = /UID ([\d:*,]+)/.exec(command)?.[1] ?? '1:*';
        const last = inbox.letters.at(-1)?.uid ?? 0;
        // `n:*` is the last letter at least (RFC 3501, 6.4.8).
        const found = this.chosen(inbox, set.replace('*', String(2 ** 32))).map(({ uid }) => uid);
        if (set.endsWith('*') && last > 0 && !found.includes(last)) found.push(last);
        return `* SEARCH ${found.join(' ')}\r\n${ok}`;
      }
      case 'FETCH':
        return (
          this.chosen(inbox, words[0]!)
            .map((letter) => fetched(inbox, letter))
            .join('') + ok
        );
      case 'STORE':
        for (const { flags } of this.chosen(inbox, words[0]!))
          for (const [flag] of command.matchAll(/\\\w+/g)) flags.add(flag);
        return ok;
      case 'CREATE': {
        const folder = words[0]!.replaceAll('"', '');
        if (!this.canCreate) return `${tag} NO not here\r\n`;
        if (this.folders.has(folder)) return `${tag} NO [ALREADYEXISTS] there\r\n`;
        this.folders.set(folder, { uidValidity: 1, uidNext: 1, letters: [] });
        return ok;
      }
      case 'COPY':
      case 'MOVE':
        return this.transfer(inbox, name, words, ok, tag);
      case 'IDLE':
        state.idle = tag;
        return '+ idling\r\n';
      case 'LOGOUT':
        return `* BYE\r\n${ok}`;
      default:
        return ok;
    }
  }

  private authenticate(words: string[], ok: string, tag: string): string {
    const token = /auth=Bearer ([^\x01]*)/.exec(Buffer.from(words[1] ?? '', 'base64').toString())?.[1] ?? '';
    this.tokens.push(token);
    return this.accessTokens?.includes(token) ? ok : `${tag} NO [AUTHENTICATIONFAILED] no\r\n`;
  }

  private transfer(from: Folder, name: string, words: string[], ok: string, tag: string): string {
    const to = this.folders.get((words[1] ?? '').replaceAll('"', ''));
    if (!to) return `${tag} NO [TRYCREATE] no such folder\r\n`;
    const some = this.chosen(from, words[0]!);
    for (const { raw, flags } of some) to.letters.push({ uid: to.uidNext++, raw, flags: new Set(flags) });
    if (name.toUpperCase() === 'COPY') return ok;
    const gone = some.map((letter) => `* ${from.letters.indexOf(letter) + 1} EXPUNGE\r\n`).reverse();
    from.letters = from.letters.filter((letter) => !some.includes(letter));
    return gone.join('') + ok;
  }

  private chosen({ letters }: Folder, set: string): StoredLetter[] {
    const ranges = set.split(',').map((part) => part.split(':').map(Number));
    return letters.filter(({ uid }) => ranges.some(([a = 0, b = a]) => uid >= a && uid <= b));
  }
}

/** `BODY.PEEK[]` as it was asked for: the first 256 KB. */
function fetched(folder: Folder, { uid, raw }: StoredLetter): string {
  const part = raw.subarray(0, 262_144).toString('latin1');
  return `* ${folder.letters.findIndex((letter) => letter.uid === uid) + 1} FETCH (UID ${uid} RFC822.SIZE ${raw.length} BODY[]<0> {${part.length}}\r\n${part})\r\n`;
}
