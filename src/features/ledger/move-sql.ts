import { deliveryMoves, type DeliveryMoveName, type MovedTo } from '../../domain/delivery-moves';

/** SQL: whether this move may be made from the state in `column`. */
export const may = (move: DeliveryMoveName, column = 'd.status'): string =>
  `${column} IN (${deliveryMoves[move].from.map((status) => `'${status}'`).join(', ')})`;

/**
 * SQL: the state to which this move leads; if it leads to several, the compiler checks that `status` is one of them.
 */
export const to = <M extends DeliveryMoveName>(_move: M, status: MovedTo<M>): string => `'${status}'`;

/** SQL: the final state of a delivery `d` whose run `r` was closed. */
export const asItsRun = (tried = 'd.attempts > 0'): string =>
  `CASE WHEN r.reason <> 'ended' THEN ${to('close', 'cancelled')} WHEN ${tried} THEN ${to('close', 'failed')}
        ELSE ${to('close', 'skipped')} END`;
