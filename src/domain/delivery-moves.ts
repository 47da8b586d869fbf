import type { DeliveryStatus } from './states';

export interface DeliveryMove {
  from: readonly DeliveryStatus[];
  to: readonly DeliveryStatus[];
  why: string;
}

/** The final states of deliveries whose run is closed: depending on why it was closed and whether they were tried. */
const CLOSED = ['cancelled', 'failed', 'skipped'] as const;

/** What may happen to a delivery. The ledger's statements take their states from here, and nothing else changes one. */
export const deliveryMoves = {
  plan: { from: [], to: ['pending', 'skipped'], why: 'Its run is planned; a client who is gone is skipped.' },
  claim: {
    from: ['pending', 'deferred', 'sending'],
    to: ['sending', 'skipped'],
    why: 'A worker tries it; if its recipient must not get mail, it is skipped. Its own claim comes back.',
  },
  offer: { from: ['sending'], to: ['sending'], why: 'From now on the server may be told of it.' },
  record: {
    from: ['sending'],
    to: ['sent', 'deferred', 'failed', 'unknown', 'pending', 'cancelled', 'skipped'],
    why: 'What the claim came to. It ends as its run did if that was closed meanwhile.',
  },
  takeOver: {
    from: ['sending'],
    to: ['deferred', 'unknown', 'pending', ...CLOSED],
    why: 'Its worker died: what the server may have been told of is unknown, what not goes back.',
  },
  answerLate: {
    from: ['deferred', 'unknown'],
    to: ['sent', 'deferred', 'failed'],
    why: 'The server answered after the claim was taken over, and nothing was tried since.',
  },
  close: { from: ['pending', 'deferred'], to: CLOSED, why: 'Its run was finished or has ended.' },
  suppress: { from: ['pending', 'deferred'], to: ['skipped'], why: 'Its recipient must not get mail any more.' },
  deleteClient: { from: ['pending', 'deferred'], to: ['skipped'], why: 'Its client was deleted.' },
  pardon: { from: ['failed', 'deferred'], to: ['pending'], why: 'The refusal was about us, not about its recipient.' },
  resend: { from: ['unknown'], to: ['pending'], why: 'Somebody wants it sent once more.' },
  markSent: { from: ['unknown'], to: ['sent'], why: 'Somebody knows that it arrived.' },
  reconcileSent: {
    from: ['pending', 'sending', 'deferred', 'unknown'],
    to: ['sent'],
    why: 'The log of a mail server names it, after the database was restored.',
  },
  reconcileOpen: {
    from: ['sending', 'deferred', 'unknown'],
    to: ['pending'],
    why: 'No log names it: it goes out when its mailing is resumed.',
  },
} as const satisfies Record<string, DeliveryMove>;

export type DeliveryMoveName = keyof typeof deliveryMoves;
/** The states to which a move leads. */
export type MovedTo<M extends DeliveryMoveName> = (typeof deliveryMoves)[M]['to'][number];
