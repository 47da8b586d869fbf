import fc from 'fast-check';
import { csvField, csvRow, CsvParser, plainField } from '../../src/domain/csv-records';

describe('csvField', () => {
  it.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['a;b', '"a;b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    [' padded', '" padded"'],
    ['=1+1', "'=1+1"],
    ['+7 999', "'+7 999"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\tx', '"\'\tx"'],
    ['\rx', '"\'\rx"'],
    ["'=1", "''=1"],
    ['＝1+1', "'＝1+1"],
    ['＋1', "'＋1"],
    ['－1', "'－1"],
    ['＠SUM(A1)', "'＠SUM(A1)"],
    ['﹦1', "'﹦1"],
    ['⁼1', "'⁼1"],
    ['−1', "'−1"],
    [' =1', "' =1"],
    ['\u00A0=1', "'\u00A0=1"],
    ['\u3000＝1', "'\u3000＝1"],
    ['\u200B=1', "'\u200B=1"],
    ['\uFEFF=1', "'\uFEFF=1"],
    ['\n=1', '"\'\n=1"'],
    ["'＝1", "''＝1"],
    ['a=1', 'a=1'],
    ['– a dash', '– a dash'],
    ["'tis", "'tis"],
    [12, '12'],
    [-12, '-12'],
    [null, ''],
  ])('%j is written as %j', (value, field) => expect(csvField(value)).toBe(field));

  it('never begins with what a spreadsheet takes for a formula, and loses nothing', () => {
    const text = fc.string({ unit: fc.constantFrom(...'=+-@\t\'",;ax ＝＋\u200B') });
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 4 }), (values) => {
        for (const value of values) expect(csvField(value).replace(/^"/, '')).not.toMatch(/^[=+\-@\t\r＝＋]/);
        const [record] = [...new CsvParser(',', 1).push(csvRow(['x', ...values]).replace('\r\n', '\n'))];
        expect(record?.ok && record.fields.map(plainField)).toEqual(['x', ...values]);
      }),
    );
  });
});
