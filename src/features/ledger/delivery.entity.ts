import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { DeliveryStatus } from '../../domain/states';

/** One client in one run: the thing that is sent, failed or skipped. */
@Entity('deliveries')
export class Delivery {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('bigint', { name: 'run_id' })
  runId!: number;

  @Column('bigint', { name: 'client_id' })
  clientId!: number;

  @Column('text')
  email!: string;

  @Column('text', { default: 'pending' })
  status!: DeliveryStatus;

  @Column('text', { nullable: true })
  reason!: string | null;

  @Column('smallint', { default: 0 })
  attempts!: number;

  @Column('smallint', { default: 0 })
  tries!: number;

  @Column('smallint', { default: 0 })
  breaks!: number;

  @Column('smallint', { name: 'lost_replies', default: 0 })
  lostReplies!: number;

  @Column('smallint', { default: 0 })
  rests!: number;

  @Column({ type: 'text', name: 'off_path', nullable: true, insert: false, update: false })
  offPath!: string | null;

  @Column('timestamptz', { name: 'next_attempt_at', nullable: true })
  nextAttemptAt!: Date | null;

  @Column('bigint', { name: 'claimed_by', nullable: true })
  claimedBy!: number | null;

  @Column('boolean', { default: true })
  offered!: boolean;

  @Column('bigint', { name: 'marked_by', nullable: true })
  markedBy!: number | null;

  @Column('timestamptz', { name: 'updated_at', default: () => 'app_now()' })
  updatedAt!: Date;
}
