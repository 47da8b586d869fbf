/**
 * Rules of this house that no linter knows, part of `npm run check`:
 * - Each table has one room that writes it: finds every INSERT, UPDATE, DELETE, TRUNCATE, MERGE and COPY in `src`, and
 *   every use of an entity's repository, that stands in another room than this table says.
 * - `domain/` takes now as an argument: finds `new Date()` there.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { projectFolder } from '../tools/embedded/install.mjs';

const tables = {
  'features/audit': ['audit_log'],
  'features/notices': ['notices', 'notice_tokens'],
  'features/users': [
    'users',
    'sessions',
    'api_tokens',
    'second_factors',
    'recovery_codes',
    'sign_in_challenges',
    'identities',
  ],
  'features/drafts': ['form_drafts'],
  'features/consent': [
    'suppressions',
    'suppression_batches',
    'suppression_claims',
    'suppression_rows',
    'link_keys',
    'address_pepper',
    'senders',
    'address_health',
  ],
  'features/ledger': ['deliveries', 'attempts', 'delivery_events', 'workers'],
  'features/clients': [
    'clients',
    'client_fields',
    'tags',
    'client_tags',
    'bulk_jobs',
    'imports',
    'import_chunks',
    'import_rows',
    'import_errors',
    'import_rejected',
    'import_files',
  ],
  'features/signups': ['signup_forms', 'signup_form_tags', 'signups'],
  'features/audiences': ['segments'],
  storage: ['stored_objects'],
  'features/messages': ['messages', 'media', 'pictures', 'attachment_files', 'message_attachments'],
  'features/mailings': ['mailings', 'mailing_clients'],
  'features/runs': ['runs', 'accepted_letters'],
  'features/accounts': ['accounts', 'account_log', 'domain_rests'],
  'features/inbound': ['inbound_letters', 'inbound_sources', 'webhook_secrets', 'webhook_nonces', 'proof_letters'],
  'features/scheduling': ['database_identity', 'rounds'],
  'features/statistics': [
    'domain_providers',
    'provider_stats',
    'domain_stats',
    'provider_counting',
    // Triggers add to these two.
    'uncounted_attempts',
    'uncounted_events',
  ],
  // The database itself, by triggers.
  migrations: [
    'client_totals',
    'run_counts',
    'stats',
    'failure_stats',
    'message_media',
    'run_media',
    'run_attachments',
  ],
};
const WRITE =
  /\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?|COPY)\s+(?:ONLY\s+)?"?([a-z_]+)|\bcopyIn\(\w+,\s*['`]([a-z_]+)/g;
const REPOSITORY = /\b(?:getRepository|InjectRepository)\((\w+)\)/g;
const COMMENT = /\/\*[\s\S]*?\*\/|(?<![:'"`\w])\/\/.*$/gm;

const roomOf = new Map(Object.entries(tables).flatMap(([room, names]) => names.map((name) => [name, room])));
const sources = filesOf('src', /\.tsx?$/).map((file) => ({
  file: relative(join(projectFolder, 'src'), file).split(sep).join('/'),
  text: readFileSync(file, 'utf8').replace(COMMENT, (comment) => comment.replace(/[^\n]/g, ' ')),
}));
const entities = new Map(
  sources.flatMap(({ text }) =>
    [...text.matchAll(/@Entity\('(\w+)'\)[\s\S]*?class (\w+)/g)].map(([, table, name]) => [name, table]),
  ),
);
const problems = [];

for (const { file, text } of sources) {
  const found = [
    ...[...text.matchAll(WRITE)].map((match) => ({ at: match.index, table: match[1] ?? match[2] ?? '' })),
    ...[...text.matchAll(REPOSITORY)].map(({ index, 1: entity = '' }) => ({
      at: index,
      table: entities.get(entity) ?? entity,
    })),
  ];
  for (const { at, table } of found) {
    const room = roomOf.get(table);
    if (room && file.startsWith(`${room}/`)) continue;
    const line = text.slice(0, at).split('\n').length;
    problems.push(`src/${file}:${line} writes ${table}, which ${room ? `src/${room} writes` : 'has no room yet'}`);
  }
}
for (const { file, text } of sources.filter(({ file }) => file.startsWith('domain/'))) {
  for (const { index } of text.matchAll(/\bnew Date(?:\(\s*\)|(?!\s*\())/g)) {
    problems.push(`src/${file}:${text.slice(0, index).split('\n').length} domain/ takes now as an argument`);
  }
}
const made = filesOf('migrations', /\.sql$/).flatMap((file) =>
  [
    ...readFileSync(file, 'utf8')
      .split('-- Down Migration')[0]
      .matchAll(/CREATE (?:UNLOGGED )?TABLE (\w+)/g),
  ].map(([, table]) => table),
);
for (const table of made) if (!roomOf.has(table)) problems.push(`the table ${table} has no room yet`);
for (const table of roomOf.keys()) if (!made.includes(table)) problems.push(`there is no table ${table}`);

for (const problem of problems) console.log(problem);
if (problems.length > 0) console.log('The rules stand in scripts/rules.mjs.');
process.exitCode = problems.length > 0 ? 1 : 0;

function filesOf(folder, which) {
  return readdirSync(join(projectFolder, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && which.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}
