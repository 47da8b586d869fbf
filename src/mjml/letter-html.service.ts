import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DomainError } from '../domain/errors';
import type { Mjml } from '../domain/letter-document/mjml';

interface Asked {
  resolve(html: string): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** Loading MJML takes a second or two, the largest letter less than one. */
const LIMIT_MS = 20_000;
const MEMORY_MB = 256;
/** After so much silence the thread ends, with the memory that MJML takes. */
const IDLE_MS = 5 * 60_000;
/** So many letters wait at most, of all users together. */
const WAITING = 100;

/**
 * Makes letters' HTML from MJML, in a thread of its own: the process goes on answering meanwhile. The thread begins with
 * the first letter, ends when none was made for a while, and is replaced if it fails or takes too long.
 */
@Injectable()
export class LetterHtml implements OnModuleDestroy {
  private readonly logger = new Logger(LetterHtml.name);
  private readonly asked = new Map<number, Asked>();
  private worker: Worker | null = null;
  private idle: NodeJS.Timeout | undefined;
  private lastId = 0;

  /** @throws DomainError LETTER_NOT_MADE if too many wait, or it took too long */
  make(mjml: Mjml): Promise<string> {
    if (this.asked.size >= WAITING) return Promise.reject(busy());
    clearTimeout(this.idle);
    const id = ++this.lastId;
    return new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => this.fail(new Error('took too long')), LIMIT_MS);
      this.asked.set(id, { resolve, reject, timer });
      this.worker ??= this.begin();
      this.worker.postMessage({ id, mjml });
    });
  }

  async onModuleDestroy(): Promise<void> {
    clearTimeout(this.idle);
    await this.worker?.terminate();
  }

  private begin(): Worker {
    const worker = new Worker(join(__dirname, `mjml-thread${extname(__filename)}`), {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
      // Tests run the source: Node then tells that it has to find out what kind of module it is.
      execArgv: ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON'],
    });
    worker.unref();
    worker.on('message', ({ id, html, error }: { id: number; html?: string; error?: string }) => {
      const asked = this.asked.get(id);
      if (!asked) return;
      this.settle(id, asked);
      if (html === undefined) asked.reject(new Error(`MJML failed: ${error}`));
      else asked.resolve(html);
    });
    worker.on('error', (error: Error) => this.worker === worker && this.fail(error));
    worker.on('exit', () => this.worker === worker && this.fail(new Error('ended')));
    return worker;
  }

  private settle(id: number, { timer }: Asked): void {
    clearTimeout(timer);
    this.asked.delete(id);
    if (this.asked.size > 0) return;
    this.idle = setTimeout(() => this.end(), IDLE_MS);
    this.idle.unref();
  }

  /** All that wait are told, since the thread is the same for all. */
  private fail(error: Error): void {
    this.end();
    if (this.asked.size === 0) return;
    this.logger.error({ event: 'letter_html_failed', err: error }, 'The thread that makes letters failed.');
    for (const [id, asked] of this.asked) {
      this.settle(id, asked);
      asked.reject(busy());
    }
  }

  private end(): void {
    const { worker } = this;
    this.worker = null;
    void worker?.terminate();
  }
}

const busy = () => new DomainError('unavailable', 'LETTER_NOT_MADE', 'The letter could not be made now. Try again.');
