import { readWorkbook, sheetNames, sheetRows } from '../../src/database/read-workbook';
import { ClientsCsv, clientsFormat, type ClientLine } from '../../src/domain/csv-clients';
import { RecordTable, type RejectedLine } from '../../src/domain/csv-table';
import { workbook, zip } from '../support/zip';

const PART = 256 * 1024;
const fileOf = (bytes: Buffer) => ({
  bytes: bytes.length,
  part: (n: number) => Promise.resolve(bytes.subarray(n * PART, (n + 1) * PART)),
});

async function rowsOf(bytes: Buffer, sheet: string | null = null) {
  const rows = [];
  for await (const { line, cells } of sheetRows(fileOf(bytes), sheet))
    rows.push({ line, cells: Array.from(cells, (cell) => cell ?? '') });
  return rows;
}
const fault = (bytes: Buffer, sheet: string | null = null) =>
  rowsOf(bytes, sheet).then(
    () => null,
    (error: { problem?: { values: { fault?: string } } }) => error.problem?.values.fault ?? error,
  );

/** A workbook of one sheet whose XML is this; `more` are other parts. */
const ofXml = (xml: string, more: Record<string, string> = {}) =>
  zip({ ...workbook({ A: [['x']] }), 'xl/worksheets/sheet1.xml': `<worksheet>${xml}</worksheet>`, ...more });
async function itemsOf(bytes: Buffer) {
  const found: (ClientLine | RejectedLine)[] = [];
  const sink = {
    add: (row: ClientLine | RejectedLine) => void found.push(row),
    bytes: 0,
    write: () => Promise.resolve(),
  };
  await readWorkbook(fileOf(bytes), null, new RecordTable(clientsFormat({})), sink);
  return found;
}
const cells = (...texts: string[]) =>
  `<row>${texts.map((text) => `<c t="inlineStr"><is><t>${text}</t></is></c>`).join('')}</row>`;

const styled = (style: number, value: string | number) => ({ xml: `<c s="${style}"><v>${value}</v></c>` });

