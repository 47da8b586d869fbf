import type { PinoLogger } from 'nestjs-pino';
import type { Config } from '../../src/config/config.module';
import { Database } from '../../src/database/database';
import { ReturnAddresses } from '../../src/features/consent/return-addresses';
import { InboundJudge } from '../../src/features/inbound/inbound-judge.service';
import { InboundLetters } from '../../src/features/inbound/inbound-letters.service';
import { MailboxReader } from '../../src/features/inbound/mailbox-reader.service';
import type { TestApi } from './api';
import { eventually } from './service';

const PATIENCE_MS = Number(process.env.PATIENCE ?? 60_000);

/** A reader of a mailbox as a worker has one, which asks as often as it is waited for. */
export class TestReader {
  readonly reader: MailboxReader;
  /** Its log. */
  readonly said: string[] = [];

  constructor(
    api: TestApi,
    readonly worker: number,
    settings: Partial<Config>,
  ) {
    const get = <T>(type: abstract new (...args: never[]) => T) => api.app.get<T>(type, { strict: false });
    const line = (fields: object, message: string) => void this.said.push(JSON.stringify({ ...fields, message }));
    const logger = { info: line, warn: line, debug: line } as unknown as PinoLogger;
    this.reader = new MailboxReader(
      get(Database),
      get(InboundLetters),
      get(InboundJudge),
      get(ReturnAddresses),
      { ...api.config, ...settings },
      logger,
    );
    this.reader.pausesMs = [10];
  }

  async until(check: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const look = async () => {
      await this.reader.ask(this.worker);
      return check();
    };
    await eventually(look, what, PATIENCE_MS).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}\n${this.said.join('\n')}`);
    });
  }

  stop(): Promise<void> {
    return this.reader.beforeApplicationShutdown();
  }
}
