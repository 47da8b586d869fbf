import { setTimeout as sleep } from 'node:timers/promises';
import { FaultRig, inTurn, someOf } from '../support/fault-rig';
import { RedisAddress } from '../support/redis-address';
import { RedisServer } from '../support/redis-server';
import type { TcpProxy } from '../support/tcp-proxy';

jest.setTimeout(900_000);

const long = Boolean(process.env.FAULT_MINUTES);
const letters = (n: number) => Array.from({ length: n }, () => 'ok-');

const sometimes = inTurn(8, 4);

describe('Redis replaced under living connections', () => {
  let rig: FaultRig;
  let first: RedisServer;
  let second: RedisServer;
  let address: RedisAddress;
  let proxy: TcpProxy;

  beforeAll(async () => {
    rig = await FaultRig.start();
  });

  afterAll(async () => {
    await rig?.stop();
  });

  beforeEach(async () => {
    [first, second] = await Promise.all([RedisServer.start(), RedisServer.start()]);
    address = await RedisAddress.start(rig, first.port);
    proxy = address.proxy;
  });

  afterEach(async () => {
    await address?.stop();
    await Promise.all([first.stop(), second.stop()]);
  });

  const degraded = (reason: string) => address.degraded(reason);
  const allSent = (deliveries: number, fault: string) => address.allSent(deliveries, fault);

  it.each(someOf(long ? (['keep', 'hang', 'break'] as const) : (['keep', 'hang'] as const), 1))(
    'a fail-over to the replica behind one address; old connections %s',
    async (old) => {
      await second.admin.replicaof('127.0.0.1', String(first.port));
      await rig.send(await rig.mailing(letters(500)));
      await rig.accepted(100);
      await second.admin.replicaof('NO', 'ONE');
      await first.admin.replicaof('127.0.0.1', String(second.port));
      proxy.move(second.port, old);
      await allSent(500, `fail-over of Redis; old connections ${old}`);
    },
  );

  sometimes('a server that became read-only, and can be written again', async () => {
    await rig.send(await rig.mailing(letters(300)));
    await rig.accepted(100);
    await first.admin.replicaof('127.0.0.1', '1');
    await degraded('redis_readonly');
    const more = await rig.mailing(letters(20));
    await rig.send(more);
    await sleep(6_000);
    expect((await address.health()).degraded).toEqual(['redis', 'redis_readonly']);
    await first.admin.replicaof('NO', 'ONE');
    await allSent(320, 'Redis read-only for a while');
  });

  sometimes('a server that is full', async () => {
    await rig.send(await rig.mailing(letters(300)));
    await rig.accepted(100);
    await first.admin.config('SET', 'maxmemory', '1');
    await degraded('redis_full');
    await sleep(6_000);
    await first.admin.config('SET', 'maxmemory', '0');
    await allSent(300, 'Redis full for a while');
    // Also when there is no worker to complain.
    await rig.killAll();
    await first.admin.config('SET', 'maxmemory', '1');
    await degraded('redis_full');
  });

  it.each(someOf(long ? ['zadd', 'evalsha', 'bzpopmin', 'hmget', 'lpush', 'rpop'] : ['zadd', 'bzpopmin'], 1))(
    'a user without the right for %s, until it has it again',
    async (command) => {
      await rig.send(await rig.mailing(letters(300)));
      await rig.accepted(50);
      await first.admin.call('ACL', 'SETUSER', 'default', `-${command}`);
      await degraded('redis_refused');
      await sleep(3_000);
      await first.admin.call('ACL', 'SETUSER', 'default', `+${command}`);
      await allSent(300, `no right for ${command}`);
    },
  );

  sometimes("workers' rights alone: their trouble counts, too", async () => {
    await first.admin.call('ACL', 'SETUSER', 'worker', 'on', '>pass', '~*', '&*', '+@all', '-bzpopmin');
    await rig.killAll();
    const own = { ...address.env, TAKEOVER_MS: '2000', REDIS_URL: `redis://worker:pass@127.0.0.1:${proxy.port}/0` };
    address.workers = await rig.startWorkers(2, own);
    await degraded('redis_refused');
    await rig.send(await rig.mailing(letters(50)));
    // Longer than a worker bears that jobs wait and it gets none.
    await sleep(8_000);
    await first.admin.call('ACL', 'SETUSER', 'worker', '+bzpopmin');
    await allSent(50, 'workers without a right');
  });

  sometimes('a server that wants another password, until it is told ours', async () => {
    await rig.send(await rig.mailing(letters(300)));
    await rig.accepted(50);
    await second.admin.call('ACL', 'SETUSER', 'default', 'resetpass', '>other');
    proxy.move(second.port, 'break');
    await degraded('redis_refused');
    await sleep(3_000);
    await second.admin.call('ACL', 'SETUSER', 'default', 'nopass');
    await allSent(300, 'Redis wants another password');
  });

  if (long)
    it('an empty server instead', async () => {
      await rig.send(await rig.mailing(letters(300)));
      await rig.accepted(100);
      proxy.move(second.port, 'hang');
      await allSent(300, 'another, empty Redis');
    });

  sometimes('a server that reads a big dump at its start', async () => {
    await rig.send(await rig.mailing(letters(300)));
    await rig.accepted(50);
    await first.admin.eval(`for i = 1, ARGV[1] do redis.call('SET', 'filler:' .. i, i) end`, 0, long ? 40_000 : 12_000);
    await first.admin.save();
    // A millisecond for each key, and clients are heard meanwhile.
    await first.restart(['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024']);
    await degraded('redis_loading');
    const late = await rig.startWorker(address.env, false);
    await late.says(/waiting for Redis at .*: it is loading its data/);
    await first.admin.ping();
    await allSent(300, 'Redis reads a big dump');
    await late.says(/Worker is ready/);
  });

  sometimes('a replica that has lost its primary, and answers nothing', async () => {
    await rig.send(await rig.mailing(letters(300)));
    await rig.accepted(50);
    await second.admin.config('SET', 'replica-serve-stale-data', 'no');
    await second.admin.replicaof('127.0.0.1', '1');
    proxy.move(second.port, 'break');
    await degraded('redis_readonly');
    const late = await rig.startWorker(address.env, false);
    await late.says(/waiting for Redis at .*: it is a replica that has lost its primary/);
    await second.admin.replicaof('NO', 'ONE');
    await allSent(300, 'a replica of Redis without its primary');
    await late.says(/Worker is ready/);
  });

  sometimes('a server that has no connection left', async () => {
    await rig.send(await rig.mailing(letters(300)));
    await rig.accepted(50);
    await first.admin.config('SET', 'maxclients', '1');
    await first.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    // It closes what is refused, often before its word can be read.
    await degraded('redis_unreachable');
    await first.admin.config('SET', 'maxclients', '1000');
    await allSent(300, 'Redis has no connection left');
  });

  sometimes('a Redis Cluster is refused in one sentence, and said when it turns up later', async () => {
    const cluster = await RedisServer.start(['--cluster-enabled', 'yes']);
    try {
      const own = (database: number) => ({
        ...address.env,
        REDIS_URL: `redis://127.0.0.1:${cluster.port}/${database}`,
      });
      for (const program of [await rig.startWorker(own(0), false), rig.beginApi(own(5))]) {
        await program.ends(30_000);
        expect(program.ending).toBe(1);
        const said = program.log.split('\n').filter((line) => line.includes('Redis Cluster'));
        expect(said).toHaveLength(1);
        expect(said[0]).toMatch(/is a Redis Cluster, which is not supported/);
      }
      proxy.move(cluster.port, 'break');
      await degraded('redis_cluster');
      await address.workers[0]?.says(/Redis Cluster, which is not supported/);
      proxy.move(first.port, 'break');
      await rig.send(await rig.mailing(letters(50)));
      await allSent(50, 'a Redis Cluster for a while');
    } finally {
      await cluster.stop();
    }
  });
});
