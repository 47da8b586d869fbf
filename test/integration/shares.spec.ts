import { DataSource } from 'typeorm';
import { Shares, shareByRequest, worksFor } from '../../src/database/shares';
import type { DomainError } from '../../src/domain/errors';
import { WebModule } from '../../src/web/web.module';
import { type Answer, startApi, type TestApi } from '../support/api';

/** That no user's slow reads take the connections that everybody else needs. */

/** Works for a user as a request does. */
const asUser = <T>(userId: number, work: () => Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    shareByRequest({} as never, {} as never, () => {
      worksFor(userId);
      work().then(resolve, reject);
    });
  });

describe('connections for reads of unknown cost', () => {
  it('go to one user by a quarter, to all by half; those who wait come in their order, and not too many of one', async () => {
    const shares = new Shares(8);
    const running: string[] = [];
    const ends: (() => void)[] = [];
    const begin = (userId: number, name: string) =>
      asUser(userId, () =>
        shares.take(() => {
          running.push(name);
          return new Promise<void>((resolve) => ends.push(resolve));
        }),
      );
    const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
    const all = ['a1', 'a2', 'a3'].map((name) => begin(1, name));
    await settled();
    expect(running).toEqual(['a1', 'a2']);
    all.push(begin(2, 'b1'), begin(2, 'b2'), begin(3, 'c1'));
    await settled();
    expect(running).toEqual(['a1', 'a2', 'b1', 'b2']);
    ends[0]?.();
    await settled();
    expect(running).toEqual(['a1', 'a2', 'b1', 'b2', 'c1']);
    const more = Array.from({ length: 60 }, (_, i) =>
      begin(1, `more ${i}`).then(
        () => 'done',
        (error: DomainError) => error.code,
      ),
    );
    await settled();
    const nobodys = shares.take(() => Promise.resolve('at once'));
    expect(await nobodys).toBe('at once');
    const ending = setInterval(() => ends.splice(0).forEach((end) => end()), 1);
    await Promise.all(all);
    const ended = await Promise.all(more);
    clearInterval(ending);
    expect(ended.filter((how) => how === 'RATE_LIMITED')).toHaveLength(10);
    expect(ended.filter((how) => how === 'done')).toHaveLength(50);
  });
});

describe('slow searches', () => {
  let api: TestApi;
  /** Keeps everybody from reading clients, as if there were very many. */
  let outside: DataSource;
  beforeAll(async () => {
    api = await startApi({ databaseConnections: 6 }, [WebModule]);
    outside = await new DataSource({ type: 'postgres', url: api.config.databaseUrl }).initialize();
  });
  afterAll(async () => {
    await outside.destroy();
    await api.close();
  });

  it.each<[string, string]>([
    ['of all texts', '/api/v1/clients?search=x&searchIn=all'],
    ['of attempts', '/attempts?client=xyz'],
    ['of all texts, as a file', '/api/v1/clients/export.csv?search=x&searchIn=all'],
  ])('%s of one user keep nobody else waiting', async (_, path) => {
    const [slow, other] = [await api.person(), await api.person()];
    const { cookie } = await api.signIn(slow.email);
    const runner = outside.createQueryRunner();
    await runner.startTransaction();
    await runner.query('LOCK TABLE clients IN ACCESS EXCLUSIVE MODE');
    let answered = 0;
    const searches = Array.from({ length: 30 }, () =>
      api
        .call('GET', path, path.startsWith('/api') ? { token: slow.token } : { cookie })
        .then((answer) => (answered++, answer)),
    );
    try {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const messages: Promise<Answer>[] = Array.from({ length: 10 }, () =>
        api.call('GET', '/api/v1/messages', { token: other.token }),
      );
      for (const { status } of await Promise.all(messages)) expect(status).toBe(200);
      // Each search may wait five seconds for its clients.
      expect(answered).toBe(0);
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
    for (const { status } of await Promise.all(searches)) expect([200, 409]).toContain(status);
  });
});
