/** One project per kind of test; see CONTRIBUTING.md for what belongs where. */
const { readFileSync } = require('node:fs');

// When nothing is left to do, end at once: Node 24 was seen to spin for ever while it frees the handles of a process that
// loaded native modules many times over. A test that leaks a handle still keeps Jest from getting here.
process.once('beforeExit', (code) => process.exit(code));

const swc = JSON.parse(readFileSync(`${__dirname}/.swcrc`, 'utf8'));
delete swc.$schema;

const project = (name, extra = {}) => ({
  displayName: name,
  rootDir: __dirname,
  testMatch: [`<rootDir>/test/${name}/**/*.spec.{ts,tsx}`],
  testEnvironment: 'node',
  moduleFileExtensions: ['ts', 'tsx', 'js', 'mjs', 'cjs', 'json', 'node'],
  transform: { '^.+\\.tsx?$': ['@swc/jest', { ...swc, swcrc: false, sourceMaps: 'inline' }] },
  ...extra,
});

module.exports = {
  // Machines are slow at times; a test that hangs still ends.
  testTimeout: 30_000,
  projects: [project('unit'), project('integration'), project('e2e'), project('faults')],
};
