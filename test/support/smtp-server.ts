/**
 * A scripted SMTP server: the ground truth of every test about sending. In a test: `await SmtpServer.start({ … })`.
 * As a process of its own (Node ≥ 24 runs it as it is, so it must not import other files of ours):
 *   node test/support/smtp-server.ts --port 0 --journal FILE [--options JSON] [--control-port 0]
 * prints one line `{"port":…,"controlPort":…}`; the control port takes HTTP: GET / answers the counters, PUT / with a
 * partial Behaviour as JSON changes it, DELETE / drops all connections.
 *
 * What happens to a letter, the first that applies: `server.rule` → `behaviour.recipients[address]` → the recipient's
 * local part → `behaviour.at[step]` → `behaviour.chances` (seeded) → accept. Steps: greeting ehlo starttls auth mail
 * rcpt data body dot; `data` answers the DATA command, `body` is the first byte after 354, `dot` the final dot.
 *
 * Local parts: `<action>[<times>][-<step>]-<anything>`; without times always, without step at rcpt (`accept-then-…` at
 * dot). With the step `mail` it is the sender's local part that counts.
 *   ok-                                   accepted (as is anything unknown)
 *   fail550- fail550.5.1.1- fail554-dot-  that reply, each time
 *   defer2- defer2-dot- defer-            451 the first 2 times, then accepted; always
 *   bye- bye1-mail-                       421, and the connection is closed
 *   drop- drop-data- drop-before-dot- (= drop-body-) drop-dot-     the socket is destroyed without a reply
 *   accept-then-drop- accept-then-drop1-  taken and journaled, then destroyed; the first time only
 *   accept-then-stall- accept-then-garbage- accept-then-half-close-   the same, then silence, nonsense, FIN
 *   stall- drip- half-close- garbage-     silence; one byte of the reply at a time; FIN only; nonsense
 * `mute`, by `behaviour` alone: silence, and nothing is read any more.
 *
 * Journal: one JSON line per recipient of every transaction (a MAIL that was accepted), written and fsynced (in groups)
 * before the reply: accepted, refused, dropped (we broke it before accepting) or abandoned (the client left or reset).
 */
import { createHash } from 'node:crypto';
import { closeSync, fdatasync, openSync, readFileSync, write } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { parseArgs } from 'node:util';

export type Step = 'greeting' | 'ehlo' | 'starttls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'body' | 'dot';
export interface Action {
  do: 'accept' | 'reply' | 'drop' | 'stall' | 'mute' | 'drip' | 'half-close' | 'garbage';
  /** The reply, for `reply`. */
  text?: string;
  /** At `dot`: the letter is accepted (and journaled so) before this happens. */
  accepted?: boolean;
  /** Only the first so many times (per recipient and step); then accept. */
  times?: number;
}
export interface Behaviour {
  at: Partial<Record<Step, Action>>;
  recipients: Record<string, Action & { step: Step }>;
  chances: { step: Step; p: number; action: Action }[];
  seed: number;
  /** From this number of accepted letters on every login gets 535. */
  refuseLoginAfter: number | null;
  /** New connections are destroyed at once. */
  refuseConnections: boolean;
  /** A connection that has taken so many letters gets this at this step from then on. */
  perSession: { letters: number; step: Step; text: string } | null;
  /** More connections than that between DATA and the answer to the dot, which takes so long, get this at DATA. */
  atOnce: { most: number; text: string; dotMs: number } | null;
}
export interface SmtpServerOptions {
  port?: number;
  journal?: string;
  fsync?: boolean;
  /** Key and certificate, PEM. */
  tls?: { key: string; cert: string; implicit?: boolean };
  login?: { user: string; pass: string };
  size?: number;
  pipelining?: boolean;
  eightBitMime?: boolean;
  smtpUtf8?: boolean;
  dripMs?: number;
  /** Each reply takes so long on its way. */
  replyDelayMs?: number;
  /** A further connection is greeted with 421. */
  maxConnections?: number;
  /** Keep every command line in `transcript`. */
  transcript?: boolean;
  behaviour?: Partial<Behaviour>;
}
export interface JournalLine {
  ts: number;
  rcpt: string;
  messageId: string | null;
  sha256: string | null;
  verdict: 'accepted' | 'refused' | 'dropped' | 'abandoned';
  tx: string;
  step: Step;
  reply: string | null;
}
interface Transaction {
  id: string;
  rcpt: string[];
  body: Buffer | null;
  journaled: boolean;
}

