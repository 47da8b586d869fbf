/** Generates a TypeScript client from a service's document, compiles a program with it in strict mode, and runs it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './stage.mjs';

/** openapi-typescript asks for TypeScript 5; none of these is a dependency of the product. */
const PACKAGES = ['openapi-typescript@7.13.0', 'openapi-fetch@0.17.0', 'typescript@5.9.3', '@types/node@24.19.2'];

/** @throws Error with what a step said, if it fails */
export async function useGeneratedClient({ base, token, folder }) {
  const project = join(folder, 'client');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }');
  copyFileSync(join(projectFolder, 'bench/clients/main-job.ts'), join(project, 'main-job.ts'));
  const run = (command, ...args) => runIn(project, command, args, { API_URL: base, API_TOKEN: token });
  await run('npm', 'install', '--silent', '--no-audit', '--no-fund', ...PACKAGES);
  await run('npx', 'openapi-typescript', `${base}/api/docs-json`, '--output', 'schema.d.ts');
  const options = ['--strict', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler'];
  await run('npx', 'tsc', ...options, '--types', 'node', 'main-job.ts');
  return `generated client: ${(await run('node', 'main-job.js')).trim()}`;
}

async function runIn(cwd, command, args, env) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${args[0]} failed:\n${output}`);
  return output;
}
