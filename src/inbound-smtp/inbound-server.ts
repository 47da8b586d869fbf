import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { SMTPServer, SMTPServerDataStream, SMTPServerOptions, SMTPServerSession } from 'smtp-server';
import type { Certificate } from './certificate-files';
import { type PeerLimits, Peers } from './peers';

/** What an address that somebody writes to is: ours, not ours, or it can't be found out now. */
export type AddressAnswer = 'ours' | 'unknown' | 'later';

export interface InboundServerOptions extends PeerLimits {
  host: string;
  port: number;
  /** The largest letter that is accepted, in bytes. */
  maxBytes: number;
  /** By which STARTTLS is offered; null: it is not. */
  certificate: Certificate | null;
  /** So many are served at once. */
  connections: number;
  /** A connection is ended when it says nothing for so long, or when its time is over. */
  idleMs: number;
  isOurs: (address: string) => Promise<AddressAnswer>;
  /** Resolves when the letter is kept for good. */
  keep: (envelope: { from: string; to: string }, raw: Buffer) => Promise<unknown>;
  onFailure: (error: Error) => void;
}

const RECIPIENTS_MAX = 10;

/** A refusal; `code` is the reply's. */
const refusal = (code: number, text: string): Error => Object.assign(new Error(text), { responseCode: code });
const LATER = () => refusal(451, '4.3.0 Try again later');

/**
 * A connection that is not admitted takes no place of those that are served. Most processes receive nothing, and the
 * library takes some MB: it is loaded here.
 */
async function admittingServer(options: SMTPServerOptions, peers: Peers): Promise<SMTPServer> {
  const { SMTPServer } = await import('smtp-server');
  class AdmittingServer extends SMTPServer {
    override connect(...[socket, options]: Parameters<SMTPServer['connect']>): void {
      if (peers.admit(socket)) super.connect(socket, options);
    }
  }
  return new AdmittingServer(options);
}

/**
 * An SMTP server that receives letters for addresses of ours and for no others (RFC 5321): whatever is refused is
 * refused before DATA, so that it never has to send anything back. 250 after DATA means that the letter is kept. What
 * one connection can hold is bounded: bytes, silence, and time.
 */
export class InboundServer {
  private server: SMTPServer | undefined;
  private readonly peers: Peers;

  constructor(private readonly options: InboundServerOptions) {
    this.peers = new Peers(options);
  }

  /** @returns the port */
  async listen(): Promise<number> {
    const { options, peers } = this;
    this.server = await admittingServer(
      {
        banner: 'Gonets',
        disabledCommands: options.certificate ? ['AUTH'] : ['AUTH', 'STARTTLS'],
        ...options.certificate,
        hideENHANCEDSTATUSCODES: true,
        authOptional: true,
        disableReverseLookup: true,
        logger: false,
        size: options.maxBytes,
        maxClients: options.connections,
        socketTimeout: options.idleMs,
        closeTimeout: 5_000,
        onRcptTo: ({ address }, session, done) => void this.recipient(address, session).then(() => done(), done),
        onClose: (session) => peers.gone(session),
        onData: (stream, session, done) => void this.letter(stream, session).then(() => done(null, '2.0.0 Kept'), done),
      },
      peers,
    );
    this.server.on('error', () => undefined);
    const net = this.server.listen(options.port, options.host);
    await once(net, 'listening');
    return (net.address() as AddressInfo).port;
  }

  /** For connections that begin TLS from now on. */
  renew({ cert, key }: Certificate): void {
    this.server?.updateSecureContext({ cert, key });
  }

  /** Letters under way are finished, as far as they are in a few seconds. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => (this.server ? this.server.close(() => resolve()) : resolve()));
  }

  private async recipient(address: string, session: SMTPServerSession): Promise<void> {
    if (session.envelope.rcptTo.length >= RECIPIENTS_MAX) throw refusal(452, '4.5.3 Too many recipients');
    const answer = await this.options.isOurs(address);
    if (answer === 'later') throw LATER();
    if (answer === 'unknown') throw refusal(550, '5.1.1 No such address');
    this.peers.named(session);
  }

  private async letter(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    this.peers.progressed(session);
    const raw = await this.collect(stream);
    if (raw === null) throw refusal(552, '5.3.4 The letter is too large');
    const { mailFrom, rcptTo } = session.envelope;
    const from = mailFrom === false ? '' : mailFrom.address;
    try {
      for (const { address } of rcptTo) await this.options.keep({ from, to: address }, raw);
    } catch (error) {
      this.options.onFailure(error as Error);
      throw LATER();
    }
    this.peers.progressed(session);
  }

  /** Null if it is larger than allowed: then it is read to its end, but not kept. */
  private async collect(stream: SMTPServerDataStream): Promise<Buffer | null> {
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of stream as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size <= this.options.maxBytes) pieces.push(piece);
      else pieces.length = 0;
    }
    return size > this.options.maxBytes || stream.sizeExceeded ? null : Buffer.concat(pieces);
  }
}
