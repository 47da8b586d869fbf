import { foreignTags } from '../../src/domain/foreign-tags';

describe('placeholders of other tools', () => {
  it.each([
    ['*|FNAME|*', 'client.fullName'],
    ['*|EMAIL|*', 'client.email'],
    ['*|UNSUB|*', 'unsubscribeUrl'],
    ['%%name%%', 'client.fullName'],
    ['%recipient.name%', 'client.fullName'],
    ['[Name,fallback=friend]', 'client.fullName'],
    ['[[email]]', 'client.email'],
    ['{name}', 'client.fullName'],
    ['{first_name}', 'client.fullName'],
    ['{{ first_name|default:"friend" }}', 'client.fullName'],
    ['*|CITY|*', ''],
  ])('%s is found, with what is meant', (tag, meant) => {
    expect(foreignTags(`Hello ${tag}, and ${tag}`)).toEqual([
      { example: tag, meant },
      { example: tag, meant },
    ]);
  });

  it.each(['100%% sure', '[1]', '[[1]]', 'a * | b', '{ }', '{x}', '50 % of [all]', 'f(name)'])('%s is none', (text) => {
    expect(foreignTags(text)).toEqual([]);
  });

  it('are looked for in time that grows with the text alone', () => {
    const began = process.cpuUsage();
    for (const part of ['%%a', '[[a', '*|A', '[a,fallback=', '{first', '{{a']) foreignTags(part.repeat(50_000));
    expect(process.cpuUsage(began).user).toBeLessThan(2_000_000);
  });
});
