import { FaultRig } from '../support/fault-rig';
import { RedisAddress } from '../support/redis-address';
import { RedisServer } from '../support/redis-server';
import { Sentinel } from '../support/sentinel';
import type { Old } from '../support/tcp-proxy';

jest.setTimeout(600_000);

const LETTERS = 500;

/** What happens to the primary, and what becomes of the connections to it when Sentinel's word moves the address. */
const WAYS: [what: string, old: Old, befalls: (primary: RedisServer, sentinel: Sentinel) => unknown, reason: string][] =
  [
    ['the primary is killed', 'break', (primary) => primary.kill(), 'redis_unreachable'],
    [
      'the primary is frozen, and wakes as a replica',
      'hang',
      (primary) => primary.signal('SIGSTOP'),
      'redis_unreachable',
    ],
    ['by hand; connections to the old primary stay', 'keep', (_, sentinel) => sentinel.failOver(), ''],
  ];

/** One address that follows Sentinel, as a proxy or a virtual IP does: the service itself does not ask Sentinel. */
describe('a fail-over by Redis Sentinel', () => {
  let rig: FaultRig;
  let primary: RedisServer;
  let replica: RedisServer;
  let sentinel: Sentinel;
  let address: RedisAddress;

  beforeAll(async () => {
    rig = await FaultRig.start();
  });

  afterAll(async () => {
    await rig?.stop();
  });

  beforeEach(async () => {
    [primary, replica] = await Promise.all([RedisServer.start(), RedisServer.start()]);
    await replica.admin.replicaof('127.0.0.1', String(primary.port));
    sentinel = await Sentinel.start(primary);
    address = await RedisAddress.start(rig, primary.port);
    await sentinel.knowsReplica();
  });

  afterEach(async () => {
    await address?.stop();
    await sentinel?.stop();
    await Promise.all([primary?.stop(), replica?.stop()]);
  });

  it.each(WAYS)('%s', async (what, old, befalls, reason) => {
    await rig.send(await rig.mailing(Array.from({ length: LETTERS }, () => 'ok-')));
    await rig.accepted(100);
    await befalls(primary, sentinel);
    if (reason) await address.degraded(reason);
    await rig.eventually(() => sentinel.promoted.includes(replica.port), 60_000, 'a new primary');
    address.proxy.move(replica.port, old);
    await address.allSent(LETTERS, `Sentinel: ${what}`);
    primary.signal('SIGCONT');
  });
});
