/** Where the services of this folder listen: written by `npm start` and the demo, read by `npm run cli`. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../tools/embedded/install.mjs';

const file = join(projectFolder, '.data/local.json');
const NAMES = ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL', 'SECRET_KEY', 'MAIL_FROM', 'PUBLIC_URL'];

/** Keeps the settings for commands until `forget`; readable by this user only, for they hold passwords. */
export function remember(env) {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(
    file,
    JSON.stringify(Object.fromEntries(NAMES.filter((name) => env[name]).map((name) => [name, env[name]]))),
    { mode: 0o600 },
  );
}

export function forget() {
  rmSync(file, { force: true });
}

/** What is given wins; without a DATABASE_URL, what runs in this folder. */
export function withLocal(env) {
  if (env.DATABASE_URL || env.NODE_ENV === 'production') return env;
  try {
    return { ...JSON.parse(readFileSync(file, 'utf8')), ...env };
  } catch {
    return env;
  }
}
