import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { ClientsModule } from './clients.module';
import { BulkJobs } from './bulk-jobs.service';
import { ClientWork } from './client-work.service';
import { ImportApplier } from './import-applier.service';
import { ImportInspector } from './import-inspector.service';
import { ImportPlans } from './import-plans.service';
import { ImportStager } from './import-stager.service';
import { BulkJob } from './bulk-job.entity';
import { ImportUndo } from './import-undo.service';
import { Import } from './import.entity';
import { ImportsService } from './imports.service';

@Module({
  imports: [ClientsModule, DatabaseModule, QueueModule, TypeOrmModule.forFeature([Import, BulkJob])],
  providers: [
    ClientWork,
    BulkJobs,
    ImportsService,
    ImportStager,
    ImportApplier,
    ImportInspector,
    ImportPlans,
    ImportUndo,
  ],
  exports: [ClientWork, BulkJobs, ImportsService],
})
export class ImportsModule {}
