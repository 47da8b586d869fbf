/** `plan`: a million deliveries planned by idle workers, and whether a letter of a million costs what one of a few does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { html, subject, text } from './letter.mjs';
import { prepareClients, sendOnce, suppress } from './send.mjs';
import {
  cpuMicros,
  median,
  round,
  rssMb,
  say,
  setStage,
  startApi,
  startWorkers,
  stopProcesses,
  until,
} from './stage.mjs';

export const options = {
  clients: { type: 'string', default: '1000000' },
  few: { type: 'string', default: '10000' },
  suppressed: { type: 'string', default: '0' },
  seconds: { type: 'string', default: '20' },
  workers: { type: 'string', default: '2' },
  runs: { type: 'string', default: '3' },
  // Also mailings to segments that let one client of a hundred in.
  segment: { type: 'boolean', default: false },
};

export async function run(args, { print }) {
  const [clients, few, seconds, workers, runs] = ['clients', 'few', 'seconds', 'workers', 'runs'].map((k) =>
    Number(args[k]),
  );
  const stage = await setStage();
  try {
    await print.head(
      stage,
      `${round(clients)} clients, ${workers} workers, ${seconds} s of sending, median of ${runs}`,
    );
    const many = await prepareClients(stage, clients);
    if (Number(args.suppressed) > 0) await suppress(stage, many.id, Number(args.suppressed), 'client-');
    const some = await prepareClients(stage, few, 'few@example.org');
    const warm = await prepareClients(stage, few, 'warm-up@example.org');
    const api = await startApi(stage, many.token);
    const apiOfFew = await startApi(stage, some.token);
    const segments = args.segment ? await makeSegments(stage, api, many.id) : {};
    const found = [];
    const ofSegments = [];
    for (let n = 1; n <= runs; n++) {
      const small = await sendOnce(stage, apiOfFew, some, {
        letters: few,
        workers,
        warm,
        label: `round ${n}, ${round(few)}`,
      });
      found.push({
        ...(await planOnce(stage, api, { clients, workers, seconds, label: `round ${n}` })),
        small: small.perSecond,
        cpuSmall: small.cpu.workers,
        serversSmall: small.cpu.redis + small.cpu.postgres,
      });
      for (const [name, segmentId] of Object.entries(segments))
        ofSegments.push({
          name,
          ...(await planSegment(stage, api, segmentId, { workers, label: `round ${n}, ${name}` })),
        });
    }
    say('');
    const of = (key) => median(found.map((f) => f[key]));
    const all = clients / of('planned');
    const segmentRows = Object.keys(segments).map((name) => {
      const own = ofSegments.filter((one) => one.name === name);
      const seconds = median(own.map((one) => one.planning));
      const times = `${seconds.toFixed(1)} (${(seconds / all).toFixed(2)} times)`;
      return [`planning ${round(own[0]?.total ?? 0)} of a segment by ${name}, s`, times, `${(3 * all).toFixed(1)}`];
    });
    print.table([
      ['', 'median', 'goal'],
      ['deliveries planned a second', round(of('planned')), '30,000'],
      ...segmentRows,
      ['answer to POST …/send, ms', round(of('answeredMs')), '500'],
      [`letters a second of ${round(clients)}`, round(of('sent')), ''],
      [`letters a second of ${round(few)}`, round(of('small')), ''],
      [`workers' CPU per letter of ${round(clients)}, µs`, round(of('cpu')), `${round(1.1 * of('cpuSmall'))}`],
      [`workers' CPU per letter of ${round(few)}, µs`, round(of('cpuSmall')), ''],
      [`Redis' and PostgreSQL's of ${round(clients)}, µs`, round(of('servers')), ''],
      [`Redis' and PostgreSQL's of ${round(few)}, µs, planning included`, round(of('serversSmall')), ''],
      ['jobs in Redis at most', round(Math.max(...found.map((f) => f.jobs))), '20,000'],
      ['Redis memory at most, MB', round(Math.max(...found.map((f) => f.redisMb))), ''],
      ['worker memory at most, MB', round(Math.max(...found.map((f) => f.workerMb))), '250'],
      ['API memory at most, MB', round(Math.max(...found.map((f) => f.apiMb))), '250'],
    ]);
    return `${round(of('planned'))} deliveries/s; answer ${round(of('answeredMs'))} ms; ${round(of('sent'))} letters/s of a million, ${round(of('small'))} of ${round(few)}; CPU per letter ${round(of('cpu'))} and ${round(of('cpuSmall'))} µs, of Redis and PostgreSQL ${round(of('servers'))} and ${round(of('serversSmall'))} µs; worker ${round(Math.max(...found.map((f) => f.workerMb)))} MB, API ${round(Math.max(...found.map((f) => f.apiMb)))} MB`;
  } finally {
    await stage.end();
  }
}

/** Segments of one client of a hundred: by a tag, and by the end of the name. */
async function makeSegments(stage, api, ownerId) {
  await stage.query(`INSERT INTO tags (owner_id, name) VALUES ($1, 'few')`, [ownerId]);
  await stage.query(
    `INSERT INTO client_tags (tag_id, client_id)
     SELECT t.id, c.id FROM tags t JOIN clients c ON c.owner_id = t.owner_id WHERE t.owner_id = $1 AND c.id % 100 = 0`,
    [ownerId],
  );
  await stage.query('VACUUM ANALYZE client_tags');
  const make = async (name, filter) => (await api.call('POST', '/segments', { name, filter })).id;
  return {
    tag: await make('by tag', { field: 'tag', op: 'is', value: 'few' }),
    text: await make('by text', { field: 'fullName', op: 'endsWith', value: '00' }),
  };
}

