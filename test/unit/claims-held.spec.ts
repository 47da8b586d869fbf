import { claimsHeld } from '../../src/domain/claims-held';

describe('how many claims a worker holds', () => {
  it.each([
    ['none without a connection', 0, 2, 8, 0],
    ['twice as many behind a server as fast as the ledger', 10, 2, 8, 20],
    ['what hides one commit behind a server that is slower', 10, 16, 4, 15],
    ['as much as that, rounded up', 10, 15, 1, 12],
    ['a third at most behind a slow one, however slow the ledger is', 10, 20, 500, 13],
    ['a third at most while nothing is known', 10, 0, 0, 13],
    ['none ahead of three slow connections', 3, 40, 10, 3],
    ['none ahead of one', 1, 40, 10, 1],
    ['one ahead of one fast connection', 1, 2, 10, 2],
  ])('%s', (_, connections, letterMs, commitMs, expected) => {
    expect(claimsHeld(connections, letterMs, commitMs)).toBe(expected);
  });
});
