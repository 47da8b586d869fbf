import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('tags')
export class Tag {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('bigint', { name: 'owner_id' })
  ownerId!: number;

  @Column('text')
  name!: string;

  /** A topic: people may choose it and leave it themselves. */
  @Column('boolean', { default: false })
  public!: boolean;

  /** How many clients have it; kept by the database. */
  @Column('integer', { default: 0 })
  clients!: number;

  @Column('timestamptz', { name: 'created_at', default: () => 'app_now()' })
  createdAt!: Date;
}