/** How long it takes to plan a run of this segment, in seconds. */
async function planSegment(stage, api, segmentId, { workers, label }) {
  const children = await startWorkers(stage, workers);
  const message = await api.call('POST', '/messages', { subject, body: html, bodyText: text });
  const startAt = new Date(Date.now() - 60_000).toISOString();
  const mailing = await api.call('POST', '/mailings', {
    messageId: message.id,
    audience: 'segment',
    segmentId,
    startAt,
    period: 'once',
  });
  const { runId } = await api.call('POST', `/mailings/${mailing.id}/send`);
  say(`${label}: planning`);
  const planned = () => stage.first('SELECT planned_at FROM runs WHERE id = $1', [runId]);
  await until(async () => (await planned()).planned_at, 600_000, 250);
  const { planning } = await stage.first(
    'SELECT extract(epoch FROM planned_at - created_at)::float8 AS planning FROM runs WHERE id = $1',
    [runId],
  );
  const { total } = await stage.first('SELECT count(*)::int AS total FROM deliveries WHERE run_id = $1', [runId]);
  await api.call('POST', `/mailings/${mailing.id}/finish`);
  await stopProcesses(children);
  const redis = new Redis(stage.redis.url);
  await redis.flushall();
  redis.disconnect();
  await stage.query('TRUNCATE attempts, deliveries');
  await stage.query('UPDATE runs SET closing = false');
  return { planning, total };
}

async function planOnce(stage, api, { clients, workers, seconds, label }) {
  const children = await startWorkers(stage, workers);
  const redis = new Redis(stage.redis.url);
  const message = await api.call('POST', '/messages', { subject, body: html, bodyText: text });
  const startAt = new Date(Date.now() - 60_000).toISOString();
  const mailing = await api.call('POST', '/mailings', {
    messageId: message.id,
    audience: 'all',
    startAt,
    period: 'once',
  });
  const startedAt = performance.now();
  const { runId } = await api.call('POST', `/mailings/${mailing.id}/send`);
  const answeredMs = performance.now() - startedAt;
  const peak = { workerMb: 0, apiMb: 0, redisMb: 0, jobs: 0 };
  const look = async () => {
    peak.workerMb = Math.max(peak.workerMb, ...children.map((c) => rssMb(c.pid)));
    peak.apiMb = Math.max(peak.apiMb, rssMb(api.child.pid));
    peak.redisMb = Math.max(peak.redisMb, Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]) / 2 ** 20);
    peak.jobs = Math.max(
      peak.jobs,
      (await redis.llen('{gonets}:delivery:wait')) + (await redis.llen('{gonets}:delivery:active')),
    );
  };
  await until(
    async () => {
      await look();
      const run = await stage.first('SELECT planned_at, plan_cursor FROM runs WHERE id = $1', [runId]);
      say(
        `${label}: planned ${round((await stage.first('SELECT sum(pending + sending + sent) AS n FROM run_counts WHERE run_id = $1', [runId])).n ?? 0)}`,
      );
      return run.planned_at;
    },
    600_000,
    250,
  );
  const { planning } = await stage.first(
    'SELECT extract(epoch FROM planned_at - created_at)::float8 AS planning FROM runs WHERE id = $1',
    [runId],
  );
  await sleep(3_000);
  const before = await stage.sink.letters();
  const pids = children.map((c) => c.pid);
  const servers = [stage.redis.pid, stage.postgres.pid];
  const cpuBefore = [cpuMicros(...pids), cpuMicros(...servers)];
  const sendingFrom = performance.now();
  while (performance.now() - sendingFrom < seconds * 1_000) {
    await sleep(250);
    await look();
    say(
      `${label}: sending, ${round(((await stage.sink.letters()) - before) / ((performance.now() - sendingFrom) / 1_000))} a second`,
    );
  }
  const letters = (await stage.sink.letters()) - before;
  const sent = letters / ((performance.now() - sendingFrom) / 1_000);
  const cpu = (cpuMicros(...pids) - cpuBefore[0]) / letters;
  const cpuOfServers = (cpuMicros(...servers) - cpuBefore[1]) / letters;
  await api.call('POST', `/mailings/${mailing.id}/finish`);
  await stopProcesses(children);
  await redis.flushall();
  redis.disconnect();
  await stage.query('TRUNCATE attempts, deliveries');
  await stage.query('UPDATE runs SET closing = false');
  return { ...peak, planned: clients / planning, answeredMs, sent, cpu, servers: cpuOfServers };
}
