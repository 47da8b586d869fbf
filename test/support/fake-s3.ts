import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const SECRET = 'se/cret+key';
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** An object store with one bucket in memory, which takes only requests that are signed with its key. It is a fake. */
export class FakeS3 {
  readonly objects = new Map<string, Buffer>();
  /** Answers all requests with this status, if it is not 0. */
  broken = 0;
  /** Answers requests of this method with 503. */
  refused = '';
  /** Says nothing, or only the first half of an object. */
  silent: 'no' | 'all' | 'half' = 'no';

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        if (this.silent === 'all') return;
        const { status, body } = this.answer(request, Buffer.concat(pieces));
        if (this.silent === 'no') return void response.writeHead(status).end(body);
        response.writeHead(status, { 'content-length': body!.length }).write(body!.subarray(0, body!.length / 2));
      });
    });
  }

  static async start(): Promise<FakeS3> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FakeS3(server);
  }

  get url(): string {
    return this.urlOf({});
  }

  urlOf({ secret = SECRET, bucket = 'letters' }): string {
    const { port } = this.server.address() as AddressInfo;
    return `s3://AKIA:${encodeURIComponent(secret)}@127.0.0.1:${port}/${bucket}?region=eu-test-1&tls=no`;
  }

  /** Whoever waits for an answer gets none. */
  hangUp(): void {
    this.silent = 'no';
    this.server.closeAllConnections();
  }

  stop(): Promise<void> {
    this.hangUp();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private answer(request: IncomingMessage, body: Buffer): { status: number; body?: Buffer } {
    if (this.broken > 0) return { status: this.broken, body: Buffer.from(`<Error>${SECRET}</Error>`) };
    const wrong = (status: number, code: string) => ({
      status,
      body: Buffer.from(`<Error><Code>${code}</Code></Error>`),
    });
    if (request.method === this.refused) return wrong(503, 'SlowDown');
    if (!isSigned(request)) return wrong(403, 'SignatureDoesNotMatch');
    const key = /^\/letters\/(.+)$/.exec(request.url ?? '')?.[1];
    if (key === undefined) return wrong(404, 'NoSuchBucket');
    if (request.method === 'PUT') this.objects.set(key, body);
    else if (request.method === 'DELETE') this.objects.delete(key);
    else return this.objects.has(key) ? { status: 200, body: this.objects.get(key)! } : wrong(404, 'NoSuchKey');
    return { status: request.method === 'PUT' ? 200 : 204 };
  }
}

/** Signature Version 4, as far as the requests of one client need it. */
function isSigned({ method, url, headers }: IncomingMessage): boolean {
  const parts =
    /^AWS4-HMAC-SHA256 Credential=AKIA\/(\d{8})\/eu-test-1\/s3\/aws4_request, SignedHeaders=([\w;-]+), Signature=(\w{64})$/;
  const [, day = '', names = '', signature = ''] = parts.exec(headers.authorization ?? '') ?? [];
  const lines = names.split(';').map((name) => `${name}:${String(headers[name])}\n`);
  const canonical = [method, url, '', lines.join(''), names, headers['x-amz-content-sha256']].join('\n');
  const hash = createHash('sha256').update(canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], `${day}/eu-test-1/s3/aws4_request`, hash].join('\n');
  const key = ['eu-test-1', 's3', 'aws4_request'].reduce<Buffer>(
    (made, part) => hmac(made, part),
    hmac(`AWS4${SECRET}`, day),
  );
  return hmac(key, text).toString('hex') === signature;
}
