import { Injectable, Param, type PipeTransform } from '@nestjs/common';
import { NotFoundError } from '../domain/errors';

/** An id in a path; what is no id does not exist. */
@Injectable()
class IdPipe implements PipeTransform<string, number> {
  transform(value: string): number {
    const id = Number(value);
    if (!/^\d{1,15}$/.test(value) || id < 1) throw new NotFoundError('Object', value.slice(0, 40));
    return id;
  }
}

export const Id = () => Param('id', IdPipe);
