import { Injectable, Param, type PipeTransform } from '@nestjs/common';
import { NotFoundError } from '../domain/errors';

/** An id in a path; what is no id does not exist. */
@Injectable()
class IdPipe implements PipeTransform<unknown, number> {
  transform(value: unknown): number {
    // The global pipe has made a number of it already, or NaN.
    const id = Number(value);
    if (!Number.isSafeInteger(id) || id < 1) throw new NotFoundError('Object', String(value).slice(0, 40));
    return id;
  }
}

export const Id = () => Param('id', IdPipe);
