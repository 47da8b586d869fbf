import { deliveryTransitions, mailingTransitions, runTransitions } from '../../src/domain/states';

const tables: [string, string[], Record<string, readonly string[]>][] = [
  ['mailing', ['created'], mailingTransitions],
  ['run', ['planning', 'missed'], runTransitions],
  ['delivery', ['pending', 'skipped'], deliveryTransitions],
];

it.each(tables)(
  'every state of a %s can be reached, and every one that is not final leads on',
  (_, beginnings, table) => {
    const reached = new Set(beginnings);
    for (const state of reached) for (const next of table[state] ?? []) reached.add(next);
    expect([...reached].sort()).toEqual(Object.keys(table).sort());
  },
);

it('a delivery that ended well or badly never moves again', () => {
  for (const state of ['sent', 'failed', 'skipped', 'cancelled'] as const)
    expect(deliveryTransitions[state]).toEqual([]);
});
