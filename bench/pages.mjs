/** `pages`: every list, search, filter and number of the API, and every page of the interface, over millions of rows. */
import { join } from 'node:path';
import { fill } from './pages-data.mjs';
import { median, projectFolder, round, rssMb, say, setStage, startApi } from './stage.mjs';

export const options = {
  clients: { type: 'string', default: '1000000' },
  attempts: { type: 'string', default: '5000000' },
  runs: { type: 'string', default: '5' },
  /** Keeps the filled database, whatever its size, in .data/bench-pages, and uses it again. */
  keep: { type: 'boolean', default: false },
};

const BUDGET_MS = { page: 50, report: 500, everything: 5_000 };

export async function run(args, { print }) {
  const [clients, attempts, runs] = ['clients', 'attempts', 'runs'].map((k) => Number(args[k]));
  const stage = await setStage({
    env: { API_CALLS_PER_MINUTE: '1000000' },
    postgresSettings: { max_wal_size: '4GB' },
    data: args.keep ? join(projectFolder, '.data/bench-pages') : undefined,
  });
  try {
    const tokens = await fill(stage, clients, attempts);
    const size = await stage.first(
      `SELECT (SELECT count(*) FROM clients) AS clients, (SELECT count(*) FROM attempts) AS attempts`,
    );
    await print.head(stage, `${round(size.clients)} clients, ${round(size.attempts)} attempts, median of ${runs}`);
    const found = [];
    let apiMb = 0;
    for (const [who, token] of Object.entries(tokens)) {
      const api = await startApi(stage, token);
      const some = await ids(api);
      for (const [name, path] of Object.entries({ ...calls(some, who), ...pages(some, who) })) {
        say(`${who}: ${name}`);
        const place = typeof path === 'function' ? await path(api) : path;
        const times = [];
        for (let n = 0; n < runs; n++) times.push(await timed(api, token, place));
        const kind = /search in all/.test(name) ? 'everything' : /report/.test(name) ? 'report' : 'page';
        const budget = BUDGET_MS[kind];
        found.push({ name: `${who}: ${name}`, ms: median(times), first: times[0], budget });
        apiMb = Math.max(apiMb, rssMb(api.child.pid));
      }
      api.child.expected = true;
      api.child.kill();
    }
    say('');
    found.sort((a, b) => b.ms - a.ms);
    print.table([['', 'ms', 'first'], ...found.map((f) => [f.name, f.ms.toFixed(1), f.first.toFixed(0)])]);
    const slow = found.filter((f) => f.ms > f.budget);
    for (const f of slow) print.line(`over its budget of ${f.budget} ms: ${f.name}, ${f.ms.toFixed(0)} ms`);
    const all = `${found.length} pages and calls, median ${median(found.map((f) => f.ms)).toFixed(1)} ms`;
    print.line(
      slow.length === 0
        ? `${all}: each within its budget (${BUDGET_MS.page} ms, reports ${BUDGET_MS.report} ms, searches through everything ${BUDGET_MS.everything} ms)`
        : `${all}: ${slow.length} over their budget`,
    );
    return `${all}, ${slow.length} over their budget, slowest ${found[0].name} ${found[0].ms.toFixed(0)} ms; API ${round(apiMb)} MB`;
  } finally {
    await stage.end();
  }
}

/** From the request to the last byte of the answer, in milliseconds. */
async function timed(api, token, path) {
  const startedAt = performance.now();
  const response = await fetch(api.base + path, { headers: { authorization: `Bearer ${token}` }, redirect: 'manual' });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
  return performance.now() - startedAt;
}

const from = new Date(Date.now() - 40 * 86_400_000).toISOString();
const to = new Date(Date.now() - 39 * 86_400_000).toISOString();

