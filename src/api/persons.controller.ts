import { Get, HttpCode, Post, StreamableFile } from '@nestjs/common';
import type { Viewer } from '../domain/permissions';
import { PersonsService } from '../features/persons/persons.service';
import { Id } from '../http/id.pipe';
import { jsonFile } from '../http/json-file';
import { CurrentViewer } from '../http/viewer';
import { ApiController } from './openapi/api-controller';
import { JSON_FILE, Operation } from './openapi/operation';
import { count, said, Shape } from './openapi/shape';

class ErasedAnswer extends Shape({
  clients: count,
  letters: said('Deliveries in which a hash stands for the address from now on.', count),
}) {}

@ApiController('clients')
export class PersonsController {
  constructor(private readonly persons: PersonsService) {}

  @Get(':id/export')
  @Operation('All that is kept about the person who is this client, as a JSON file', JSON_FILE)
  async export(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<StreamableFile> {
    return jsonFile(await this.persons.export(viewer, id), `client-${id}.json`);
  }

  @Post(':id/erase')
  @HttpCode(200)
  @Operation('Delete the client and forget every address that they had', ErasedAnswer, {
    conflicts: ['LETTER_UNDER_WAY', 'IMPORT_RUNNING'],
  })
  async erase(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return ErasedAnswer.of(await this.persons.erase(viewer, id));
  }
}
