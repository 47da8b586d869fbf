/**
 * `npm run test:servers [-- jest arguments]`: the tests that need servers of the system's own, which `npm test` can't bring
 * along: a pooler, a wrong clock, a standby, Sentinel, pg_dump, a relay, a mailbox, a judge of spam, another verifier of signatures. Says which Debian packages are
 * missing. The last line is `N passed, N failed`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, projectFolder, runToEnd } from '../tools/embedded/install.mjs';
import { runJest } from './jest.mjs';

/** Debian packages, and a file that each of them brings. */
const PACKAGES = {
  pgbouncer: '/usr/sbin/pgbouncer',
  'redis-server': '/usr/bin/redis-server',
  'redis-sentinel': '/usr/bin/redis-sentinel',
  'postgresql-15': '/usr/lib/postgresql/15/bin/pg_dump',
  'docker-compose': '/usr/bin/docker-compose',
  'python3-dkim': '/usr/lib/python3/dist-packages/dkim',
  postfix: '/usr/sbin/postfix',
  'dovecot-imapd': '/usr/lib/dovecot/imap',
  spamassassin: '/usr/bin/spamassassin',
  spamd: '/usr/sbin/spamd',
  'python3-nacl': '/usr/lib/python3/dist-packages/nacl',
  libfaketime: `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketime.so.1`,
};

const missing = Object.keys(PACKAGES).filter((name) => !existsSync(PACKAGES[name]));
if (missing.length > 0) {
  console.error(`These tests need Debian packages that are not here: apt-get install ${missing.join(' ')}`);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

await prepare(import.meta.url);
const { findRedisServer } = await import('../tools/embedded/index.mjs');
const env = { ...process.env, REDIS_SERVER_PATH: await findRedisServer() };
const built = (await runToEnd('npm', ['run', '--silent', 'build'], { env })) === 0;
const args = ['--selectProjects', 'servers', '--runInBand', ...process.argv.slice(2)];
const folder = join(projectFolder, '.data/test-servers');
const verdict = await (built ? runJest({ folder, args, env }) : Promise.reject(new Error('The build failed.'))).catch(
  (error) => {
    process.stderr.write(`${error.message}\n`);
    return { passed: 0, failed: 1 };
  },
);
console.log(`${verdict.passed} passed, ${verdict.failed} failed`);
process.exit(verdict.failed ? 1 : 0);
