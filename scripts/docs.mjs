/** Writes what is generated from the settings in src/config: .env.example and the table in README.md. `--check` only compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { prepare, projectFolder, runToEnd } from '../tools/embedded/install.mjs';

await prepare(import.meta.url);
if ((await runToEnd('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'ignore', 'inherit'] })) !== 0)
  process.exit(1);
const { schema } = createRequire(import.meta.url)('../dist/config/schema.js');

const settings = Object.values(schema);
const text = (value) => (Array.isArray(value) ? value.join(',') : String(value));
const standard = (s) => (s.inProduction === 'required' ? '' : text(s.productionDefault ?? s.default));

const example = [
  '# Every setting, generated from src/config/schema.ts by `npm run docs`. Copy to .env and change what you need.',
  '# What has no value here must be given when NODE_ENV=production. A secret may be given as a file: NAME_FILE=path.',
  '',
  'NODE_ENV=production',
  ...settings.flatMap((s) => [
    '',
    `# ${s.about}${s.secret ? ' (secret)' : ''}`,
    `${standard(s) === '' && s.inProduction !== 'required' ? '# ' : ''}${s.env}=${quoted(standard(s))}`,
  ]),
  '',
].join('\n');

const table = [
  '| Name | Default | What it is |',
  '|---|---|---|',
  ...settings.map((s) => `| \`${s.env}\` | ${defaults(s)} | ${s.about.replaceAll('|', '\\|')} |`),
].join('\n');

function quoted(value) {
  return /[\s<>"#$]/.test(value) ? `"${value}"` : value;
}

function defaults(s) {
  if (s.inProduction === 'required') return 'required in production';
  const value =
    s.productionDefault === undefined
      ? text(s.default)
      : `${text(s.default)}; in production ${text(s.productionDefault)}`;
  return value === ''
    ? ''
    : value
        .split('; ')
        .map((v) => v.replace(/(in production )?(.+)/, '$1`$2`'))
        .join('; ');
}

const readme = readFileSync(join(projectFolder, 'README.md'), 'utf8');
const wanted = {
  '.env.example': example,
  'README.md': readme.replace(
    /(<!-- settings -->\n)[\s\S]*?(<!-- \/settings -->)/,
    (_, begin, end) => `${begin}${table}\n${end}`,
  ),
};
const stale = Object.entries(wanted).filter(([file, content]) => {
  try {
    return readFileSync(join(projectFolder, file), 'utf8') !== content;
  } catch {
    return true;
  }
});
if (!process.argv.includes('--check'))
  for (const [file, content] of stale) writeFileSync(join(projectFolder, file), content);
else if (stale.length > 0) {
  process.stderr.write(
    `${stale.map(([file]) => file).join(', ')} is not what the settings say: run \`npm run docs\`.\n`,
  );
  process.exit(1);
}
