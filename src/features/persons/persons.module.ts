import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { RunsModule } from '../runs/runs.module';
import { PersonsService } from './persons.service';

@Module({
  imports: [DatabaseModule, RunsModule],
  providers: [PersonsService],
  exports: [PersonsService],
})
export class PersonsModule {}
