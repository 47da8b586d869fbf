import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../database/database';

type Follow = (tx: Transaction, ownerId: number, firstId: number) => Promise<unknown>;

/** Announces new clients to a room above this one, which has to record it in the same transaction. */
@Injectable()
export class NewClients {
  private follow: Follow | undefined;

  attend(follow: Follow): void {
    this.follow = follow;
  }

  /**
   * The owner's clients with ids from `firstId` on are new. Call it in the transaction that adds them, after they are
   * inserted.
   * @throws Error if no listener is registered
   */
  async announce(tx: Transaction, ownerId: number, firstId: number): Promise<void> {
    if (!this.follow) throw new Error('nobody attends to new clients: the module of mailings is missing');
    await this.follow(tx, ownerId, firstId);
  }
}
