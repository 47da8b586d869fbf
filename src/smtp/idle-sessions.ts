import type { SmtpSession } from './smtp-session';

/** Free connections: the one that became free last is taken first, and one that stays unused for long is closed. */
export class IdleSessions {
  private readonly idle: SmtpSession[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly closeMs: number) {}

  get size(): number {
    return this.idle.length;
  }

  put(session: SmtpSession): void {
    session.idleSince = performance.now();
    this.idle.push(session);
    this.timer ??= setTimeout(() => this.closeOld(), this.closeMs).unref();
  }

  take(): SmtpSession | undefined {
    return this.idle.pop();
  }

  /** One that has served no letter. */
  takeUnused(): SmtpSession | undefined {
    const at = this.idle.findIndex((session) => session.letters === 0);
    return at < 0 ? undefined : this.idle.splice(at, 1)[0];
  }

  /** A session that is dead. */
  forget(session: SmtpSession): void {
    const at = this.idle.indexOf(session);
    if (at >= 0) this.idle.splice(at, 1);
  }

  /** Closes at most so many by QUIT, the oldest first. */
  async quit(most: number): Promise<void> {
    if (most >= this.idle.length) {
      clearTimeout(this.timer);
      this.timer = undefined;
    }
    await Promise.all(this.idle.slice(0, most).map((session) => session.quit()));
  }

  private closeOld(): void {
    this.timer = undefined;
    const longAgo = performance.now() - this.closeMs;
    for (const session of [...this.idle]) if (session.idleSince <= longAgo + 1) void session.quit();
    const [oldest] = this.idle;
    if (oldest) this.timer = setTimeout(() => this.closeOld(), Math.max(1, oldest.idleSince - longAgo)).unref();
  }
}
