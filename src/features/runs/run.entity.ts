import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Language } from '../../domain/language';
import type { SegmentFilter } from '../../domain/segment-filter';
import type { RunReason, RunStatus, RunTrigger, UnknownPolicy } from '../../domain/states';

/** One sending of one mailing, with the content as it was when it began. */
@Entity('runs')
export class Run {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('bigint', { name: 'mailing_id' })
  mailingId!: number;

  @Column('bigint', { name: 'owner_id' })
  ownerId!: number;

  @Column('timestamptz', { name: 'occurrence_at', nullable: true })
  occurrenceAt!: Date | null;

  @Column('text')
  trigger!: RunTrigger;

  @Column('bigint', { name: 'source_run_id', nullable: true })
  sourceRunId!: number | null;

  @Column('text', { name: 'idempotency_key', nullable: true })
  idempotencyKey!: string | null;

  @Column('text')
  status!: RunStatus;

  @Column('text', { nullable: true })
  reason!: RunReason | null;

  @Column('timestamptz', { name: 'paused_at', nullable: true })
  pausedAt!: Date | null;

  @Column('text', { name: 'on_unknown' })
  onUnknown!: UnknownPolicy;

  @Column('text', { default: '' })
  subject!: string;

  @Column('text', { default: '' })
  body!: string;

  @Column('text', { name: 'body_text', nullable: true })
  bodyText!: string | null;

  @Column('text', { name: 'mailing_name', nullable: true })
  mailingName!: string | null;

  @Column('text', { name: 'time_zone', nullable: true })
  timeZone!: string | null;

  @Column('text', { nullable: true })
  sender!: string | null;

  @Column('boolean', { default: false })
  transactional!: boolean;

  @Column('text', { default: 'en' })
  language!: Language;

  @Column('text', { name: 'reply_to', nullable: true })
  replyTo!: string | null;

  @Column('text', { name: 'postal_address', nullable: true })
  postalAddress!: string | null;

  @Column('text', { name: 'unsubscribe_text', nullable: true })
  unsubscribeText!: string | null;

  @Column('uuid', { name: 'letter_key', nullable: true })
  letterKey!: string | null;

  /** The segments of its mailing as they were when it began: to whom it goes, and who is left out. */
  @Column('text', { name: 'segment_name', nullable: true })
  segmentName!: string | null;

  @Column('jsonb', { name: 'segment_filter', nullable: true })
  segmentFilter!: SegmentFilter | null;

  @Column('text', { name: 'exclude_name', nullable: true })
  excludeName!: string | null;

  @Column('jsonb', { name: 'exclude_filter', nullable: true })
  excludeFilter!: SegmentFilter | null;

  @Column('bigint', { name: 'plan_cursor', default: 0 })
  planCursor!: number;

  @Column('timestamptz', { name: 'planned_at', nullable: true })
  plannedAt!: Date | null;

  @Column('timestamptz', { name: 'end_at', nullable: true })
  endAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'app_now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'started_at', nullable: true })
  startedAt!: Date | null;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;

  @Column('boolean', { default: false })
  closing!: boolean;

  @Column('bigint', { name: 'floor_id', default: 0 })
  floorId!: number;
}
