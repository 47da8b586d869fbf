/** `send`: a mailing from the request to its last record, against four references on the same sink in the same run. */
import { generateKeyPairSync } from 'node:crypto';
import { html, subject, text } from './letter.mjs';
import {
  cli,
  cpuMicros,
  median,
  round,
  rssMb,
  runReference,
  say,
  setStage,
  startApi,
  startWorkers,
  stopProcesses,
  until,
} from './stage.mjs';

export const options = {
  letters: { type: 'string', default: '50000' },
  workers: { type: 'string', default: '2' },
  runs: { type: 'string', default: '3' },
  connections: { type: 'string', default: '10' },
  'warm-up': { type: 'string', default: '10000' },
  suppressions: { type: 'string', default: '0' },
  'no-references': { type: 'boolean', default: false },
  'no-dkim': { type: 'boolean', default: false },
  verp: { type: 'boolean', default: false },
};

const REFERENCES = {
  socket: 'a: raw socket, ready bytes',
  connection: 'b: SMTPConnection, ready buffer',
  pool: 'c: bare nodemailer pool',
  naive: 'd: one job, sendMail, INSERT',
};

export async function run(args, { print }) {
  const [letters, workers, runs, connections, warmUp] = ['letters', 'workers', 'runs', 'connections', 'warm-up'].map(
    (k) => Number(args[k]),
  );
  const stage = await setStage({ env: { SMTP_CONNECTIONS: String(connections) } });
  try {
    await print.head(
      stage,
      `${round(letters)} letters after ${round(warmUp)} to get warm, ${workers} workers × ${connections} connections, median of ${runs}`,
    );
    const owner = await prepareClients(stage, letters);
    const warm = warmUp > 0 ? await prepareClients(stage, warmUp, 'warm-up@example.org') : undefined;
    if (Number(args.suppressions) > 0) await suppress(stage, owner.id, Number(args.suppressions), 'gone-');
    await stage.query(
      `CREATE TABLE naive_log (id bigserial PRIMARY KEY, at timestamptz DEFAULT now(), email text, status text, response text)`,
    );
    const api = await startApi(stage, owner.token);
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    const dkim = { DKIM_DOMAIN: 'example.org', DKIM_PRIVATE_KEY: String(key) };
    const rounds = [];
    const signed = [];
    const verp = [];
    for (let n = 1; n <= runs; n++) {
      const result = {};
      // As many letters as take each of them a few seconds; what Gonets is compared with just before it and just after it.
      const refer = async (kinds) => {
        if (args['no-references']) return;
        for (const [kind, share] of Object.entries(kinds)) {
          say(`round ${n} of ${runs}: ${REFERENCES[kind]}`);
          const size = { letters: Math.max(2_000, Math.round(letters * share)), workers, connections, warmUp };
          const measured = await runReference(stage, kind, size);
          result[kind] = result[kind] ? both(result[kind], measured) : measured;
        }
      };
      await refer({ socket: 1, connection: 1, naive: 0.1, pool: 0.2 });
      const label = (what) => `round ${n} of ${runs}: ${what}`;
      const plain = async () => {
        result.gonets = await sendOnce(stage, api, owner, { letters, workers, warm, label: label('Gonets') });
      };
      const withVerp = async () => {
        const env = { BOUNCE_ADDRESS: 'bounces@example.org' };
        verp.push(await sendOnce(stage, api, owner, { letters, workers, warm, env, label: label('Gonets with VERP') }));
      };
      // Each is as often the first of the two.
      for (const send of args.verp ? (n % 2 ? [plain, withVerp] : [withVerp, plain]) : [plain]) await send();
      await refer({ pool: 0.2, naive: 0.1 });
      rounds.push(result);
      if (!args['no-dkim'])
        signed.push(
          await sendOnce(stage, api, owner, { letters, workers, warm, env: dkim, label: label('Gonets with DKIM') }),
        );
    }
    say('');
    return report(print, rounds, signed, verp);
  } finally {
    await stage.end();
  }
}

