import { Injectable, Param, type PipeTransform } from '@nestjs/common';
import { NotFoundError } from '../domain/errors';

/** An id in a path. Anything else is answered with 404. */
@Injectable()
class IdPipe implements PipeTransform<string, number> {
  transform(text: string): number {
    const id = Number(text);
    if (!/^[1-9]\d{0,15}$/.test(text) || !Number.isSafeInteger(id))
      throw new NotFoundError('Object', text.slice(0, 40));
    return id;
  }
}

export const Id = () => Param('id', IdPipe);
