import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { BulkAction, BulkStatus } from '../../domain/bulk';
import type { ClientFilter } from './client-list';

@Entity('bulk_jobs')
export class BulkJob {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('bigint', { name: 'owner_id' })
  ownerId!: number;

  @Column('text')
  action!: BulkAction;

  @Column('bigint', { name: 'tag_ids', array: true, default: [] })
  tagIds!: number[];

  @Column('bigint', { name: 'client_ids', array: true, nullable: true })
  clientIds!: number[] | null;

  @Column('jsonb', { nullable: true })
  filter!: ClientFilter | null;

  @Column('bigint', { name: 'last_id' })
  lastId!: number;

  @Column('bigint', { name: 'cursor_id', default: 0 })
  cursorId!: number;

  @Column('integer', { nullable: true })
  total!: number | null;

  @Column('integer', { default: 0 })
  done!: number;

  @Column('text', { default: 'running' })
  status!: BulkStatus;

  @Column('timestamptz', { name: 'created_at', default: () => 'app_now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;
}
