/**
 * `openapi`: whether the service keeps what its OpenAPI document says. schemathesis asks every route, as a user, a manager
 * and an admin, with what the document allows and what it does not; then a client is generated from the document, compiled
 * and used. Exits with 1 if anything is found.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { useGeneratedClient } from './openapi-client.mjs';
import { cli, projectFolder, say, setStage, startApi, startWorkers } from './stage.mjs';

export const options = {
  seeds: { type: 'string', default: '1,2' },
  examples: { type: 'string', default: '50' },
  only: { type: 'string' },
  roles: { type: 'string', default: 'user,manager,admin' },
};

/** Not checked: that all that the document allows is taken. What a template or a time may hold is no matter of schemas. */
const NOT_CHECKED = 'positive_data_acceptance';
const HOW_TO_INSTALL = `schemathesis was not found. It needs Python 3.10 or newer:
  python3 -m venv bench/.venv && bench/.venv/bin/pip install schemathesis==4.32.5`;

export async function run(args, { print }) {
  const program = findSchemathesis();
  if (!program) {
    process.stderr.write(`${HOW_TO_INSTALL}\n`);
    process.exit(1);
  }
  const stage = await setStage({ env: { API_CALLS_PER_MINUTE: '0' } });
  const limits = new Redis(stage.redis.url);
  let forgetting;
  try {
    const accounts = await prepareAccounts(stage, args.roles.split(','));
    const api = await startApi(stage, accounts[0].token);
    await startWorkers(stage, 1);
    await print.head(stage, `seeds ${args.seeds}, ${args.examples} examples a route`);
    forgetting = setInterval(() => void forget(limits), 100);
    for (const account of accounts) await prepareObjects(api, account);
    const found = [];
    for (const account of accounts) {
      for (const seed of args.seeds.split(',')) {
        await stage.query(`UPDATE users SET status = 'active', role = $2 WHERE id = $1`, [account.id, account.role]);
        say(`schemathesis as ${account.role}, seed ${seed}`);
        const { code, output } = await ask(program, api, account, { folder: stage.folder, seed, ...args });
        if (code === 0) print.line(`${account.role}, seed ${seed}: ${summaryOf(output)}`);
        else {
          print.line(output);
          found.push(`${account.role}, seed ${seed}`);
        }
      }
    }
    const { id, role, token } = accounts[0];
    await stage.query(`UPDATE users SET status = 'active', role = $2 WHERE id = $1`, [id, role]);
    if (!args.only) print.line(await useGeneratedClient({ base: api.base, token, folder: stage.folder }));
    const result = found.length === 0 ? 'nothing found' : `found something as ${found.join('; ')}`;
    print.line(result);
    if (found.length > 0) process.exitCode = 1;
    return result;
  } finally {
    clearInterval(forgetting);
    limits.disconnect();
    await stage.end();
  }
}

function findSchemathesis() {
  const own = join(projectFolder, 'bench/.venv/bin/schemathesis');
  const program = existsSync(own) ? own : 'schemathesis';
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0 ? program : undefined;
}

/** Users whose tokens nobody can revoke: else the first `DELETE /tokens/1` would end all. */
async function prepareAccounts(stage, roles) {
  const accounts = [];
  for (const role of roles) {
    const email = `${role}@example.org`;
    const { id } = JSON.parse(await cli(stage, 'create-user', '--email', email, '--role', role, '--json'));
    const { token } = JSON.parse(await cli(stage, 'create-token', '--email', email, '--name', 'bench', '--json'));
    accounts.push({ id, role, token });
  }
  await stage.query(`CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`);
  await stage.query(
    `CREATE TRIGGER kept BEFORE DELETE ON api_tokens FOR EACH ROW WHEN (OLD.name = 'bench') EXECUTE FUNCTION kept()`,
  );
  return accounts;
}

/** Something behind the first ids, so that not every path ends with 404. */
async function prepareObjects({ base }, { token, role }) {
  const post = async (path, body) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${base}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const startAt = new Date(Date.now() + 86_400_000).toISOString();
  for (let n = 1; n <= 3; n++) {
    await post('/clients', { email: `${role}${n}@example.net`, fullName: `Client ${n}` });
    const message = await post('/messages', { subject: 'Hello', body: '<p>{{ client.fullName }}</p>' });
    await post(`/messages/${message.id}/test`, {});
    const mailing = await post('/mailings', { messageId: message.id, audience: 'all', startAt, period: 'daily' });
    if (n > 1) await post(`/mailings/${mailing.id}/send`, {});
  }
}

/** Limits would hide from the second minute on what is behind them. */
async function forget(redis) {
  const keys = await redis.keys('*limit:*').catch(() => []);
  if (keys.length > 0) await redis.del(keys).catch(() => undefined);
}

async function ask(program, api, { token }, { folder, seed, examples, only }) {
  const child = spawn(
    program,
    [
      `--config-file=${join(projectFolder, 'bench/schemathesis.toml')}`,
      'run',
      `${api.base}/api/docs-json`,
      '--url',
      api.base,
      `--header=Authorization: Bearer ${token}`,
      '--checks=all',
      `--exclude-checks=${NOT_CHECKED}`,
      `--max-examples=${examples}`,
      `--seed=${seed}`,
      '--continue-on-failure',
      '--generation-database=none',
      '--no-color',
      ...(only ? [`--include-path-regex=${only}`] : []),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: folder,
      env: { ...process.env, SCHEMATHESIS_HOOKS: join(projectFolder, 'bench/schemathesis_hooks.py') },
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const [code] = await once(child, 'close');
  return { code, output };
}

const summaryOf = (output) =>
  /Test cases:[\s\S]*?(?=\n\n|\n=|$)/.exec(output)?.[0].replaceAll(/\s+/g, ' ') ?? 'no summary in its output';
