import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { ApiToken } from './api-token.entity';
import { SessionsService } from './sessions.service';
import { TokensService } from './tokens.service';
import { User } from './user.entity';
import { UsersService } from './users.service';

@Module({
  imports: [DatabaseModule, TypeOrmModule.forFeature([User, ApiToken])],
  providers: [UsersService, TokensService, SessionsService],
  exports: [UsersService, TokensService, SessionsService],
})
export class UsersModule {}
