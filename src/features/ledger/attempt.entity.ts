import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { AttemptStatus } from '../../domain/states';

/** One SMTP transaction of one delivery, from MAIL FROM on. */
@Entity('attempts')
export class Attempt {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('timestamptz', { name: 'created_at', default: () => 'app_now()' })
  createdAt!: Date;

  @Column('bigint', { name: 'delivery_id' })
  deliveryId!: number;

  @Column('bigint', { name: 'run_id' })
  runId!: number;

  @Column('bigint', { name: 'mailing_id' })
  mailingId!: number;

  @Column('bigint', { name: 'owner_id' })
  ownerId!: number;

  @Column('bigint', { name: 'client_id' })
  clientId!: number;

  @Column('bigint', { name: 'worker_id' })
  workerId!: number;

  @Column('smallint', { name: 'attempt_number' })
  attemptNumber!: number;

  @Column('text')
  status!: AttemptStatus;

  @Column('text', { nullable: true })
  reason!: string | null;

  @Column('smallint', { name: 'reply_code', nullable: true })
  replyCode!: number | null;

  @Column('text', { name: 'enhanced_code', nullable: true })
  enhancedCode!: string | null;

  @Column('text', { name: 'server_response', default: '' })
  serverResponse!: string;

  @Column('integer', { name: 'duration_ms', nullable: true })
  durationMs!: number | null;

  @Column('text', { nullable: true })
  refusal!: string | null;

  @Column('boolean', { default: false })
  pardoned!: boolean;
}