/** One call of each kind, and the second page where there is one. */
function calls({ runId, mailingId, clientId, deliveryId, segmentId }, who) {
  const second = (path) => async (api) => {
    const { nextCursor } = await api.call('GET', path);
    return nextCursor ? `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(nextCursor)}` : path;
  };
  const sorts = ['id', '-id', 'email', '-email', 'fullName', '-fullName'];
  const searches = { rare: 'client-77777@', frequent: 'client', none: 'nobody-at-all', short: 'x9' };
  const paths = {
    'home numbers': '/statistics',
    'clients, total': '/clients?withTotal=true',
    ...Object.fromEntries(sorts.map((sort) => [`clients by ${sort}`, `/clients?sort=${sort}`])),
    ...Object.fromEntries(sorts.map((sort) => [`clients by ${sort}, second page`, second(`/clients?sort=${sort}`)])),
    ...Object.fromEntries(
      Object.entries(searches).flatMap(([kind, term]) =>
        ['-id', 'email', 'fullName'].map((sort) => [
          `clients, ${kind} search, by ${sort}`,
          `/clients?search=${encodeURIComponent(term)}&sort=${sort}`,
        ]),
      ),
    ),
    'clients, search in all, frequent': '/clients?search=company%207&searchIn=all',
    'clients, search in all, nobody': '/clients?search=nobody-at-all&searchIn=all',
    'clients of a tag': '/clients?tag=tag%207',
    'clients of a tag, second page': second('/clients?tag=tag%207'),
    'clients of a tag, by name': '/clients?tag=tag%207&sort=fullName',
    'clients of a rare tag, by name': '/clients?tag=rare&sort=fullName',
    'clients of a segment': `/clients?segmentId=${segmentId}`,
    'clients of a segment, second page': second(`/clients?segmentId=${segmentId}`),
    'clients subscribed': '/clients?subscription=subscribed',
    fields: '/fields',
    tags: '/tags',
    segments: '/segments',
    mailings: '/mailings',
    'mailings, search': '/mailings?search=mailing',
    'runs of a mailing': `/mailings/${mailingId}/runs`,
    run: `/runs/${runId}`,
    'deliveries of a run': `/runs/${runId}/deliveries?withTotal=true`,
    'deliveries of a run, second page': second(`/runs/${runId}/deliveries`),
    'deliveries of a run, sent': `/runs/${runId}/deliveries?status=sent`,
    'deliveries of a run, failed': `/runs/${runId}/deliveries?status=failed`,
    'deliveries of a run, search': `/runs/${runId}/deliveries?search=client-77777`,
    'deliveries of a run, search for nobody': `/runs/${runId}/deliveries?search=nobody-at-all`,
    'deliveries of a client': `/clients/${clientId}/deliveries`,
    attempts: '/attempts',
    'attempts, second page': second('/attempts'),
    'attempts, failed': '/attempts?status=failed',
    'attempts, unknown': '/attempts?status=unknown',
    'attempts of a mailing': `/attempts?mailingId=${mailingId}`,
    'attempts of a mailing, failed': `/attempts?mailingId=${mailingId}&status=failed`,
    'attempts of a run': `/attempts?runId=${runId}`,
    'attempts of a run, failed': `/attempts?runId=${runId}&status=failed`,
    'attempts of a run, unknown': `/attempts?runId=${runId}&status=unknown`,
    'attempts of a client': `/attempts?clientId=${clientId}`,
    'attempts of a delivery': `/attempts?deliveryId=${deliveryId}`,
    'attempts of one day': `/attempts?from=${from}&to=${to}`,
    'attempts of one day, failed': `/attempts?from=${from}&to=${to}&status=failed`,
    'attempts of one day of a mailing': `/attempts?mailingId=${mailingId}&from=${from}&to=${to}`,
    'report by day': '/reports?by=day',
    'report by month': '/reports?by=month',
    ...(who !== 'manager' ? {} : { transport: '/transport' }),
  };
  return Object.fromEntries(
    Object.entries(paths).map(([name, path]) => [
      `API ${name}`,
      typeof path === 'string' ? `/api/v1${path}` : async (api) => `/api/v1${await path(api)}`,
    ]),
  );
}

const today = new Date().toISOString().slice(0, 10);

/** The interface, as HTML. */
function pages({ runId, mailingId, clientId, messageId, segmentId }, who) {
  return {
    home: '/',
    'home, live part': '/live',
    clients: '/clients',
    'clients, search': '/clients?search=client-7777',
    'clients by name': '/clients?sort=fullName',
    'clients of a tag': '/clients?tag=tag%207',
    'clients of a segment': `/clients?segmentId=${segmentId}`,
    client: `/clients/${clientId}`,
    tags: '/clients/tags',
    segments: '/segments',
    'segment, without its count': `/segments/${segmentId}`,
    messages: '/messages',
    ...(messageId && { message: `/messages/${messageId}` }),
    mailings: '/mailings',
    mailing: `/mailings/${mailingId}`,
    'mailing, live part': `/mailings/${mailingId}/live`,
    run: `/runs/${runId}`,
    'run, failed': `/runs/${runId}?status=failed`,
    attempts: '/attempts',
    'attempts, failed': '/attempts?status=failed',
    'attempts of a mailing': `/attempts?mailingId=${mailingId}`,
    'attempts to a rare name': '/attempts?client=client-77777@',
    'attempts to a frequent name': '/attempts?client=client',
    'attempts to nobody': '/attempts?client=nobody-at-all',
    'attempts of mailings by name': '/attempts?mailing=mailing',
    'attempts, failed today': `/attempts?status=final&from=${today}&to=${today}`,
    'report page by day': '/reports',
    'report page by month': '/reports?by=month',
    ...(who !== 'manager' ? {} : { users: '/users', status: '/status' }),
  };
}

async function ids(api) {
  const mailings = (await api.call('GET', '/mailings')).items;
  const mailing = mailings[Math.floor(mailings.length / 2)];
  const run = (await api.call('GET', `/mailings/${mailing.id}/runs`)).items[0];
  const delivery = (await api.call('GET', `/runs/${run.id}/deliveries`)).items[0];
  const message = (await api.call('GET', '/messages')).items[0];
  const segment = (await api.call('GET', '/segments')).items[0];
  return {
    runId: run.id,
    mailingId: mailing.id,
    clientId: delivery.client.id,
    deliveryId: delivery.id,
    messageId: message?.id,
    segmentId: segment.id,
  };
}
