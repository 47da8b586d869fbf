import dns2 from 'dns2';

type Packet = InstanceType<typeof dns2.Packet>;

/**
 * Records by `TYPE name`. Names that are not there do not exist; those that are null are not answered at all. MX hosts
 * are preferred in their order, and an empty one is the root.
 */
export type Zone = Record<string, readonly string[] | null>;

const MAX_UDP = 1_000;

/** A DNS server of our own on a port of this machine, whose records may be changed while it runs. */
export class FakeDns {
  /** All questions, as `TYPE name`. */
  readonly asked: string[] = [];
  /** How long each answer takes. */
  delayMs = 0;

  private constructor(
    private zone: Zone,
    /** As DNS_SERVERS has it. */
    readonly address: string,
    readonly close: () => Promise<void>,
  ) {}

  static async start(zone: Zone): Promise<FakeDns> {
    const handle = (request: Packet, send: (response: Packet) => unknown, client: object) => {
      const answer = started.answer(request);
      if (!answer) return;
      // What is too long for a datagram is asked again by TCP, which brings sockets.
      if ('address' in client && 'size' in client && answer.toBuffer().length > MAX_UDP) {
        answer.answers = [];
        Object.assign(answer.header, { tc: 1 });
      }
      setTimeout(send, started.delayMs, answer);
    };
    const tcp = dns2.createServer({ tcp: true, handle });
    await tcp.listen({ tcp: { port: 0, address: '127.0.0.1' } });
    const { port } = tcp.addresses().tcp!;
    const udp = dns2.createServer({ udp: true, handle });
    await udp.listen({ udp: { port, address: '127.0.0.1' } });
    const started = new FakeDns(zone, `127.0.0.1:${port}`, async () => {
      await Promise.all([tcp.close(), udp.close()]);
    });
    return started;
  }

  set(zone: Zone): void {
    this.zone = zone;
  }

  private answer(request: Packet): Packet | null {
    const response = dns2.Packet.createResponseFromRequest(request);
    const [question] = request.questions;
    if (!question) return response;
    const type = Object.entries(dns2.Packet.TYPE).find(([, code]) => code === question.type)?.[0] ?? '';
    const key = `${type} ${question.name.toLowerCase()}`;
    this.asked.push(key);
    if (this.zone[key] === null) return null;
    const found = this.zone[key] ?? [];
    response.answers.push(...found.map((text, i) => ({ ...question, ttl: 60, ...data(type, text, i) }) as never));
    if (found.length === 0) response.header.rcode = dns2.Packet.RCODE.NXDOMAIN;
    return response;
  }
}

function data(type: string, text: string, i: number): object {
  if (type === 'TXT') return { data: text.match(/.{1,255}/gs) ?? [''] };
  if (type === 'MX') return { exchange: text, priority: i };
  return type === 'PTR' ? { domain: text } : { address: text };
}
