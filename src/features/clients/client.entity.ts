import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { FieldValues } from '../../domain/client-fields';

@Entity('clients')
export class Client {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('bigint', { name: 'owner_id' })
  ownerId!: number;

  @Column('text')
  email!: string;

  @Column('text', { name: 'full_name', default: '' })
  fullName!: string;

  @Column('text', { default: '' })
  comment!: string;

  /** The owner's fields (`client_fields`), by key. */
  @Column('jsonb', { default: {} })
  fields!: FieldValues;

  /** The import that added the client, if one did. */
  @Column('bigint', { name: 'import_id', nullable: true })
  importId!: number | null;

  /** Since when its address waits for its person to confirm it; null: it does not. */
  @Column('timestamptz', { name: 'unconfirmed_since', nullable: true })
  unconfirmedSince!: Date | null;

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
