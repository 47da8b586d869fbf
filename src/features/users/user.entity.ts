import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Role } from '../../domain/permissions';

export const userStatuses = ['unconfirmed', 'waiting', 'active', 'blocked'] as const;
export type UserStatus = (typeof userStatuses)[number];

@Entity('users')
export class User {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('text')
  email!: string;

  @Column('text', { name: 'full_name', default: '' })
  fullName!: string;

  @Column('text', { name: 'password_hash', nullable: true })
  passwordHash!: string | null;

  @Column('text', { default: 'user' })
  role!: Role;

  @Column('text', { default: 'active' })
  status!: UserStatus;

  @Column('text', { default: 'en' })
  language!: 'en' | 'ru';

  @Column('text', { name: 'time_zone', default: 'UTC' })
  timeZone!: string;

  @Column('boolean', { name: 'time_zone_known', default: false })
  timeZoneKnown!: boolean;

  /** When they were last invited; null for those who came by themselves. */
  @Column('timestamptz', { name: 'invited_at', nullable: true })
  invitedAt!: Date | null;

  /** Whose rights the last invitation rests on; null if nobody's. */
  @Column('bigint', { name: 'invited_by', nullable: true })
  invitedBy!: number | null;

  /** When a session of theirs was last used, to the minute; null if never. */
  @Column('timestamptz', { name: 'last_seen_at', nullable: true })
  lastSeenAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'app_now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'app_now()' })
  updatedAt!: Date;
}