/** The mean of two measurements of as many letters. */
const both = (a, b) => ({
  perSecond: 2 / (1 / a.perSecond + 1 / b.perSecond),
  cpu: Math.round((a.cpu + b.cpu) / 2),
});

/** A user with so many clients and a token. */
export async function prepareClients(stage, count, email = 'owner@example.org') {
  const user = JSON.parse(await cli(stage, 'create-user', '--email', email, '--role', 'user', '--json'));
  const { token } = JSON.parse(await cli(stage, 'create-token', '--email', email, '--name', 'bench', '--json'));
  say(`making ${round(count)} clients`);
  const page = 100_000;
  for (let from = 0; from < count; from += page) {
    await stage.query(
      `INSERT INTO clients (owner_id, email, full_name, comment)
       SELECT $1, 'client-' || n || '@example' || n % 100 || '.net', 'Client Number ' || n, '' FROM generate_series($2::int, $3::int) n`,
      [user.id, from, Math.min(from + page, count) - 1],
    );
  }
  await stage.query('VACUUM ANALYZE clients');
  return { id: user.id, token };
}

/** Suppresses so many addresses for this owner: of their own clients with the prefix `client-`, else of nobody. */
export async function suppress(stage, ownerId, count, prefix) {
  say(`making ${round(count)} suppressions`);
  await stage.query(
    `INSERT INTO suppressions (owner_id, listed_for, email_key, address_hash, reason, source)
     SELECT $1, $1, $3 || n || '@example' || n % 100 || '.net',
            address_hash($3 || n || '@example' || n % 100 || '.net'), 'unsubscribed', 'import'
       FROM generate_series(0, $2::int - 1) n`,
    [ownerId, count, prefix],
  );
  await stage.query('VACUUM ANALYZE suppressions');
}

/** A mailing of this owner to all of their clients, not started. */
async function makeMailing(api, { token }) {
  const headers = { authorization: `Bearer ${token}` };
  const message = await api.call('POST', '/messages', { subject, body: html, bodyText: text }, headers);
  const startAt = new Date(Date.now() - 60_000).toISOString();
  const what = { messageId: message.id, audience: 'all', startAt, period: 'once' };
  return { ...(await api.call('POST', '/mailings', what, headers)), headers };
}

/**
 * One mailing, from POST …/send until its run is done, by new workers. What `warm` has is sent first and not counted.
 * @param {any} stage
 * @param {{ call: Function }} api
 * @param {{ token: string }} owner
 * @param {{ letters: number, workers: number, warm?: any, env?: Record<string, string>, label: string }} options
 */
export async function sendOnce(stage, api, owner, { letters, workers, warm, env = {}, label }) {
  const children = await startWorkers(stage, workers, env);
  if (warm) {
    const { id, headers } = await makeMailing(api, warm);
    const { runId } = await api.call('POST', `/mailings/${id}/send`, undefined, headers);
    say(`${label}: getting warm`);
    await until(
      async () => (await stage.first('SELECT status FROM runs WHERE id = $1', [runId])).status === 'done',
      120_000,
    );
  }
  const mailing = await makeMailing(api, owner);
  const before = await stage.sink.letters();
  const pids = {
    workers: children.map((c) => c.pid),
    redis: [stage.redis.pid],
    postgres: [stage.postgres.pid],
    sink: [stage.sink.pid],
  };
  const cpuBefore = Object.fromEntries(Object.entries(pids).map(([name, list]) => [name, cpuMicros(...list)]));
  const startedAt = performance.now();
  const { runId } = await api.call('POST', `/mailings/${mailing.id}/send`);
  const answeredMs = performance.now() - startedAt;
  let peak = 0;
  let planned;
  await until(
    async () => {
      const run = await stage.first('SELECT status, planned_at FROM runs WHERE id = $1', [runId]);
      if (run.planned_at) planned ??= performance.now();
      peak = Math.max(peak, ...pids.workers.map(rssMb));
      const n = (await stage.sink.letters()) - before;
      say(
        `${label}: ${round(n)} of ${round(letters)}, ${round((n * 1000) / (performance.now() - startedAt))} a second`,
      );
      return run.status === 'done';
    },
    Math.max(120_000, letters * 5),
    250,
  );
  const cpu = Object.fromEntries(
    Object.entries(pids).map(([name, list]) => [name, Math.round((cpuMicros(...list) - cpuBefore[name]) / letters)]),
  );
  const check = await stage.first(
    `SELECT (SELECT count(*) FROM deliveries WHERE run_id = $1 AND status = 'sent') AS sent,
            (SELECT count(*) FROM attempts WHERE run_id = $1 AND status = 'ok') AS ok,
            extract(epoch FROM (SELECT finished_at - created_at FROM runs WHERE id = $1))::float8 AS seconds,
            extract(epoch FROM (SELECT planned_at - created_at FROM runs WHERE id = $1))::float8 AS planning`,
    [runId],
  );
  const accepted = (await stage.sink.letters()) - before;
  if (check.sent !== letters || check.ok !== letters || accepted !== letters)
    throw new Error(
      `of ${letters} letters ${accepted} were accepted, ${check.sent} are sent, ${check.ok} attempts are ok`,
    );
  await stopProcesses(children);
  return {
    runId,
    perSecond: letters / check.seconds,
    sending: letters / (check.seconds - check.planning),
    planning: letters / check.planning,
    answeredMs,
    rss: peak,
    cpu,
  };
}

