import { readFileSync } from 'node:fs';
import { schema } from './schema';
import type { Setting } from './setting';

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** Every setting, typed and frozen; see schema.ts for what each means. */
export type ConfigValues = { readonly [K in keyof typeof schema]: ValueOf<(typeof schema)[K]> };

export class ConfigError extends Error {
  constructor(readonly problems: string[]) {
    super(`The configuration can't be used:\n${problems.map((p) => `  - ${p}`).join('\n')}`);
  }
}

/**
 * Reads all settings from the environment. A secret may also be given as a file: NAME_FILE=path.
 * @throws ConfigError listing all problems at once, none of them with a secret's value in it
 */
export function loadConfig(env: NodeJS.ProcessEnv): ConfigValues {
  const production = env.NODE_ENV === 'production';
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(schema) as [string, Setting<unknown>][]) {
    const text = readText(env, setting, problems);
    if (text === null) continue;
    if (text === undefined || text === '') {
      if (production && setting.inProduction === 'required') {
        problems.push(`${setting.env} is missing: ${setting.about}`);
        continue;
      }
      values[key] = production && setting.productionDefault !== undefined ? setting.productionDefault : setting.default;
      continue;
    }
    const parsed = setting.parse(text);
    if (!parsed.ok) problems.push(`${setting.env} ${parsed.problem}`);
    else {
      values[key] = parsed.value;
      const weak = production ? setting.productionCheck?.(text) : undefined;
      if (weak) problems.push(`${setting.env} ${weak}`);
    }
  }
  for (const [url, password] of PASSWORDS) values[url] = withPassword(values, url, password, problems);
  for (const [one, other] of TOGETHER)
    if (values[one] && values[other] === '')
      problems.push(`${schema[other].env} is missing: ${schema[one].env} needs it`);
  if (typeof values.bounceMailboxUrl === 'string' && values.bounceMailboxUrl !== '' && values.bounceMailboxOauth === '')
    if (new URL(values.bounceMailboxUrl).password === '')
      problems.push(
        `${schema.bounceMailboxUrl.env} needs a password, unless ${schema.bounceMailboxOauth.env} is given`,
      );
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(values) as ConfigValues;
}

/** Settings that need another one. */
const TOGETHER = [
  ['oidcIssuer', 'oidcClientId'],
  ['oidcClientId', 'oidcIssuer'],
  ['oidcClientSecret', 'oidcClientId'],
  ['inboundTlsCert', 'inboundTlsKey'],
  ['inboundTlsKey', 'inboundTlsCert'],
  ['bounceMailboxOauth', 'bounceMailboxUrl'],
] as const;

/** The password of a URL may be given as a setting of its own: there no character has to be percent-encoded. */
const PASSWORDS = [
  ['databaseUrl', 'databasePassword'],
  ['redisUrl', 'redisPassword'],
] as const;

function withPassword(
  values: Record<string, unknown>,
  url: (typeof PASSWORDS)[number][0],
  password: (typeof PASSWORDS)[number][1],
  problems: string[],
): unknown {
  const [given, alone] = [values[url], values[password]];
  if (typeof given !== 'string' || typeof alone !== 'string' || alone === '') return given;
  const whole = new URL(given);
  if (whole.password) problems.push(`${schema[password].env} and ${schema[url].env} both give a password: give one`);
  whole.password = encodeURIComponent(alone);
  return whole.href;
}

/** The text of a setting, or null if it can't be read or decoded: then that is among the problems. */
function readText(env: NodeJS.ProcessEnv, setting: Setting<unknown>, problems: string[]): string | undefined | null {
  const file = setting.secret ? env[`${setting.env}_FILE`] : undefined;
  if (!file) return env[setting.env];
  if (env[setting.env]) {
    problems.push(`${setting.env} and ${setting.env}_FILE are both given: give one`);
    return null;
  }
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (text !== '') return text;
    problems.push(`${setting.env}_FILE is empty`);
  } catch (error) {
    problems.push(`${setting.env}_FILE can't be read: ${(error as Error).message}`);
  }
  return null;
}
