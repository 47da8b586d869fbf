import { deliveryMoves } from '../../src/domain/delivery-moves';
import { type DeliveryStatus, deliveryStatuses } from '../../src/domain/states';

const moves = Object.values(deliveryMoves);
const leadsTo = (from: DeliveryStatus) =>
  moves.filter((move) => move.from.some((status) => status === from)).flatMap((move): DeliveryStatus[] => [...move.to]);

it('every state of a delivery can be reached', () => {
  const reached = new Set<DeliveryStatus>(deliveryMoves.plan.to);
  for (const state of reached) for (const next of leadsTo(state)) reached.add(next);
  expect([...reached].sort()).toEqual([...deliveryStatuses].sort());
});

it('a delivery that ended never moves again, unless its refusal was about us', () => {
  expect(leadsTo('failed')).toEqual(['pending']);
  for (const state of ['sent', 'skipped', 'cancelled'] as const) expect(leadsTo(state)).toEqual([]);
});