const ACTION =
  /^(accept-then-)?(fail|defer|bye|drop|stall|drip|half-close|garbage)(\d*)((?:\.\d+){3})?-(?:(mail|rcpt|data|body|before-dot|dot)-)?/;

/** What a local part asks for, by the convention above. */
export function scripted(address: string): (Action & { step: Step }) | null {
  const match = ACTION.exec(address);
  if (!match) return null;
  const [, accepted, verb = '', digits = '', enhanced = '', stepName] = match;
  const step = stepName === 'before-dot' ? 'body' : ((stepName ?? (accepted ? 'dot' : 'rcpt')) as Step);
  const times = digits && verb !== 'fail' ? { times: Number(digits) } : {};
  const reply = (text: string) => ({ step, do: 'reply' as const, text, ...times });
  if (verb === 'fail') return reply(`${digits}${enhanced && ' '}${enhanced.slice(1)} scripted`);
  if (verb === 'defer') return reply('451 4.3.0 scripted, try later');
  if (verb === 'bye') return reply('421 4.3.2 scripted, closing');
  return { step, do: verb as Action['do'], ...(accepted && { accepted: true }), ...times };
}

/** The journal's lines so far; a last line that is not complete is left out. */
export function readJournal(file: string): JournalLine[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as JournalLine);
}

/** Appends in groups: whatever waits while a write and its fsync run goes with the next. */
class Journal {
  private waiting: { line: string; done: () => void }[] = [];
  private running = false;
  private readonly fd: number;
  private readonly durable: boolean;

  constructor(file: string, durable: boolean) {
    this.fd = openSync(file, 'a');
    this.durable = durable;
  }

  append(line: string, done: () => void): void {
    this.waiting.push({ line, done });
    if (!this.running) {
      this.running = true;
      setImmediate(() => this.flush());
    }
  }

  private flush(): void {
    const group = this.waiting;
    this.waiting = [];
    this.running = group.length > 0;
    if (!this.running) return;
    const end = (error: Error | null) => {
      if (error) throw error;
      for (const { done } of group) done();
      this.flush();
    };
    write(this.fd, group.map(({ line }) => line).join(''), (error) =>
      error || !this.durable ? end(error) : fdatasync(this.fd, end),
    );
  }

  async close(): Promise<void> {
    while (this.running) await new Promise(setImmediate);
    closeSync(this.fd);
  }
}

export class SmtpServer {
  readonly stats = { connections: 0, open: 0, logins: 0, transactions: 0, accepted: 0 };
  readonly transcript: string[] = [];
  /** Connections between DATA and the answer to the dot. */
  inLetter = 0;
  readonly behaviour: Behaviour;
  readonly options: SmtpServerOptions;
  readonly journal: Journal | null;
  /** Decides before everything else; null or undefined leaves it to the rest. */
  rule: ((address: string, step: Step) => Action | null | undefined) | null = null;
  /** Gets each letter that is accepted; the server says so once this is done. */
  keep: ((rcpt: string[], letter: Buffer) => Promise<void>) | null = null;
  private readonly server: Server;
  private readonly sessions = new Set<Session>();
  private readonly used = new Map<string, number>();
  private random: number;

  private constructor(options: SmtpServerOptions) {
    this.options = options;
    const defaults = {
      at: {},
      recipients: {},
      chances: [],
      seed: 1,
      refuseLoginAfter: null,
      refuseConnections: false,
      perSession: null,
      atOnce: null,
    };
    this.behaviour = { ...defaults, ...options.behaviour };
    this.random = this.behaviour.seed;
    this.journal = options.journal === undefined ? null : new Journal(options.journal, options.fsync ?? true);
    this.server = createServer({ noDelay: true }, (socket) => {
      if (this.behaviour.refuseConnections) return void socket.on('error', () => undefined).resetAndDestroy();
      const session = new Session(this, socket, `${process.pid}.${++this.stats.connections}`);
      this.sessions.add(session);
      this.stats.open++;
      socket.once('close', () => {
        this.stats.open -= Number(this.sessions.delete(session));
        session.abandon();
      });
      session.begin();
    });
  }

