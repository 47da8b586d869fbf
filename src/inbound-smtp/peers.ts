import type { Socket } from 'node:net';

/** Who is at the other end, as a socket and as a session of `smtp-server` say it. */
interface Remote {
  remoteAddress?: string;
  remotePort?: number;
}

interface Peer {
  address: string;
  life: NodeJS.Timeout;
  patience: NodeJS.Timeout;
  /** It named an address of ours, for a letter that has not begun. */
  hasNamed: boolean;
  socket: Socket;
  end: () => void;
}

export interface PeerLimits {
  /** So many connections of one address are served at once. */
  perAddress: number;
  /** How long it may take to name an address of ours, and how long a letter, */
  patienceMs: number;
  /** and how long all together. */
  lifeMs: number;
}

/** The connections of a server, and the time that is left for each. Those that are gone are not known any more. */
export class Peers {
  private readonly peers = new Map<string, Peer>();

  constructor(private readonly limits: PeerLimits) {}

  /** @returns false if its address has connections enough: it is told so (421), and ended */
  admit(socket: Socket): boolean {
    const address = addressOf(socket);
    if (socket.destroyed || address === '') {
      socket.destroy();
      return false;
    }
    if ([...this.peers.values()].filter((peer) => peer.address === address).length >= this.limits.perAddress) {
      socket.on('error', () => undefined);
      socket.write('421 4.7.0 Too many connections from your address\r\n');
      socket.destroySoon();
      return false;
    }
    this.add(address, socket);
    return true;
  }

  /** An address of ours was named: the time begins again, but once only until a letter begins. */
  named(remote: Remote): void {
    const peer = this.peers.get(nameOf(remote));
    if (!peer || peer.hasNamed) return;
    peer.hasNamed = true;
    peer.patience.refresh();
  }

  /** A letter begins, or is kept: the time begins again. */
  progressed(remote: Remote): void {
    const peer = this.peers.get(nameOf(remote));
    if (!peer) return;
    peer.hasNamed = false;
    peer.patience.refresh();
  }

  /** It is over. A socket that became one of TLS has lost its listeners, so this says it, too. */
  gone(remote: Remote): void {
    const peer = this.peers.get(nameOf(remote));
    // Its name may be another's by now.
    if (peer?.socket.destroyed) peer.end();
  }

  private add(address: string, socket: Socket): void {
    const name = nameOf(socket);
    const end = () => {
      clearTimeout(peer.life);
      clearTimeout(peer.patience);
      // Its name may be another's by now.
      if (this.peers.get(name) === peer) this.peers.delete(name);
      socket.destroy();
    };
    const { lifeMs, patienceMs } = this.limits;
    const after = (ms: number) => setTimeout(end, ms).unref();
    const peer: Peer = { address, life: after(lifeMs), patience: after(patienceMs), hasNamed: false, socket, end };
    this.peers.set(name, peer);
    socket.on('close', end);
  }
}

/** A socket that listens to IPv6 too gives IPv4 addresses as ::ffff:192.0.2.1, a session without the prefix. */
const addressOf = ({ remoteAddress = '' }: Remote): string =>
  remoteAddress.toLowerCase().replace(/^::ffff:(?=.*\.)/, '');
const nameOf = (remote: Remote): string => `${addressOf(remote)}:${remote.remotePort}`;
