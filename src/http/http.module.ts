import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { UsersModule } from '../features/users/users.module';
import { QueueModule } from '../queue/queue.module';
import { AuthGuard } from './auth.guard';
import { ProblemFilter } from './problem.filter';
import { UploadPlaces } from './upload-places';

/** What the API and the pages share: authentication, permissions, errors. */
@Module({
  imports: [UsersModule, QueueModule],
  providers: [
    UploadPlaces,
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
  exports: [UploadPlaces],
})
export class HttpModule {}
