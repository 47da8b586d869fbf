import fc from 'fast-check';
import type { Page } from '../../src/domain/paging';
import { timelineCursor, timelinePage } from '../../src/domain/timeline';

const entry = fc.record({ at: fc.integer({ min: 0, max: 30 }).map((n) => new Date(n)), name: fc.uuid() });

interface Entry {
  at: Date;
  name: string;
}

/** As a source does it: all of the newest instants before the given one. */
function newest(all: readonly Entry[], before: Date | null, instants: number): Entry[] {
  const earlier = all.filter(({ at }) => before === null || at < before);
  const last = [...new Set(earlier.map(({ at }) => +at))].sort((a, b) => b - a)[instants - 1] ?? -1;
  return earlier.filter(({ at }) => +at >= last);
}

test('the pages of a timeline have each entry of each source once, newest first', () => {
  fc.assert(
    fc.property(fc.array(fc.array(entry), { maxLength: 4 }), fc.integer({ min: 1, max: 10 }), (sources, limit) => {
      const seen: Entry[] = [];
      for (let before: Date | null = null; ;) {
        const from: Date | null = before;
        const entries: Entry[] = sources.flatMap((source) => newest(source, from, limit + 1));
        const page: Page<Entry> = timelinePage(entries, { before, limit });
        seen.push(...page.items);
        if (page.nextCursor === null) break;
        expect(page.items.length).toBeGreaterThanOrEqual(limit);
        before = timelineCursor(page.nextCursor) ?? null;
        expect(before).not.toBeNull();
      }
      expect(seen.map(({ at }) => +at)).toEqual([...seen].map(({ at }) => +at).sort((a, b) => b - a));
      expect(seen.map(({ name }) => name).sort()).toEqual(
        sources
          .flat()
          .map(({ name }) => name)
          .sort(),
      );
    }),
  );
});

test('of one instant, what stands first among the entries stays first', () => {
  const at = new Date(5);
  const entries = ['bounced', 'sent', 'added'].map((name) => ({ at, name }));
  expect(timelinePage(entries, { before: null, limit: 1 })).toEqual({ items: entries, nextCursor: null });
});

test.each(['', 'nonsense', 'WyJhIl0', 'WzFlMzBd', 'WzEuNV0', 'WzEsMl0', 'W251bGxd'])('%s is no cursor', (text) => {
  expect(timelineCursor(text)).toBeUndefined();
});
