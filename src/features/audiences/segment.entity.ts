import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { SegmentFilter } from '../../domain/segment-filter';

/** A saved filter over an owner's clients. */
@Entity('segments')
export class Segment {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('bigint', { name: 'owner_id' })
  ownerId!: number;

  @Column('text')
  name!: string;

  /** Names tags by their ids. */
  @Column('jsonb')
  filter!: SegmentFilter;

  /** Raised by the database with each change of the content, see database/versions.ts. */
  @Column('integer', { default: 1 })
  version!: number;

  @Column('bigint', { name: 'updated_by', nullable: true })
  updatedBy!: number | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'app_now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'app_now()' })
  updatedAt!: Date;
}
