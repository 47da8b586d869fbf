import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { RedisConnection } from '../queue/redis.module';
import type { WebAnswer } from './answers';

const KEPT_SECONDS = 600;
const LOOK_MS = 50;

/**
 * A form that is sent twice (a double click, a reload) does its work once: the second request waits for the first and
 * redirects to the same page. A form that was shown again with problems did nothing, so sending it again counts.
 * Without Redis every form counts as new.
 */
@Injectable()
export class OnceService {
  constructor(private readonly redis: RedisConnection) {}

  async answer(userId: number, sending: string, work: () => Promise<WebAnswer>): Promise<WebAnswer> {
    const name = this.redis.key(`form:${userId}:${sending}`);
    for (let first = await this.begin(name); !first; first = await this.begin(name)) {
      const kept = await this.redis.client.get(name).catch(() => null);
      if (kept) return JSON.parse(kept) as WebAnswer;
      await sleep(LOOK_MS);
    }
    let answer: WebAnswer | undefined;
    try {
      return (answer = await work());
    } finally {
      await (
        answer?.kind === 'redirect'
          ? this.redis.client.set(name, JSON.stringify(answer), 'EX', KEPT_SECONDS)
          : this.redis.client.del(name)
      ).catch(() => null);
    }
  }

  private async begin(name: string): Promise<boolean> {
    return (await this.redis.client.set(name, '', 'EX', KEPT_SECONDS, 'NX').catch(() => 'OK')) === 'OK';
  }
}
