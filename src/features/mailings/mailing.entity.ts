import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Language } from '../../domain/language';
import type { Period } from '../../domain/recurrence';
import type { MailingStatus, UnknownPolicy } from '../../domain/states';
import type { MailingKind } from '../../domain/suppression';
import type { Audience } from '../audiences/audiences';

@Entity('mailings')
export class Mailing {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('bigint', { name: 'owner_id' })
  ownerId!: number;

  @Column('text', { default: '' })
  name!: string;

  @Column('bigint', { name: 'message_id', nullable: true })
  messageId!: number | null;

  @Column('text')
  audience!: Audience;

  /** To whom it goes, if its audience is a segment. */
  @Column('bigint', { name: 'segment_id', nullable: true })
  segmentId!: number | null;

  /** Who is in this segment does not get it, whatever the audience. */
  @Column('bigint', { name: 'exclude_segment_id', nullable: true })
  excludeSegmentId!: number | null;

  @Column('timestamptz', { name: 'start_at' })
  startAt!: Date;

  @Column('timestamptz', { name: 'end_at', nullable: true })
  endAt!: Date | null;

  @Column('text')
  period!: Period;

  @Column('text', { name: 'time_zone' })
  timeZone!: string;

  @Column('text', { name: 'on_unknown', default: 'resend' })
  onUnknown!: UnknownPolicy;

  @Column('text', { default: 'marketing' })
  kind!: MailingKind;

  @Column('text', { name: 'transactional_reason', nullable: true })
  transactionalReason!: string | null;

  @Column('text', { default: 'en' })
  language!: Language;

  /** A manager or admin lets its occurrences go out without a postal address. */
  @Column('boolean', { name: 'address_waived', default: false })
  addressWaived!: boolean;

  @Column('text', { default: 'created' })
  status!: MailingStatus;

  @Column('text', { name: 'status_code', nullable: true })
  statusCode!: string | null;

  @Column('text', { name: 'status_text', nullable: true })
  statusText!: string | null;

  @Column('timestamptz', { name: 'status_since', default: () => 'app_now()' })
  statusSince!: Date;

  @Column('bigint', { name: 'status_by', nullable: true })
  statusBy!: number | null;

  @Column('timestamptz', { name: 'next_run_at', nullable: true })
  nextRunAt!: Date | null;

  @Column('timestamptz', { name: 'waited_until', nullable: true })
  waitedUntil!: Date | null;

  @Column('bigint', { name: 'joined_from', nullable: true })
  joinedFrom!: number | null;

  @Column('integer', { name: 'selected_count', default: 0 })
  selectedCount!: number;

  /** Raised by the database with each change of the content, see database/versions.ts. */
  @Column('integer', { default: 1 })
  version!: number;

  @Column('bigint', { name: 'updated_by', nullable: true })
  updatedBy!: number | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'app_now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'app_now()' })
  updatedAt!: Date;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt!: Date | null;
}
