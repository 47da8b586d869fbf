import { createHash } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import { DomainError } from '../domain/errors';
import { s3Address } from '../config/s3-url';

const ANSWER_MS = 20_000;

/** One bucket of an object store that speaks S3, addressed by path. Errors name its host, port and answer, nothing else. */
export class S3Bucket {
  private readonly client: AwsClient;
  private readonly base: string;
  private readonly host: string;

  /** @param url as STORAGE_URL has it */
  constructor(url: string) {
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
    const answer = await this.ask('GET', key, {}, 404);
    return answer.status === 404 ? null : Buffer.from(await answer.arrayBuffer());
  }

  async remove(key: string): Promise<void> {
    await this.ask('DELETE', key, {}, 404);
  }

  private async ask(method: string, key: string, init: RequestInit, also?: number): Promise<Response> {
    let answer: Response;
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      answer = await this.client.fetch(`${this.base}/${key}`, { method, redirect: 'manual', signal, ...init });
    } catch (error) {
      const { cause } = error as { cause?: { code?: string } };
      throw this.away(cause?.code ?? (error as Error).name);
    }
    if (answer.ok || answer.status === also) return answer;
    await answer.body?.cancel();
    throw this.away(`it answered ${answer.status}`);
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
