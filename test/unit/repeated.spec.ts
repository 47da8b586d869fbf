import { Repeated } from '../../src/logging/repeated';

describe('a repeated error', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('is logged at once, then once a minute with how often it came', () => {
    const lines: unknown[] = [];
    const repeated = new Repeated({ warn: (line: unknown) => void lines.push(line) });
    const say = (reason: string) => repeated.warn({ event: 'e', reason }, 'It failed');
    for (let i = 0; i < 1_000; i++) say(`job ${i} of f_0a${i}c failed`);
    say('something else');
    expect(lines).toHaveLength(2);
    jest.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatchObject({ event: 'e', times: 999 });
    jest.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(3);
    say('job 1 of f_0a1c failed');
    expect(lines).toHaveLength(4);
  });
});
