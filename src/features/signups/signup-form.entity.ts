import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Language } from '../../domain/language';
import type { NameMode } from '../../domain/signup-form';

@Entity('signup_forms')
export class SignupForm {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('bigint', { name: 'owner_id' })
  ownerId!: number;

  /** Names it in its public address. */
  @Column('text')
  token!: string;

  @Column('text')
  name!: string;

  @Column('text')
  language!: Language;

  @Column('text')
  title!: string;

  @Column('text', { default: '' })
  intro!: string;

  @Column('text', { default: '' })
  thanks!: string;

  @Column('text', { name: 'consent_text', default: '' })
  consentText!: string;

  @Column('text', { name: 'redirect_url', nullable: true })
  redirectUrl!: string | null;

  @Column('boolean', { name: 'double_opt_in', default: true })
  doubleOptIn!: boolean;

  @Column('text', { name: 'full_name', default: 'optional' })
  fullName!: NameMode;

  /** Keys of the owner's fields. */
  @Column('text', { array: true, default: [] })
  fields!: string[];

  @Column('text', { name: 'required_fields', array: true, default: [] })
  requiredFields!: string[];

  @Column('text', { name: 'allowed_origins', array: true, default: [] })
  allowedOrigins!: string[];

  /** How often it was sent. */
  @Column('integer', { name: 'came_in', default: 0 })
  cameIn!: number;

  /** Raised by the database with each change of the content, see database/versions.ts. */
  @Column('integer', { default: 1 })
  version!: number;

  @Column('bigint', { name: 'updated_by', nullable: true })
  updatedBy!: number | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'app_now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'app_now()' })
  updatedAt!: Date;

  @Column('timestamptz', { name: 'closed_at', nullable: true })
  closedAt!: Date | null;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt!: Date | null;
}
