import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Readable } from 'node:stream';
import { loadConfig } from '../src/config/config';
import { ConfigModule } from '../src/config/config.module';
import { Database } from '../src/database/database';
import { ImportsModule } from '../src/features/clients/imports.module';
import { ImportsService } from '../src/features/clients/imports.service';
import { MailingsModule } from '../src/features/mailings/mailings.module';
import { LoggingModule } from '../src/logging/logging.module';

@Module({})
class BenchApp {}

export interface ImportBench {
  rows: number;
  added: number;
  updated: number;
  rejected: number;
  bytes: number;
  /** Receiving, checking and copying the file. */
  stageMs: number;
  /** Bringing it into the clients. */
  applyMs: number;
  cpuSeconds: number;
  /** The highest resident memory of this process, which also makes the file. */
  maxRssMb: number;
}

/** Imports a made-up file of `rows` clients, one in a hundred bad, into the migrated database of the environment. */
export async function benchImport({
  rows,
  fields = 0,
  tags = 0,
  env = process.env,
}: {
  rows: number;
  /** How many of five fields each client has. */
  fields?: number;
  /** How many of ten tags. */
  tags?: number;
  env?: NodeJS.ProcessEnv;
}): Promise<ImportBench> {
  const config = loadConfig({ LOG_LEVEL: 'warn', ...env });
  // Mailings are told of new clients.
  const modules = [ConfigModule.with(config), LoggingModule, ImportsModule, MailingsModule];
  const app = await NestFactory.createApplicationContext({ module: BenchApp, imports: modules }, { logger: ['error'] });
  try {
    const imports = app.get(ImportsService);
    const owner = await app
      .get(Database)
      .first<{ id: number }>(
        `INSERT INTO users (email, password_hash) VALUES ('bench-' || gen_random_uuid() || '@example.com', '-') RETURNING id`,
      );
    const ownerId = owner?.id ?? 0;
    for (const { key, type, options } of FIELDS.slice(0, fields))
      await app
        .get(Database)
        .affected('INSERT INTO client_fields (owner_id, key, label, type, options) VALUES ($1, $2, $2, $3, $4)', [
          ...[ownerId, key, type, options],
        ]);
    const viewer = { userId: ownerId, role: 'user' as const };
    let bytes = 0;
    const file = Readable.from(
      lines(rows, fields, tags, (n) => (bytes += n)),
      { objectMode: false },
    );
    const startedAt = performance.now();
    const { importId } = await imports.begin(viewer, { fileName: 'bench.csv' }, file);
    const stagedAt = performance.now();
    await imports.resume(importId);
    const doneAt = performance.now();
    const { added, updated, rejected, ...done } = await imports.get(viewer, importId);
    if (done.status !== 'done') throw new Error(`The import is ${done.status}: ${JSON.stringify(done.reason)}`);
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    return {
      rows: done.rows,
      added,
      updated,
      rejected,
      bytes,
      stageMs: stagedAt - startedAt,
      applyMs: doneAt - stagedAt,
      cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
      maxRssMb: Math.round(maxRSS / 1024),
    };
  } finally {
    await app.close();
  }
}

const FIRST = ['Анна', 'Иван', 'Мария', 'Пётр', 'Ольга', 'Maria', 'John', 'Zoë', 'Łukasz', 'Nikos'];
const LAST = ['Смирнова', 'Kowalski', 'Θεοδώρου', 'Иванов', "O'Brien", 'Müller', 'García', 'Петренко', 'Rossi', 'Ng'];

const PLANS = ['free', 'small', 'large'];
const FIELDS: { key: string; type: string; options: string[]; value: (i: number) => string }[] = [
  { key: 'city', type: 'text', options: [], value: (i) => ['Москва', 'Kraków', 'Berlin', 'Lyon'][i % 4] as string },
  { key: 'orders', type: 'number', options: [], value: (i) => String(i % 500) },
  { key: 'since', type: 'date', options: [], value: (i) => `${2000 + (i % 25)}-0${1 + (i % 9)}-1${i % 10}` },
  { key: 'vip', type: 'boolean', options: [], value: (i) => (i % 20 === 0 ? 'yes' : 'no') },
  { key: 'plan', type: 'choice', options: PLANS, value: (i) => PLANS[i % 3] as string },
];

function* lines(rows: number, fields: number, tags: number, count: (bytes: number) => void): Generator<Buffer> {
  const own = FIELDS.slice(0, fields);
  const heads = ['email', 'full_name', 'comment', ...own.map(({ key }) => key), ...(tags > 0 ? ['tags'] : [])];
  const more = (i: number) =>
    own.map(({ value }) => `,${value(i)}`).join('') +
    (tags > 0 ? `,${Array.from({ length: tags }, (_, n) => `tag ${(i + n) % 10}`).join(';')}` : '');
  let page = `${heads.join()}\r\n`;
  for (let i = 0; i < rows; i++) {
    const address =
      i % 100 === 99 ? `client.${i}-without-at` : `client.${(i * 7919) % 1_000_003}.${i}@mail${i % 97}.example`;
    page += `${address},${FIRST[i % 10]} ${LAST[((i / 10) % 10) | 0]} ${i % 1000},"Met in ${2000 + (i % 25)}, likes ""tea"""${more(i)}\r\n`;
    if (page.length < 60_000 && i < rows - 1) continue;
    const bytes = Buffer.from(page);
    count(bytes.length);
    yield bytes;
    page = '';
  }
}
