import fc from 'fast-check';
import { placeOf } from '../../src/web/trail';

/** A list of so many rows in pages of `size`, whose cursors are what `cursorOf` makes of the last row's number. */
function listOf(rows: number, size: number, cursorOf = (row: number) => `c${row}`) {
  return (address: string) => {
    const query = new URLSearchParams(address);
    const cursor = query.get('cursor');
    const after = cursor === null ? 0 : Number(cursor.replace(/^c(\d+).*$/, '$1'));
    const shown = Array.from({ length: Math.max(0, Math.min(size, rows - after)) }, (_, i) => after + 1 + i);
    const next = after + size < rows ? cursorOf(after + size) : null;
    return { shown, ...placeOf(query, shown.length, next) };
  };
}

test('going forward and back shows the same rows, with their numbers', () => {
  const moves = fc.array(fc.constantFrom('next', 'previous', 'start'), { maxLength: 60 });
  fc.assert(
    fc.property(fc.nat(400), fc.integer({ min: 1, max: 20 }), moves, (rows, size, way) => {
      const at = listOf(rows, size);
      let [address, index] = ['?search=a', 0];
      for (const move of way) {
        const page = at(address);
        const first = index * size + 1;
        expect(page.first).toBe(first);
        expect(page.shown).toEqual(Array.from({ length: page.shown.length }, (_, i) => first + i));
        expect([page.previous === null, page.start === null]).toEqual([index === 0, index === 0]);
        expect(page.next === null).toBe(first + size > rows);
        const link = page[move];
        if (link === null) continue;
        index = move === 'next' ? index + 1 : move === 'previous' ? index - 1 : 0;
        address = link;
        expect(new URLSearchParams(address).get('search')).toBe('a');
      }
    }),
  );
});

test('the way back is forgotten from its beginning when it gets too long for an address', () => {
  const at = listOf(1_000, 1, (row) => `c${row}${'x'.repeat(90)}`);
  let address = '';
  for (let i = 0; i < 200; i++) {
    address = at(address).next ?? '';
    expect(address.length).toBeLessThan(4_500);
  }
  let back = 0;
  for (let page = at(address); page.previous !== null; page = at(page.previous)) {
    back++;
    expect(page.shown).toEqual([201 - back + 1]);
  }
  expect(back).toBeGreaterThan(25);
  expect(at(address).start).toBe('');
});

test.each([
  ['no number', 'cursor=c50', null],
  ['a wrong number', 'cursor=c50&row=0&trail=1*', null],
  ['a number that is none', 'cursor=c50&row=1e3', null],
  ['a number without a page', 'row=51&trail=1*', 1],
  ['a broken way', 'cursor=c50&row=51&trail=1*.<script>', 51],
  ['an endless way', `cursor=c50&row=51&trail=${'1*.'.repeat(2_000)}1*`, 51],
])('what somebody wrote into the address is taken as it is or left out: %s', (_, query, first) => {
  const place = placeOf(new URLSearchParams(query), 50, 'c100');
  expect(place.first).toBe(first);
  if (query.includes('trail=')) expect(place.previous).toBe(first === null ? '' : null);
  expect(place.next).toContain('cursor=c100');
  expect(place.next).not.toContain('script');
});
