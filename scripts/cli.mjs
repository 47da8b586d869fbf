/** `npm run cli -- <command>`: a command of the service, on what is configured or else on what runs in this folder. */
import { prepare, runToEnd } from '../tools/embedded/install.mjs';

await prepare(import.meta.url);
const { build } = await import('./processes.mjs');
const { withLocal } = await import('./local.mjs');
await build();
process.exit(
  await runToEnd(process.execPath, ['dist/main.cli.js', ...process.argv.slice(2)], { env: withLocal(process.env) }),
);
