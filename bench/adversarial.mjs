/** `adversarial`: what each request of the adversarial corpus costs the API, and how long others wait meanwhile. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { inputs, stored } from './adversarial-inputs.mjs';
import { cli, median, round, say, setStage, startApi } from './stage.mjs';

export const options = { runs: { type: 'string', default: '3' }, only: { type: 'string' } };

const BUDGET = { cpuMs: 100, waitMs: 100 };
/** Work that goes on behind an answer counts, until the process was as good as idle for so long. */
const QUIET = { ms: 60, cpuMs: 6 };
/** What was over its budget is measured again, so many times as often. */
const AGAIN = 3;

export async function run(args, { print }) {
  const runs = Number(args.runs);
  const chosen = inputs.filter(({ name }) => !args.only || name.includes(args.only));
  if (chosen.length === 0) throw new Error(`No input's name has "${args.only}" in it.`);
  const stage = await setStage({ env: { API_CALLS_PER_MINUTE: '0' } });
  try {
    const email = 'adversary@example.org';
    const { password } = JSON.parse(await cli(stage, 'create-user', '--email', email, '--role', 'user', '--json'));
    const { token } = JSON.parse(await cli(stage, 'create-token', '--email', email, '--name', 'bench', '--json'));
    const api = await startApi(stage, token);
    await store(api);
    const signedIn = await session(api, { email, password });
    const callers = { nobody: {}, user: { authorization: `Bearer ${token}` }, session: signedIn };
    const prober = new Worker(new URL('./prober.mjs', import.meta.url), {
      workerData: `${api.base}/api/v1/health/live`,
    });
    const idle = await idleShare(api.child.pid);
    await print.head(stage, `${chosen.length} inputs, median of ${runs}`);
    const measure = async (some, rounds) => {
      const costs = new Map(some.map((input) => [input, []]));
      // One after another, not each some times in a row: what is kept for repetitions is not what is to be measured.
      for (let n = 0; n < rounds; n++)
        for (const input of some) {
          say(`${n + 1}: ${input.name}`);
          costs.get(input)?.push(await cost(api, prober, idle, input, callers));
        }
      return some.map((input) => result(input, costs.get(input) ?? []));
    };
    // Code that never ran costs more than it will.
    await measure(chosen, 1);
    let found = await measure(chosen, runs);
    // Collecting garbage falls on some request or other. What falls on the same one again and again is its own.
    const doubted = found.filter(isOver).map(({ input }) => input);
    const again = await measure(doubted, AGAIN * runs);
    found = [...found.filter(({ input }) => !doubted.includes(input)), ...again];
    say('');
    found.sort((a, b) => b.cpuMs - a.cpuMs);
    print.table([
      ['', 'KB', 'answer', 'CPU ms', "V8's threads ms", 'others wait ms'],
      ...found.map((f) => [
        f.name,
        f.kb.toFixed(0),
        String(f.status),
        ...[f.cpuMs, f.v8Ms, f.waitMs].map((ms) => ms.toFixed(0)),
      ]),
    ]);
    const over = found.filter(isOver);
    for (const f of over) print.line(`over its budget: ${f.name}`);
    const line = `${found.length} inputs, ${over.length} over their budget; dearest ${found[0]?.name} ${round(found[0]?.cpuMs ?? 0)} ms`;
    print.line(line);
    await prober.terminate();
    return line;
  } finally {
    await stage.end();
  }
}

/** The median of what one input cost. */
function result(input, costs) {
  const of = (key) => median(costs.map((each) => each[key]));
  const { kb, status } = costs[0];
  return { input, name: input.name, kb, status, cpuMs: of('cpuMs'), v8Ms: of('v8Ms'), waitMs: of('waitMs') };
}

const isOver = ({ input, status, cpuMs, waitMs }) =>
  status >= 500 || cpuMs > (input.cpuMs ?? BUDGET.cpuMs) || waitMs > BUDGET.waitMs;

/**
 * CPU time so far of all threads of a process, in milliseconds, to the microsecond; apart from it that of the threads by
 * which V8 compiles, and collects garbage of whatever came before.
 */
function cpuMs(pid) {
  const nanoseconds = { own: 0, v8: 0 };
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const of = (file) => readFileSync(`/proc/${pid}/task/${thread}/${file}`, 'utf8');
    nanoseconds[of('comm').startsWith('V8Worker') ? 'v8' : 'own'] += Number(of('schedstat').split(' ')[0]);
  }
  return { own: nanoseconds.own / 1e6, v8: nanoseconds.v8 / 1e6 };
}

/** What the process takes of a processor while only the prober asks it. */
async function idleShare(pid) {
  await sleep(1_000);
  const [cpu, at] = [cpuMs(pid).own, performance.now()];
  await sleep(2_000);
  return (cpuMs(pid).own - cpu) / (performance.now() - at);
}

async function longestWait(prober) {
  prober.postMessage(null);
  return new Promise((resolve) => prober.once('message', resolve));
}

/**
 * One request's CPU in the API's process, and the longest that another caller waited for /health/live meanwhile.
 * @param {any} api
 * @param {Worker} prober
 * @param {number} idle
 * @param {import('./adversarial-inputs.mjs').Input} input
 * @param {Record<string, Record<string, string>>} callers
 */
async function cost(api, prober, idle, { method, path, type, who, body, headers }, callers) {
  const content = body === undefined ? undefined : Buffer.from(body());
  await longestWait(prober);
  const [before, startedAt] = [cpuMs(api.child.pid), performance.now()];
  const response = await fetch(api.base + path, {
    method,
    redirect: 'manual',
    headers: { ...callers[who], ...(type && { 'content-type': type }), ...headers?.(api.base) },
    ...(content !== undefined && { body: content }),
  }).catch((error) => ({ status: 599, arrayBuffer: () => say(`no answer: ${error.cause ?? error}`) }));
  await response.arrayBuffer();
  const taken = () => cpuMs(api.child.pid).own - before.own - idle * (performance.now() - startedAt);
  let cpu = taken();
  for (;;) {
    const quietFrom = cpu;
    await sleep(QUIET.ms);
    cpu = taken();
    if (cpu - quietFrom < QUIET.cpuMs) break;
  }
  const v8Ms = cpuMs(api.child.pid).v8 - before.v8;
  const waitMs = await longestWait(prober);
  return {
    status: response.status,
    cpuMs: Math.max(0, cpu),
    v8Ms,
    waitMs,
    kb: (content?.length ?? path.length) / 1024,
  };
}

/** What the inputs find in the database: their ids count from 1. */
async function store(api) {
  await api.call('POST', '/clients', stored.client);
  for (const message of stored.messages) {
    const { id } = await api.call('POST', '/messages', message);
    await api.call('POST', '/mailings', { ...stored.mailing, name: message.name, messageId: id });
  }
}

/** The headers of somebody who is signed in with a browser. */
async function session(api, credentials) {
  const response = await fetch(`${api.base}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(credentials),
  });
  const { csrfToken } = await response.json();
  return { cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '', 'x-csrf-token': csrfToken };
}
