import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { LetterDocument } from '../../domain/letter-document/schema';

@Entity('messages')
export class Message {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('bigint', { name: 'owner_id' })
  ownerId!: number;

  @Column('text')
  subject!: string;

  @Column('text')
  body!: string;

  @Column('text', { name: 'body_text', nullable: true })
  bodyText!: string | null;

  /** What a message of blocks was written as: its body and text part are made from it. Null: it is HTML. */
  @Column('jsonb', { nullable: true })
  document!: LetterDocument | null;

  /** How its owner calls it; empty: by its subject. */
  @Column('text', { default: '' })
  name!: string;

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
