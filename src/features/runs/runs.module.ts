import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { PlannerService } from './planner.service';
import { Run } from './run.entity';
import { RunsService } from './runs.service';

@Module({
  imports: [DatabaseModule, TypeOrmModule.forFeature([Run])],
  providers: [RunsService, PlannerService],
  exports: [RunsService, PlannerService],
})
export class RunsModule {}
