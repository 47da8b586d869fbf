/** Runs Jest to its end and counts: for the scripts whose last line is `N passed, N failed`. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder, runToEnd } from '../tools/embedded/install.mjs';

/**
 * A suite that could not run, and a Jest that ends in anger without a failed test, count as one failure.
 * @param {{ folder: string, args: string[], env: NodeJS.ProcessEnv }} options `folder` is where the report goes
 */
export async function runJest({ folder, args, env }) {
  const report = join(folder, 'results.json');
  mkdirSync(folder, { recursive: true });
  rmSync(report, { force: true });
  const reporters = ['--reporters=default', `--reporters=${join(projectFolder, 'scripts/jest-stuck.mjs')}`];
  const jest = [join(projectFolder, 'node_modules/jest/bin/jest.js'), '--json', `--outputFile=${report}`, ...reporters];
  const code = await runToEnd(process.execPath, [...jest, ...args], {
    env,
    stdio: ['inherit', 2, 'inherit'],
  });
  const results = readReport(report);
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  return { passed: results.numPassedTests, failed: failed || (code === 0 ? 0 : 1) };
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error('Jest ended without a report.', { cause: error });
  }
}
