import { Get, Post, type StreamableFile } from '@nestjs/common';
import type { Viewer } from '../../domain/permissions';
import { PersonsService } from '../../features/persons/persons.service';
import { Id } from '../../http/id.pipe';
import { jsonFile } from '../../http/json-file';
import { CurrentViewer } from '../../http/viewer';
import { redirect, type WebAnswer } from '../answers';
import { WebController } from '../web-controller';

@WebController('clients')
export class PersonsWebController {
  constructor(private readonly persons: PersonsService) {}

  @Get(':id/export.json')
  async export(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<StreamableFile> {
    return jsonFile(await this.persons.export(viewer, id), `client-${id}.json`);
  }

  @Post(':id/erase')
  async erase(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.persons.erase(viewer, id);
    return redirect('/clients', 'erased');
  }
}
