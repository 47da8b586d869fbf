import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { TextEncoding } from '../../domain/csv-encoding';
import type { FieldDefinition, FieldType } from '../../domain/client-fields';
import type { ColumnMapping } from '../../domain/csv-mapping';
import { isProblemCode } from '../../domain/problem-texts';
import { type CodedProblem, type FieldProblem, problem } from '../../domain/problems';

/** `waiting`: the file is kept until its columns are chosen. */
export const importStatuses = ['running', 'waiting', 'done', 'failed'] as const;
export type ImportStatus = (typeof importStatuses)[number];

/** `add` leaves known clients alone, `update` adds none. */
export const importModes = ['upsert', 'add', 'update'] as const;
export type ImportMode = (typeof importModes)[number];

/** What is to be done with a kept file. */
export interface ImportPlan {
  /** Null: the columns are known by their names. */
  mapping: ColumnMapping | null;
  encoding: TextEncoding | null;
  delimiter: string | null;
  sheet: string | null;
  headless: boolean;
  /** Whether empty cells take values of known clients away. */
  clears: boolean;
  /** For all rows. */
  tags: string[];
  /** Fields that are made with the import, unless it is a dry run. */
  newFields: FieldDefinition[];
}

/** Where the values stand in the file; for rejected lines. -1: nowhere. */
export interface ImportLayout {
  names: string[];
  email: number;
  name: number;
  comment: number;
  fields: Record<string, number>;
  /** What the fields were when the file was read. */
  types: Record<string, FieldType>;
}

/** A file of clients that was uploaded, how far it has been applied, and the results of its rows. */
@Entity('imports')
export class Import {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('bigint', { name: 'owner_id' })
  ownerId!: number;

  @Column('text', { name: 'file_name', default: '' })
  fileName!: string;

  /** A dry run only checks and counts: `added` and `updated` are what they would be. */
  @Column('boolean', { name: 'dry_run', default: false })
  dryRun!: boolean;

  @Column('text', { default: 'running' })
  status!: ImportStatus;

  /** Why it failed, in the form of `storedProblem`. */
  @Column('text', { nullable: true })
  reason!: string | null;

  @Column('text', { nullable: true })
  encoding!: TextEncoding | null;

  @Column('text', { nullable: true })
  delimiter!: string | null;

  /** Unknown columns of the file. */
  @Column('text', { name: 'ignored_columns', array: true, default: () => `'{}'` })
  ignoredColumns!: string[];

  @Column('boolean', { name: 'has_comment', default: true })
  hasComment!: boolean;

  /** Records read so far, valid or not; in the end `added + updated + rejected`. */
  @Column('integer', { default: 0 })
  rows!: number;

  @Column('integer', { default: 0 })
  added!: number;

  /** Clients whose address was known already, changed or not. */
  @Column('integer', { default: 0 })
  updated!: number;

  @Column('integer', { default: 0 })
  rejected!: number;

  /** Of its addresses, those that get no mail of the owner. */
  @Column('integer', { default: 0 })
  suppressed!: number;

  /** Rows that the mode left out. */
  @Column('integer', { default: 0 })
  skipped!: number;

  /** Rows whose status says that the address gets no mail. */
  @Column('integer', { name: 'status_rows', default: 0 })
  statusRows!: number;

  /** Addresses that are excluded because of this file. */
  @Column('integer', { name: 'newly_suppressed', default: 0 })
  newlySuppressed!: number;

  @Column('text', { default: 'upsert' })
  mode!: ImportMode;

  /** When the whole file was kept; null if it is read while it comes in. */
  @Column('timestamptz', { name: 'kept_at', nullable: true })
  keptAt!: Date | null;

  @Column('bigint', { name: 'file_bytes', default: 0 })
  fileBytes!: number;

  /** The encoding that the sender declared. */
  @Column('text', { nullable: true })
  charset!: TextEncoding | null;

  @Column('jsonb', { nullable: true })
  plan!: ImportPlan | null;

  @Column('text', { nullable: true })
  reader!: string | null;

  /** How often reading the kept file was begun. */
  @Column('integer', { default: 0 })
  readings!: number;

  @Column('jsonb', { nullable: true })
  layout!: ImportLayout | null;

  @Column('boolean', { name: 'clears_name', default: false })
  clearsName!: boolean;

  @Column('text', { name: 'field_keys', array: true, default: () => `'{}'` })
  fieldKeys!: string[];

  @Column('boolean', { name: 'clears_fields', default: false })
  clearsFields!: boolean;

  @Column('bigint', { name: 'all_tags', array: true, default: () => `'{}'` })
  allTags!: number[];

  @Column('bigint', { name: 'row_tags', array: true, default: () => `'{}'` })
  rowTags!: number[];

  @Column('bigint', { name: 'first_client_id', nullable: true })
  firstClientId!: number | null;

  @Column('bigint', { name: 'last_client_id', nullable: true })
  lastClientId!: number | null;

  @Column('timestamptz', { name: 'undo_at', nullable: true })
  undoAt!: Date | null;

  @Column('bigint', { name: 'undo_after', default: 0 })
  undoAfter!: number;

  @Column('timestamptz', { name: 'undone_at', nullable: true })
  undoneAt!: Date | null;

  /** Clients that undoing deleted, and those that it left. */
  @Column('integer', { default: 0 })
  undone!: number;

  @Column('integer', { name: 'undo_kept', default: 0 })
  undoKept!: number;

  /** When the whole file was in the database; from then on no crash loses the import. */
  @Column('timestamptz', { name: 'staged_at', nullable: true })
  stagedAt!: Date | null;

  @Column('timestamptz', { name: 'alive_at', default: () => 'clock_timestamp()' })
  aliveAt!: Date;

  @Column('timestamptz', { name: 'created_at', default: () => 'app_now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;
}

/** Only the first so many errors of an import are stored: each takes more room than its line. */
export const KEPT_ERRORS = 10_000;

/** One thing that is wrong with one line; `line` is the physical line on which the record begins. */
export type ImportError = { line: number } & FieldProblem;

/** A problem as it is stored in the tables of imports. */
export const storedProblem = ({ code, values }: CodedProblem): string => JSON.stringify({ code, values });

/** Reads what `storedProblem` stored; older versions stored a sentence. */
export function readProblem(text: string): CodedProblem {
  const found = text.startsWith('{') ? (JSON.parse(text) as CodedProblem) : null;
  return isProblemCode(found?.code) ? found : problem('verbatim', { text });
}