describe('a workbook', () => {
  it('is read as what people see: texts, numbers as written, days, yes and no', async () => {
    const file = zip(
      workbook({
        Clients: [
          ['email', 'город', 'n'],
          ['a@b.ru', 'Тверь & <co>', 1234.5],
          [],
          ['c@d.ru', null, 0.30000000000000004],
          [
            { xml: '<c t="inlineStr"><is><r><t>rich</t></r><r><t> text</t></r><rPh><t>phonetic</t></rPh></is></c>' },
            { xml: '<c t="b"><v>1</v></c>' },
            { xml: '<c t="e"><v>#REF!</v></c>' },
          ],
          [styled(1, 45_000), styled(2, 45_000.25), styled(3, 45_000.5), styled(4, 1.5), styled(1, 59), styled(1, 61)],
          [
            { xml: '<c t="str"><f>A1&amp;B1</f><v>by a formula</v></c>' },
            { xml: '<c><v>7.9001234567E10</v></c>' },
            'a_x000A_b',
          ],
        ],
        Other: [['x']],
      }),
    );
    expect(await sheetNames(fileOf(file))).toEqual(['Clients', 'Other']);
    expect(await rowsOf(file)).toEqual([
      { line: 1, cells: ['email', 'город', 'n'] },
      { line: 2, cells: ['a@b.ru', 'Тверь & <co>', '1234.5'] },
      { line: 4, cells: ['c@d.ru', '', '0.3'] },
      { line: 5, cells: ['rich text', 'true'] },
      {
        line: 6,
        cells: ['2023-03-15', '2023-03-15 06:00:00', '45000.5', '1900-01-01 12:00:00', '1900-02-28', '1900-03-01'],
      },
      { line: 7, cells: ['by a formula', '79001234567', 'a\nb'] },
    ]);
    expect(await rowsOf(file, 'Other')).toEqual([{ line: 1, cells: ['x'] }]);
  });

  it.each<[string, Buffer, string | null, string]>([
    ['without such a sheet', zip(workbook({ A: [['x']] })), 'B', 'no_sheet'],
    ['that is another archive', zip({ 'a.txt': 'x' }), null, 'no_workbook'],
    ['that is cut off', zip(workbook({ A: [['x']] })).subarray(0, -30), null, 'broken'],
    [
      'whose XML is broken',
      zip({ ...workbook({ A: [['x']] }), 'xl/worksheets/sheet1.xml': '<worksheet><row></worksheet>' }),
      null,
      'broken',
    ],
    ['that lies about its size', zip(workbook({ A: [['x']] }), { lie: 5 }), null, 'broken'],
    [
      'with very many parts',
      zip(Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`p${i}`, '']))),
      null,
      'entries',
    ],
    [
      'with very many columns',
      zip({
        ...workbook({ A: [['x']] }),
        'xl/worksheets/sheet1.xml': '<worksheet><row r="1"><c r="XFD1"><v>1</v></c></row></worksheet>',
      }),
      null,
      'columns',
    ],
    ['whose list of sheets is a bomb', zip({ 'xl/workbook.xml': Buffer.alloc(17 * 1024 * 1024, 0x20) }), null, 'bytes'],
  ])('%s is refused', async (_, bytes, sheet, expected) => expect(await fault(bytes, sheet)).toBe(expected));

  const MEGABYTES = 2 * 1024 * 1024;
  it.each<[string, Buffer, string]>([
    ['whose row has a number beyond the last one', ofXml('<row r="9007199254740991"><c><v>1</v></c></row>'), 'broken'],
    ['whose row has one number more than there are', ofXml('<row r="1048577"><c><v>1</v></c></row>'), 'broken'],
    ['whose row goes to infinity', ofXml('<row r="1e999"><c><v>1</v></c></row>'), 'broken'],
    ['whose text does not end', ofXml(`<row><c><v>${'1'.repeat(MEGABYTES)}</v></c></row>`), 'broken'],
    ['whose attribute does not end', ofXml(`<row><c r="${'1'.repeat(MEGABYTES)}"></c></row>`), 'broken'],
    ['that is nested very deep', ofXml('<a>'.repeat(2_000) + '</a>'.repeat(2_000)), 'broken'],
    [
      'with very many styles',
      ofXml('', { 'xl/styles.xml': `<styleSheet><cellXfs>${'<xf/>'.repeat(100_001)}</cellXfs></styleSheet>` }),
      'broken',
    ],
    [
      'with very many shared texts',
      ofXml('', { 'xl/sharedStrings.xml': `<sst>${'<si/>'.repeat(2_000_001)}</sst>` }),
      'texts',
    ],
    [
      'with shared texts that are very long together',
      ofXml('', { 'xl/sharedStrings.xml': `<sst>${`<si><t>${'x'.repeat(32_000)}</t></si>`.repeat(1_600)}</sst>` }),
      'strings',
    ],
  ])('%s is refused', async (_, bytes, expected) => expect(await fault(bytes)).toBe(expected));

  it('has its last row where Excel has it', async () =>
    expect(await rowsOf(ofXml('<row r="1048576"><c><v>1</v></c></row>'))).toEqual([{ line: 1_048_576, cells: ['1'] }]));

  it('may have very many elements that mean nothing', async () => {
    const styles = `<styleSheet><cellXfs>${'<a/>'.repeat(1_000_000)}<xf/><xf numFmtId="14"/></cellXfs></styleSheet>`;
    const file = ofXml('<row><c s="1"><v>45000</v></c></row>', { 'xl/styles.xml': styles });
    expect(await rowsOf(file)).toEqual([{ line: 1, cells: ['2023-03-15'] }]);
  });

  it('whose format of numbers is a trap is read without falling into it', async () => {
    const styles = `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="${'['.repeat(900_000)}"/></numFmts></styleSheet>`;
    const begin = performance.now();
    expect(await rowsOf(ofXml(cells('x'), { 'xl/styles.xml': styles }))).toHaveLength(1);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  it('has texts that are cut where Excel ends them, between characters', async () => {
    const long = '😀'.repeat(20_000);
    const strings = { 'xl/sharedStrings.xml': `<sst><si><t>x${long}</t></si></sst>` };
    const [[shared], [own]] = (
      await rowsOf(ofXml(`<row><c t="s"><v>0</v></c></row>${cells(`x${long}`)}`, strings))
    ).map((row) => row.cells) as [string[], string[]];
    expect(shared).toBe(`x${'😀'.repeat(16_383)}`);
    expect(own).toBe(shared);
    const [[evenly]] = (await rowsOf(ofXml(cells(long)))).map((row) => row.cells) as [string[]];
    expect(evenly).toBe('😀'.repeat(16_383));
  });

  it('has no row that is longer than a record: such a line is rejected, the others are taken', async () => {
    const strings = { 'xl/sharedStrings.xml': `<sst><si><t>${'x'.repeat(32_000)}</t></si></sst>` };
    const long = `<row>${'<c t="s"><v>0</v></c>'.repeat(900)}</row>`;
    const found = await itemsOf(
      ofXml(cells('email', 'name') + cells('a@b.ru', 'A') + long + cells('b@b.ru', 'B'), strings),
    );
    expect(found).toMatchObject([
      { kind: 'client', line: 2 },
      { kind: 'rejected', line: 3, errors: [{ field: 'line', code: 'too_long', values: { max: 100_000 } }] },
      { kind: 'client', line: 4 },
    ]);
    await expect(itemsOf(ofXml(long, strings))).rejects.toMatchObject({ problem: { code: 'file_header_long' } });
  });

  it('is looked at no further than is wanted', async () => {
    const file = ofXml(cells('email') + cells('a@b.ru').repeat(50_000));
    for (const [max, short] of [
      [100_000, true],
      [100_000_000, false],
    ] as const) {
      const peek = { max, short: false };
      let rows = 0;
      for await (const row of sheetRows(fileOf(file), null, peek)) rows += row.cells.length;
      expect([peek.short, rows < 5_000, rows > 500]).toEqual([short, short, true]);
    }
  });

  it('whose shared texts are a bomb is refused before they are unpacked', async () => {
    const bomb = { ...workbook({ A: [['x']] }), 'xl/sharedStrings.xml': '' };
    expect(await fault(zip({ ...bomb, 'xl/sharedStrings.xml': Buffer.alloc(97 * 1024 * 1024, 0x20) }))).toBe('strings');
  });

  it('whose sheet is a bomb is refused long before its end', async () => {
    const row = Buffer.from('<row><c><v>1</v></c></row>'.repeat(50_000));
    const sheet = Buffer.concat([Buffer.from('<worksheet>'), ...Array.from({ length: 40 }, () => row)]);
    const file = zip({ ...workbook({ A: [['x']] }), 'xl/worksheets/sheet1.xml': sheet });
    expect(file.length * 100).toBeLessThan(sheet.length);
    let rows = 0;
    const read = async () => {
      for await (const row of sheetRows(fileOf(file), null)) rows += row.cells.length;
    };
    await expect(read()).rejects.toMatchObject({ problem: { values: { fault: 'bytes' } } });
    expect(rows).toBe(0);
  });

  it('with single cells far on the right costs no more than its cells', async () => {
    const far = Array.from(
      { length: 20_000 },
      (_, i) => `<row r="${i + 2}"><c r="ALL${i + 2}"><v>1</v></c></row>`,
    ).join('');
    const sheet = `<worksheet><row r="1"><c r="A1" t="str"><v>email</v></c></row>${far}</worksheet>`;
    const found: RejectedLine[] = [];
    const table = new RecordTable(clientsFormat({}));
    const sink = {
      add: (row: ClientLine | RejectedLine) => void found.push(row as RejectedLine),
      bytes: 0,
      write: () => Promise.resolve(),
    };
    const reading = readWorkbook(
      fileOf(zip({ ...workbook({ A: [['x']] }), 'xl/worksheets/sheet1.xml': sheet })),
      null,
      table,
      sink,
    );
    await expect(reading).rejects.toMatchObject({ problem: { code: 'file_of_others' } });
    expect(found.every(({ record = [] }) => record.length === 2)).toBe(true);
  });

  it('gives the same clients as the text that says the same', async () => {
    const rows = [
      ['email', 'name', 'status'],
      ['a@b.ru', 'Anna', ''],
      ['bad', 'Bob', ''],
      ['c@d.ru', '', 'unsubscribed'],
    ];
    const csv = new ClientsCsv();
    const fromText = [...csv.push(Buffer.from(rows.map((row) => row.join()).join('\n'))), ...csv.end()];
    const found: (ClientLine | RejectedLine)[] = [];
    const sink = {
      add: (row: ClientLine | RejectedLine) => void found.push(row),
      bytes: 0,
      write: () => Promise.resolve(),
    };
    const table = new RecordTable(clientsFormat({}));
    await readWorkbook(fileOf(zip(workbook({ A: rows }))), null, table, sink);
    expect(found).toEqual(fromText);
  });
});
