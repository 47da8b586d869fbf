import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { LettersModule } from '../letters/letters.module';
import { ApiToken } from './api-token.entity';
import { RegistrationService } from './registration.service';
import { SessionsService } from './sessions.service';
import { TokensService } from './tokens.service';
import { User } from './user.entity';
import { UsersService } from './users.service';

@Module({
  imports: [DatabaseModule, QueueModule, LettersModule, TypeOrmModule.forFeature([User, ApiToken])],
  providers: [UsersService, TokensService, SessionsService, RegistrationService],
  exports: [UsersService, TokensService, SessionsService, RegistrationService],
})
export class UsersModule {}
