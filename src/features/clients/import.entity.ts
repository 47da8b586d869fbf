import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { TextEncoding } from '../../domain/csv-encoding';
import { isProblemCode } from '../../domain/problem-texts';
import { type CodedProblem, type FieldProblem, problem } from '../../domain/problems';

export const importStatuses = ['running', 'done', 'failed'] as const;
export type ImportStatus = (typeof importStatuses)[number];

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
