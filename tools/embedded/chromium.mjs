/** A Chromium for the browser tests: given, on the PATH, or from the distribution's package. */
import { spawnSync } from 'node:child_process';
import { unpackProgram } from './debian.mjs';
import { which } from './service.mjs';

/**
 * What to launch, as Playwright's `launch` takes it. The sandbox is off, because containers seldom allow it and the
 * tests open only pages of their own.
 *
 * @returns {Promise<{ executablePath: string, env: Record<string, string>, args: string[] }>}
 */
export async function findChromium() {
  return { executablePath: await chromiumPath(), env: {}, args: ['--no-sandbox', '--disable-dev-shm-usage'] };
}

async function chromiumPath() {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  const found = which('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable');
  // Ubuntu's chromium-browser may be a script that only tells how to install a snap.
  if (found && spawnSync(found, ['--version']).status === 0) return found;
  let reason = '';
  try {
    const packages = ['chromium', 'fonts-dejavu-core'];
    const unpacked = await unpackProgram({ packages, program: 'usr/lib/chromium/chromium' });
    if (unpacked) return unpacked;
  } catch (error) {
    reason = ` (the distribution's package could not be used: ${error.message})`;
  }
  throw new Error(`A browser is missing: install chromium or google-chrome, or set CHROMIUM_PATH.${reason}`);
}
