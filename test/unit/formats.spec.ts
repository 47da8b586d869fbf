import { formatsOf } from '../../src/web/formats';

const AT = '2027-03-14T22:05:09Z';

test.each([
  ['en', 'UTC', '14 Mar 2027, 22:05', 'Sun, 14 Mar 2027, 22:05', 'Sun, 14 Mar 2027'],
  ['ru', 'UTC', '14 мар. 2027, 22:05', 'вс, 14 мар. 2027, 22:05', 'вс, 14 мар. 2027'],
  ['ru', 'Asia/Vladivostok', '15 мар. 2027, 08:05', 'пн, 15 мар. 2027, 08:05', 'вс, 14 мар. 2027'],
] as const)('%s, %s: times and days, with no dot that would double that of a sentence', (language, zone, ...texts) => {
  const format = formatsOf(language, zone);
  expect([format.time(AT), format.due(AT), format.longDay('2027-03-14')]).toEqual(texts);
  for (const text of [format.time(AT), format.exact(AT), format.day(AT), format.plainDay('2027-03-14')])
    expect(text).not.toMatch(/\.$|г\./);
  expect(format.month('2027-03-14')).not.toMatch(/\.$|г\./);
});

test.each([
  [0, '0%'],
  [0.004, '0.4%'],
  [0.0996, '10%'],
  [0.5, '50%'],
  [0.996, '99.6%'],
  [1, '100%'],
])('the share %p is %s: nearly all is not all, and nearly nothing not nothing', (share, text) => {
  expect(formatsOf('en', 'UTC').percent(share)).toBe(text);
});
