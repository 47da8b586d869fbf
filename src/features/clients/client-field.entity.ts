import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { FieldDefinition, FieldType } from '../../domain/client-fields';

@Entity('client_fields')
export class ClientField implements FieldDefinition {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('bigint', { name: 'owner_id' })
  ownerId!: number;

  @Column('text')
  key!: string;

  @Column('text')
  label!: string;

  @Column('text')
  type!: FieldType;

  @Column('text', { array: true, default: [] })
  options!: string[];

  @Column('integer', { default: 0 })
  position!: number;

  @Column('timestamptz', { name: 'created_at', default: () => 'app_now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'archived_at', nullable: true })
  archivedAt!: Date | null;
}
