import { Injectable } from '@nestjs/common';
import { FormDrafts } from '../features/drafts/form-drafts.service';
import { SignupRecords } from '../features/signups/signup-records.service';
import { StaleUsers } from '../features/users/stale-users';
import { UnusedFilesTurn } from './unused-files-turn';

/** What a sweep deletes because it has had its time. */
@Injectable()
export class Expiry {
  constructor(
    private readonly users: StaleUsers,
    private readonly signups: SignupRecords,
    private readonly drafts: FormDrafts,
    private readonly files: UnusedFilesTurn,
  ) {}

  async run(): Promise<void> {
    await this.users.forget();
    await this.signups.forgetExpired();
    await this.drafts.forgetOld();
    await this.files.look();
  }
}