function report(print, rounds, signed, verp) {
  const of = (pick) => median(rounds.map(pick));
  const gonets = of((r) => r.gonets.perSecond);
  const ratio = (kind) => (rounds[0][kind] ? of((r) => r.gonets.perSecond / r[kind].perSecond) : undefined);
  const rows = [['', 'letters/s', 'CPU µs per letter', 'Gonets is']];
  for (const [kind, name] of Object.entries(REFERENCES)) {
    if (!rounds[0][kind]) continue;
    rows.push([name, round(of((r) => r[kind].perSecond)), `${of((r) => r[kind].cpu)}`, `${ratio(kind).toFixed(2)} ×`]);
  }
  const cpuOf = (list) =>
    ['workers', 'redis', 'postgres', 'sink'].map((p) => `${p} ${median(list.map((r) => r.cpu[p]))}`).join(', ');
  const ours = rounds.map((r) => r.gonets);
  rows.push(['Gonets, request to last record', round(gonets), cpuOf(ours), '']);
  rows.push(['… from the end of planning on', round(median(ours.map((r) => r.sending))), '', '']);
  if (signed.length > 0)
    rows.push(['Gonets with DKIM (RSA-2048)', round(median(signed.map((r) => r.perSecond))), cpuOf(signed), '']);
  if (verp.length > 0) rows.push(['Gonets with VERP', round(median(verp.map((r) => r.perSecond))), cpuOf(verp), '']);
  print.table(rows);
  if (verp.length > 0) {
    const cpu = ({ cpu }) => cpu.workers + cpu.redis + cpu.postgres;
    const ratios = verp.map((r, i) => cpu(r) / cpu(ours[i]));
    print.line(
      `CPU per letter with VERP, sink not counted: ${median(ratios).toFixed(3)} × of that without (each round: ${ratios.map((r) => r.toFixed(3)).join(', ')})`,
    );
  }
  print.line(
    `planning ${round(median(ours.map((r) => r.planning)))} deliveries/s; answer to send ${Math.round(median(ours.map((r) => r.answeredMs)))} ms; worker memory at most ${Math.round(Math.max(...ours.map((r) => r.rss)))} MB`,
  );
  const each = rounds.map(
    (r) => round(r.gonets.perSecond) + (r.pool ? ` (${(r.gonets.perSecond / r.pool.perSecond).toFixed(2)} × c)` : ''),
  );
  print.line(`each round: ${each.join(', ')}`);
  const ratios = ['socket', 'connection', 'pool', 'naive']
    .filter((kind) => rounds[0][kind])
    .map((kind, i) => `${ratio(kind).toFixed(2)} × (${'abcd'[i]})`);
  return [
    `${round(gonets)} letters/s`,
    ratios.join(', '),
    ...(signed.length ? [`with DKIM ${round(median(signed.map((r) => r.perSecond)))}`] : []),
  ].join('; ');
}
