import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../database/database';
import type { Use } from '../../domain/errors';

/** A field or a tag that somebody wants to delete. */
export type Used = { field: string } | { tag: { id: number; name: string } };

type Find = (tx: Transaction, ownerId: number, used: Used) => Promise<Use[]>;

/** Asks the rooms above this one what they use of an owner's fields and tags: each registers its own question. */
@Injectable()
export class Uses {
  private readonly finders: Find[] = [];

  attend(find: Find): void {
    this.finders.push(find);
  }

  /** What would break; a finder may stop after some. */
  async of(tx: Transaction, ownerId: number, used: Used): Promise<Use[]> {
    const found: Use[] = [];
    for (const find of this.finders) found.push(...(await find(tx, ownerId, used)));
    return found;
  }
}

/** For people: `the message "Hello"`. */
export const namedUses = (uses: readonly Use[]): string =>
  uses.map(({ kind, name, id }) => `the ${kind} ${name === '' ? id : `"${name}"`}`).join(', ');
