import type { PinoLogger } from 'nestjs-pino';

const MINUTE = 60_000;

type Line = { event: string; reason: string } & Record<string, unknown>;

/**
 * For errors that may come with every command: the first is logged at once, then at most one line a minute with the
 * number of further ones. Messages that differ only in numbers count as the same.
 */
export class Repeated {
  private readonly since = new Map<string, { times: number }>();

  constructor(
    private readonly logger: Pick<PinoLogger, 'warn'>,
    private readonly everyMs = MINUTE,
  ) {}

  warn(line: Line, message: string): void {
    const reason = line.reason.replace(/[0-9a-f]*\d[0-9a-f]*/gi, '0');
    const key = `${line.event} ${JSON.stringify(line.queue ?? '')} ${reason}`;
    const counted = this.since.get(key);
    if (counted) {
      counted.times++;
      return;
    }
    this.logger.warn(line, message);
    this.count(key, line, message);
  }

  private count(key: string, line: Line, message: string): void {
    const counted = { times: 0 };
    this.since.set(key, counted);
    setTimeout(() => {
      this.since.delete(key);
      if (counted.times === 0) return;
      this.logger.warn({ ...line, times: counted.times, withinMs: this.everyMs }, `${message}, again and again`);
      this.count(key, line, message);
    }, this.everyMs).unref();
  }
}
