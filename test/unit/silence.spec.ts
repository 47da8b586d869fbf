import { watch, type Watched, watchedMs } from '../../src/domain/silence';

const HEARTBEAT = 5_000;

/** Looks every `everyMs`; what each look sees is told by its number. */
function after(looks: number, everyMs: number, seen: (look: number) => { id: number; beat: string }[]) {
  let known: ReadonlyMap<number, Watched> = new Map();
  for (let look = 0; look < looks; look++)
    known = watch(known, seen(look), watchedMs(look === 0 ? Infinity : everyMs, HEARTBEAT));
  return known;
}

describe('the watch over other workers', () => {
  it('counts the time in which a heartbeat stays the same', () => {
    expect(after(7, HEARTBEAT, () => [{ id: 1, beat: 'a' }]).get(1)?.silentMs).toBe(30_000);
  });

  it('begins anew with each heartbeat, whatever time it shows', () => {
    expect(after(7, HEARTBEAT, (look) => [{ id: 1, beat: look < 5 ? 'b' : 'a' }]).get(1)?.silentMs).toBe(5_000);
  });

  it('counts nothing before the first look, nor of who was away and came back', () => {
    expect(after(1, HEARTBEAT, () => [{ id: 1, beat: 'a' }]).get(1)?.silentMs).toBe(0);
    const back = after(4, HEARTBEAT, (look) => (look === 2 ? [] : [{ id: 1, beat: 'a' }]));
    expect(back.get(1)?.silentMs).toBe(0);
  });

  it('counts two heartbeats at most between two looks: an outage or a freeze makes nobody dead', () => {
    expect(after(2, 90_000, () => [{ id: 1, beat: 'a' }]).get(1)?.silentMs).toBe(10_000);
    expect(watchedMs(-3, HEARTBEAT)).toBe(0);
  });
});
