import { createHash } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import { DomainError } from '../domain/errors';
import { s3Address } from '../config/s3-url';

const ANSWER_MS = 20_000;
/** So long nothing is asked after a question that got no answer. */
const REST_MS = 10_000;

/** One bucket of an object store that speaks S3, addressed by path. Errors name its host, port and answer, nothing else. */
export class S3Bucket {
  private readonly client: AwsClient;
  private readonly base: string;
  private readonly host: string;
  /** By `performance.now()`. */
  private restsUntil = 0;

  /** @param url as STORAGE_URL has it */
  constructor(
    url: string,
    private readonly answerMs = ANSWER_MS,
  ) {
    const { accessKeyId, secretAccessKey, region, base } = s3Address(url);
    this.client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: 2 });
    this.base = base;
    this.host = new URL(base).host;
  }

  async put(key: string, content: Buffer): Promise<void> {
    const body = new Uint8Array(content);
    // Part of the signature: the bytes can't be changed on the way.
    const sum = createHash('sha256').update(content).digest('hex');
    await this.ask('PUT', key, { body, headers: { 'x-amz-content-sha256': sum } });
  }

  async get(key: string): Promise<Buffer | null> {
    return this.ask('GET', key);
  }

  async remove(key: string): Promise<void> {
    await this.ask('DELETE', key);
  }

  /** Asks for what is never there: null if the store says so, else what is wrong. */
  async trouble(): Promise<DomainError | null> {
    try {
      await this.get('health/none');
      return null;
    } catch (error) {
      return error as DomainError;
    }
  }

  /** What was answered, to the end; null if there is no such object. */
  private async ask(method: string, key: string, init: RequestInit = {}): Promise<Buffer | null> {
    if (performance.now() < this.restsUntil) throw this.away('it did not answer just now');
    let [status, body] = [0, Buffer.alloc(0)];
    try {
      const signal = AbortSignal.timeout(this.answerMs);
      const answer = await this.client.fetch(`${this.base}/${key}`, { method, redirect: 'manual', signal, ...init });
      [status, body] = [answer.status, Buffer.from(await answer.arrayBuffer())];
      if (answer.ok) return body;
    } catch (error) {
      const { name, cause } = error as { name: string; cause?: { code?: string } };
      // Others that wait for the same would each take as long, and hold up letters that need nothing of it.
      if (name === 'TimeoutError') this.restsUntil = performance.now() + REST_MS;
      throw this.away(cause?.code ?? name);
    }
    // A bucket that is not there, and a proxy that knows no store, answer 404, too: that is no object that is gone.
    const code = /<Code>(\w{1,40})<\/Code>/.exec(body.toString('latin1', 0, 4_096))?.[1];
    if (status === 404 && code === 'NoSuchKey') return null;
    throw this.away(`it answered ${status}${code ? ` ${code}` : ''}`);
  }

  private away(reason: string): DomainError {
    return new DomainError(
      'unavailable',
      'STORAGE_UNAVAILABLE',
      `The object store at ${this.host} does not work now: ${reason}.`,
      { retryAfterS: 10 },
    );
  }
}
