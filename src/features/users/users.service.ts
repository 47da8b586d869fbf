import { Injectable } from '@nestjs/common';
import { Database, violates } from '../../database/database';
import { parseEmailAddress, singleLineProblem } from '../../domain/email-address';
import { ConflictError, type FieldError, NotFoundError, ValidationError } from '../../domain/errors';
import type { Role } from '../../domain/permissions';
import { hashPassword, passwordProblems } from './passwords';
import { User } from './user.entity';

export interface NewUser {
  email: string;
  role: Role;
  password?: string;
  fullName?: string;
}

@Injectable()
export class UsersService {
  constructor(private readonly database: Database) {}

  /**
   * Makes a user who may sign in at once.
   * @throws ValidationError, ConflictError EMAIL_TAKEN
   */
  async create(input: NewUser): Promise<User> {
    const errors: FieldError[] = [];
    const email = parseEmailAddress(input.email);
    if (!email.ok) errors.push({ field: 'email', message: email.message });
    const nameProblem = singleLineProblem(input.fullName ?? '', 200);
    if (nameProblem) errors.push({ field: 'fullName', message: nameProblem });
    if (input.password !== undefined) errors.push(...passwordProblems(input.password));
    if (errors.length > 0 || !email.ok) throw new ValidationError(errors);
    const passwordHash = input.password === undefined ? null : await hashPassword(input.password);
    const users = this.database.dataSource.getRepository(User);
    try {
      return await users.save(
        users.create({ email: email.email, role: input.role, fullName: input.fullName ?? '', passwordHash }),
      );
    } catch (error) {
      if (violates(error, 'users_email_key')) {
        throw new ConflictError('EMAIL_TAKEN', `There is a user with the address ${email.email} already.`);
      }
      throw error;
    }
  }

  /** @throws NotFoundError */
  async byEmail(email: string): Promise<User> {
    const user = await this.database.dataSource
      .getRepository(User)
      .createQueryBuilder('u')
      .where('lower(u.email) = lower(:email)', { email })
      .getOne();
    if (!user) throw new NotFoundError('A user with the address', email);
    return user;
  }

  /** @throws NotFoundError */
  async byId(id: number): Promise<User> {
    const user = await this.database.dataSource.getRepository(User).findOneBy({ id });
    if (!user) throw new NotFoundError('User', id);
    return user;
  }
}
