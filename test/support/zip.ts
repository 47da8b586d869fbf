import { crc32, deflateRawSync } from 'node:zlib';

/** A ZIP archive of these parts; `lie` is the size that its directory says instead of the true one. */
export function zip(parts: Record<string, string | Buffer>, { lie }: { lie?: number } = {}): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(parts)) {
    const data = Buffer.from(content as string);
    const packed = deflateRawSync(data);
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt16LE(8, 4);
    head.writeUInt32LE(crc32(data), 10);
    head.writeUInt32LE(packed.length, 14);
    head.writeUInt32LE(lie ?? data.length, 18);
    head.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), head, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), head, tail, Buffer.from(name)]));
    files.push(local);
    at += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(list.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...files, list, Buffer.from('PK\x05\x06'), end]);
}

const escaped = (text: string) => text.replace(/[<&"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** The parts of a workbook, as Excel writes them: cells are texts (shared), numbers, or XML that is put in as it is. */
export function workbook(
  sheets: Record<string, (string | number | { xml: string } | null)[][]>,
): Record<string, string> {
  const strings: string[] = [];
  const letter = (i: number): string =>
    (i < 26 ? '' : letter(Math.floor(i / 26) - 1)) + String.fromCharCode(65 + (i % 26));
  const cell = (value: string | number | { xml: string } | null, r: string): string => {
    if (value === null) return '';
    if (typeof value === 'number') return `<c r="${r}"><v>${value}</v></c>`;
    if (typeof value === 'object') return value.xml.replace('<c', `<c r="${r}"`);
    if (!strings.includes(value)) strings.push(value);
    return `<c r="${r}" t="s"><v>${strings.indexOf(value)}</v></c>`;
  };
  const names = Object.keys(sheets);
  const parts: Record<string, string> = {
    'xl/workbook.xml': `<workbook xmlns:r="x"><sheets>${names.map((n, i) => `<sheet name="${escaped(n)}" sheetId="${i + 1}" r:id="rId${i + 1}"/>`).join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships>${names.map((_, i) => `<Relationship Id="rId${i + 1}" Target="worksheets/sheet${i + 1}.xml"/>`).join('')}</Relationships>`,
    'xl/styles.xml': `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd\\.mm\\.yyyy"/><numFmt numFmtId="165" formatCode="#,##0.00 &quot;days&quot;"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="22"/></cellXfs></styleSheet>`,
  };
  Object.values(sheets).forEach((rows, i) => {
    const body = rows
      .map((row, y) => `<row r="${y + 1}">${row.map((value, x) => cell(value, `${letter(x)}${y + 1}`)).join('')}</row>`)
      .join('');
    parts[`xl/worksheets/sheet${i + 1}.xml`] = `<worksheet><sheetData>${body}</sheetData></worksheet>`;
  });
  parts['xl/sharedStrings.xml'] = `<sst>${strings.map((s) => `<si><t>${escaped(s)}</t></si>`).join('')}</sst>`;
  return parts;
}
