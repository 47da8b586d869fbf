import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { NoticesModule } from '../notices/notices.module';
import { ApiToken } from './api-token.entity';
import { IdentitiesService } from './identities.service';
import { InvitationsService } from './invitations.service';
import { OwnPassword } from './own-password';
import { RegistrationService } from './registration.service';
import { SecondFactorService } from './second-factor.service';
import { SessionsService } from './sessions.service';
import { SignInService } from './sign-in.service';
import { TokensService } from './tokens.service';
import { User } from './user.entity';
import { UsersService } from './users.service';

const services = [
  UsersService,
  TokensService,
  SessionsService,
  RegistrationService,
  SecondFactorService,
  SignInService,
  IdentitiesService,
  InvitationsService,
];

@Module({
  imports: [DatabaseModule, QueueModule, NoticesModule, TypeOrmModule.forFeature([User, ApiToken])],
  providers: [OwnPassword, ...services],
  exports: services,
})
export class UsersModule {}
