/** One project per kind of test; see CONTRIBUTING.md for what belongs where. */
import { readFileSync } from 'node:fs';

// When nothing is left to do, end at once: Node 24 was seen to spin for ever while it frees the handles of a process that
// loaded native modules many times over. A test that leaks a handle still keeps Jest from getting here.
process.once('beforeExit', (code) => process.exit(code));

const swc = JSON.parse(readFileSync(`${import.meta.dirname}/.swcrc`, 'utf8'));
delete swc.$schema;

const project = (name, extra = {}) => ({
  displayName: name,
  rootDir: import.meta.dirname,
  testMatch: [`<rootDir>/test/${name}/**/*.spec.{ts,tsx}`],
  testEnvironment: 'node',
  moduleFileExtensions: ['ts', 'tsx', 'js', 'mjs', 'cjs', 'json', 'node'],
  transform: { '^.+\\.tsx?$': ['@swc/jest', { ...swc, swcrc: false, sourceMaps: 'inline' }] },
  ...extra,
});

/** Answers of the API are held against its OpenAPI document. */
const withService = { setupFiles: ['<rootDir>/test/support/conformance-hook.ts'] };

export default {
  // Machines are slow at times; a test that hangs still ends. Hardly any test has a limit of its own.
  testTimeout: 300_000,
  // What a file leaves behind in its process slows the next ones down.
  workerIdleMemoryLimit: '700MB',
  projects: [project('unit'), ...['integration', 'e2e', 'faults', 'servers'].map((name) => project(name, withService))],
};