  static async start(options: SmtpServerOptions = {}): Promise<SmtpServer> {
    const smtp = new SmtpServer(options);
    await new Promise<void>((resolve, reject) => {
      smtp.server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return smtp;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  behave(change: Partial<Behaviour>): void {
    Object.assign(this.behaviour, change);
    if (change.seed !== undefined) this.random = change.seed;
  }

  /** Destroys every connection, or (`gently`) ends ours as a server does with idle clients. */
  dropConnections(gently = false): void {
    for (const session of this.sessions) session.hangUp(gently);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.dropConnections();
    await closed;
    await this.journal?.close();
  }

  decide(step: Step, address: string): Action | null {
    const { recipients, at, chances } = this.behaviour;
    const named = [recipients[address], scripted(address)].find((action) => action?.step === step);
    const action =
      this.rule?.(address, step) ??
      named ??
      at[step] ??
      chances.find((c) => c.step === step && this.next() < c.p)?.action;
    if (!action || action.do === 'accept') return null;
    if (action.times === undefined) return action;
    const key = `${step} ${address}`;
    const used = this.used.get(key) ?? 0;
    this.used.set(key, used + 1);
    return used < action.times ? action : null;
  }

  /** mulberry32: the same seed, the same fate. */
  private next(): number {
    this.random = (this.random + 0x6d2b79f5) | 0;
    let t = Math.imul(this.random ^ (this.random >>> 15), 1 | this.random);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}

const END = Buffer.from('\r\n.\r\n');
const EMPTY = Buffer.alloc(0);

class Session {
  private readonly smtp: SmtpServer;
  private readonly id: string;
  private socket: Socket;
  private input: Buffer = EMPTY;
  private mode: 'command' | 'body' | 'login' = 'command';
  private searched = 0;
  private waiting = false;
  private dead = false;
  private room: Buffer = EMPTY;
  private authenticated = false;
  private credentials: string[] = [];
  private tx: Transaction | null = null;
  private taken = 0;
  private inLetter = false;

  constructor(smtp: SmtpServer, socket: Socket, id: string) {
    this.smtp = smtp;
    this.id = id;
    this.socket = socket;
  }

  begin(): void {
    const { tls } = this.smtp.options;
    this.socket.on('error', () => undefined);
    if (tls?.implicit) this.secure();
    else this.listen();
    if (this.smtp.stats.open > (this.smtp.options.maxConnections ?? Infinity)) {
      this.dead = true;
      this.send('421 4.7.0 too many connections');
      return this.end();
    }
    this.answer('greeting', '', '220 scripted ESMTP');
  }

  hangUp(gently: boolean): void {
    if (gently) this.socket.end();
    else this.socket.destroy();
  }

  abandon(): void {
    this.dead = true;
    this.leave();
    if (this.tx && !this.tx.journaled) this.record(this.tx, 'abandoned', this.mode === 'body' ? 'body' : 'rcpt', null);
    this.tx = null;
  }

  private secure(): void {
    const { tls } = this.smtp.options;
    this.socket = new TLSSocket(this.socket, { isServer: true, key: tls?.key ?? '', cert: tls?.cert ?? '' });
    this.socket.on('error', () => undefined);
    this.listen();
  }

  private listen(): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.add(chunk);
      this.read();
    });
  }

  /** With room for what follows, so that a long letter is not copied for each of its pieces. */
  private add(chunk: Buffer): void {
    const { input, room } = this;
    if (input.length === 0) return void (this.input = chunk);
    let from = input.buffer === room.buffer ? input.byteOffset - room.byteOffset : Infinity;
    if (from + input.length + chunk.length > room.length) {
      // Not of Node's pool, in which other buffers are.
      this.room = Buffer.alloc(2 * (input.length + chunk.length));
      input.copy(this.room);
      from = 0;
    }
    chunk.copy(this.room, from + input.length);
    this.input = this.room.subarray(from, from + input.length + chunk.length);
  }

  private read(): void {
    this.socket.cork();
    while (!this.waiting && !this.dead && this.input.length) {
      if (this.mode === 'body') {
        if (!this.readBody()) break;
        continue;
      }
      const end = this.input.indexOf('\r\n');
      if (end < 0) break;
      const line = this.input.toString('utf8', 0, end);
      this.input = this.input.subarray(end + 2);
      if (this.smtp.options.transcript) this.smtp.transcript.push(line);
      if (this.mode === 'login') this.login([...this.credentials, line]);
      else this.command(line);
    }
    this.socket.uncork();
  }

  private readBody(): boolean {
    const { tx } = this;
    if (!tx) throw new Error('A body outside a transaction');
    if (this.searched === 0) {
      const action = this.smtp.decide('body', tx.rcpt[0] ?? '');
      if (action) {
        this.act('body', action);
        return false;
      }
    }
    const end = this.input.indexOf(END, Math.max(0, this.searched - END.length));
    this.searched = this.input.length;
    if (end < 0) return false;
    tx.body = this.input.subarray(0, end + 2);
    this.input = this.input.subarray(end + END.length);
    this.mode = 'command';
    const queueId = `${tx.id}.${this.smtp.stats.accepted}`;
    this.answer('dot', tx.rcpt[0] ?? '', `250 2.0.0 Ok: queued as ${queueId}`);
    return true;
  }

  private command(line: string): void {
    const { options } = this.smtp;
    const verb = line.slice(0, 4).toUpperCase();
    const address = /^[^:]*:\s*<([^>]*)>/.exec(line)?.[1] ?? '';
    const { tx } = this;
    if (verb === 'EHLO') this.answer('ehlo', '', this.hello());
    else if (verb === 'HELO') this.answer('ehlo', '', '250 scripted');
    else if (verb === 'STAR') this.startTls();
    else if (verb === 'AUTH') this.auth(line);
    else if (verb === 'MAIL') {
      const size = Number(/ SIZE=(\d+)/i.exec(line)?.[1] ?? 0);
      if (options.login && !this.authenticated) this.send('530 5.7.0 Authentication required');
      else if (tx) this.send('503 5.5.1 nested MAIL command');
      else if (options.size && size > options.size) this.send('552 5.3.4 too big');
      else this.answer('mail', address, '250 2.1.0 Ok', () => this.open());
    } else if (verb === 'RCPT') {
      if (!tx) this.send('503 5.5.1 MAIL first');
      else this.answer('rcpt', address, '250 2.1.5 Ok', () => tx.rcpt.push(address));
    } else if (verb === 'DATA') {
      if (!tx?.rcpt.length) this.send('503 5.5.1 no valid recipients');
      else this.answer('data', tx.rcpt[0] ?? '', '354 go ahead', () => this.awaitBody());
    } else if (verb === 'RSET') this.reset();
    else if (verb === 'NOOP') this.send('250 2.0.0 Ok');
    else if (verb === 'QUIT') {
      this.send('221 2.0.0 Bye');
      this.end();
    } else this.send('500 5.5.2 what?');
  }

  private hello(): string {
    const { tls, login, size, pipelining, eightBitMime, smtpUtf8 } = this.smtp.options;
    const offers = [
      pipelining && 'PIPELINING',
      size !== undefined && `SIZE ${size}`,
      eightBitMime && '8BITMIME',
      smtpUtf8 && 'SMTPUTF8',
      tls && !(this.socket instanceof TLSSocket) && 'STARTTLS',
      login && 'AUTH PLAIN LOGIN',
    ].filter((offer) => offer !== false && offer !== undefined);
    return ['scripted', ...offers].map((line, i) => `250${i < offers.length ? '-' : ' '}${line}`).join('\r\n');
  }

  private startTls(): void {
    if (!this.smtp.options.tls) return this.send('502 5.5.1 no TLS here');
    this.answer('starttls', '', '220 2.0.0 go ahead', () => {
      this.socket.removeAllListeners('data');
      this.input = EMPTY;
      process.nextTick(() => this.secure());
    });
  }

  private auth(line: string): void {
    const [, method = '', initial] = line.split(' ');
    this.credentials = [];
    if (method.toUpperCase() === 'PLAIN' && initial !== undefined) {
      return this.login(Buffer.from(initial, 'base64').toString('utf8').split('\0').slice(1), true);
    }
    if (method.toUpperCase() !== 'LOGIN') return this.send('504 5.5.4 mechanism');
    this.mode = 'login';
    this.send('334 VXNlcm5hbWU6');
  }

  private login(given: string[], plain = false): void {
    if (!plain && given.length < 2) {
      this.credentials = given;
      return this.send('334 UGFzc3dvcmQ6');
    }
    this.mode = 'command';
    const [user, pass] = plain ? given : given.map((part) => Buffer.from(part, 'base64').toString('utf8'));
    const { options, behaviour, stats } = this.smtp;
    stats.logins++;
    const refuse = behaviour.refuseLoginAfter !== null && stats.accepted >= behaviour.refuseLoginAfter;
    if (refuse || user !== options.login?.user || pass !== options.login?.pass)
      return this.send('535 5.7.8 bad credentials');
    this.answer('auth', '', '235 2.7.0 welcome', () => (this.authenticated = true));
  }

  private open(): void {
    const id = `${this.id}.${++this.smtp.stats.transactions}`;
    this.tx = { id, rcpt: [], body: null, journaled: false };
  }

  private leave(): void {
    if (this.inLetter) this.smtp.inLetter--;
    this.inLetter = false;
  }

  private awaitBody(): void {
    this.inLetter = true;
    this.smtp.inLetter++;
    this.mode = 'body';
    this.searched = 0;
  }

  private reset(): void {
    const { tx } = this;
    this.tx = null;
    if (!tx || tx.journaled) return this.send('250 2.0.0 Ok');
    this.waiting = true;
    this.record(tx, 'abandoned', 'rcpt', null, () => this.resume('250 2.0.0 Ok'));
  }

  /** The usual reply and what it entails, unless something else was asked for at this step. */
  private answer(step: Step, address: string, usual: string, then?: () => unknown): void {
    const action = this.limited(step) ?? this.smtp.decide(step, address);
    if (action) return this.act(step, action, address);
    if (step === 'dot') return this.finish(step, 'accepted', usual, () => this.takenIn(usual));
    this.send(usual);
    then?.();
  }

  /** What the limits of connections say. */
  private limited(step: Step): Action | null {
    const { perSession, atOnce } = this.smtp.behaviour;
    if (perSession?.step === step && this.taken >= perSession.letters) return { do: 'reply', text: perSession.text };
    if (atOnce && step === 'data' && this.smtp.inLetter >= atOnce.most) return { do: 'reply', text: atOnce.text };
    return null;
  }

  private takenIn(usual: string): void {
    this.taken++;
    const { atOnce } = this.smtp.behaviour;
    const done = () => {
      this.leave();
      this.resume(usual);
    };
    if (atOnce) setTimeout(done, atOnce.dotMs);
    else done();
  }

  private act(step: Step, action: Action, address?: string): void {
    const reply = action.do === 'reply' ? (action.text ?? '451 scripted') : null;
    const perform = () => this.perform(action.do, reply, step);
    const verdict = action.accepted ? 'accepted' : reply === null ? 'dropped' : 'refused';
    if (this.tx) this.finish(step, verdict, reply, perform, step === 'rcpt' ? address : undefined);
    else perform();
  }

  private perform(what: Action['do'], reply: string | null, step: Step): void {
    if (reply !== null) {
      const bye = reply.startsWith('421');
      this.dead = bye || step === 'body';
      this.resume(reply);
      if (bye) this.end();
      return;
    }
    this.dead = true;
    if (what === 'drop') this.socket.destroy();
    else if (what === 'mute') this.socket.pause();
    else if (what === 'half-close') this.socket.end();
    else if (what === 'garbage') this.send('\u0000\u0001 what is that?');
    else if (what === 'drip') {
      const text = `250 ${'.'.repeat(400)}`;
      let at = 0;
      const timer = setInterval(
        () => this.socket.write(text.charAt(at++ % text.length)),
        this.smtp.options.dripMs ?? 20,
      );
      this.socket.once('close', () => clearInterval(timer));
    }
  }

  /** The transaction's line in the journal, then the rest; a transaction has one line per recipient. */
  private finish(
    step: Step,
    verdict: JournalLine['verdict'],
    reply: string | null,
    then: () => void,
    rcpt?: string,
  ): void {
    const { tx } = this;
    if (!tx) return then();
    if (verdict === 'accepted') this.smtp.stats.accepted++;
    this.waiting = true;
    if (step === 'dot') this.tx = null;
    const kept =
      verdict === 'accepted' ? this.smtp.keep?.(tx.rcpt, Buffer.from(content(tx) ?? '', 'latin1')) : undefined;
    this.record(tx, verdict, step, reply, kept ? () => void kept.then(then) : then, rcpt);
    tx.journaled = true;
  }

  private record(
    tx: Transaction,
    verdict: JournalLine['verdict'],
    step: Step,
    reply: string | null,
    then = () => {},
    rcpt?: string,
  ): void {
    const { journal } = this.smtp;
    if (!journal) return then();
    const text = content(tx);
    const head = text?.slice(0, text.indexOf('\r\n\r\n') + 2);
    const messageId = head === undefined ? null : (/^message-id:\s*(\S+)/im.exec(head)?.[1] ?? null);
    const sha256 = text === undefined ? null : createHash('sha256').update(text, 'latin1').digest('hex');
    const line = { ts: Date.now(), messageId, sha256, verdict, tx: tx.id, step, reply };
    const all = rcpt !== undefined ? [rcpt] : tx.rcpt.length ? tx.rcpt : [''];
    journal.append(
      all.map((one) => `${JSON.stringify({ ...line, rcpt: one } satisfies JournalLine)}\n`).join(''),
      then,
    );
  }

  private send(text: string): void {
    this.later(() => {
      if (this.socket.writable) this.socket.write(`${text}\r\n`);
    });
  }

  private end(): void {
    this.later(() => this.socket.end());
  }

  /** Timers of the same delay fire in the order in which they were set. */
  private later(what: () => void): void {
    const { replyDelayMs = 0 } = this.smtp.options;
    if (replyDelayMs === 0) what();
    else setTimeout(what, replyDelayMs);
  }

  private resume(text: string): void {
    this.leave();
    this.send(text);
    if (!this.waiting) return;
    this.waiting = false;
    if (this.input.length) this.read();
  }
}

/** The letter as it was before dots were doubled on its way; octets as Latin-1. */
function content({ body }: Transaction): string | undefined {
  return body?.toString('latin1').replace(/^\.\./gm, '.');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      journal: { type: 'string' },
      options: { type: 'string', default: '{}' },
      'control-port': { type: 'string', default: '0' },
    },
  });
  const given = JSON.parse(values.options) as SmtpServerOptions;
  const smtp = await SmtpServer.start({
    ...given,
    port: Number(values.port),
    ...(values.journal && { journal: values.journal }),
  });
  const control = createHttpServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => (body += part));
    request.on('end', () => {
      if (request.method === 'PUT') smtp.behave(JSON.parse(body) as Partial<Behaviour>);
      if (request.method === 'DELETE') smtp.dropConnections();
      response.setHeader('content-type', 'application/json').end(JSON.stringify(smtp.stats));
    });
  });
  control.listen(Number(values['control-port']), '127.0.0.1', () => {
    const controlPort = (control.address() as AddressInfo).port;
    process.stdout.write(`${JSON.stringify({ port: smtp.port, controlPort })}\n`);
  });
}

if (process.argv[1]?.endsWith('smtp-server.ts')) void main();
