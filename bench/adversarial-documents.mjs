/** Letters of blocks and pictures in the adversarial corpus, made to cost more than they are worth. */
import { deflateSync } from 'node:zlib';
import { repeat } from './adversarial-templates.mjs';

const many = (n, of) => Array.from({ length: n }, (_, i) => of(i));
const text = (words, marks) => ({ type: 'text', text: words, ...(marks && { marks }) });
const paragraph = (...content) => ({ type: 'paragraph', content });
const nested = (depth, open, close, middle) => repeat(open, depth) + middle + repeat(close, depth);
const link = (href) => [{ type: 'link', attrs: { href } }];
const variable = (name) => ({ type: 'variable', attrs: { name, fallback: '' } });
const columns = (...each) => ({ type: 'columns', content: each.map((content) => ({ type: 'column', content })) });
const button = (href) => ({ type: 'button', attrs: { href, align: 'start' }, content: [text('x')] });

/** Each makes what stands under `document.doc.content`, as JSON. */
const contents = {
  '500 paragraphs': () => many(500, (i) => paragraph(text(`Paragraph ${i}`))),
  '600 paragraphs': () => many(600, (i) => paragraph(text(`Paragraph ${i}`))),
  '490 buttons': () => many(490, (i) => button(`https://example.org/${i}`)),
  '490 headings without a type': () => many(490, () => ({ content: [text('x')] })),
  '160 pairs of columns': () => many(160, () => columns([paragraph(text('a'))], [paragraph(text('b'))])),
  'a paragraph of 250 KB': () => [paragraph(text(repeat('x', 250_000)))],
  'a paragraph of 250 KB of angles': () => [paragraph(text(repeat('<', 250_000)))],
  'a paragraph of 250 KB of braces': () => [paragraph(text(repeat('{{', 125_000)))],
  'a paragraph of 250 KB of spaces': () => [paragraph(text(repeat(' ', 250_000)))],
  'a paragraph of 80,000 emoji': () => [paragraph(text(repeat('😀', 80_000)))],
  '4,000 words in turn bold': () => [
    paragraph(...many(4_000, (i) => text('x', i % 2 ? [{ type: 'strong' }] : undefined))),
  ],
  '2,000 words with one mark 5 times': () => [
    paragraph(...many(2_000, () => text('x', Array(5).fill({ type: 'strong' })))),
  ],
  '2,500 links': () => [paragraph(...many(2_500, (i) => text('x', link(`https://example.org/${i}`))))],
  '120 links of 2,000 braces': () => [
    paragraph(...many(120, () => text('x', link(`https://example.org/${repeat('{{', 950)}`)))),
  ],
  '120 links of 1,900 spaces': () => [
    paragraph(...many(120, () => text('x', link(`https://example.org/{{${repeat(' ', 1_900)}`)))),
  ],
  '3,000 variables': () => [paragraph(...many(3_000, () => variable('client.fullName')))],
  '3,000 variables that there are not': () => [paragraph(...many(3_000, (i) => variable(`client.name${i}`)))],
  '490 variables of 500 letters': () => [paragraph(...many(490, () => variable(repeat('x', 500))))],
  '10,000 line breaks': () => [paragraph(...many(10_000, () => ({ type: 'hard_break' })))],
  '490 blocks of 20 unknown attributes': () =>
    many(490, () => ({
      type: 'paragraph',
      attrs: Object.fromEntries(many(20, (i) => [`a${i}`, i])),
      content: [text('x')],
    })),
};

/** The same as JSON texts, which no tree of objects would hold. */
const texts = {
  'lists in lists, 12 deep': () =>
    nested(
      12,
      '{"type":"bullet_list","content":[{"type":"list_item","content":[',
      ']}]}',
      '{"type":"paragraph","content":[{"type":"text","text":"x"}]}',
    ),
  'quotes in quotes, 18 deep': () =>
    nested(18, '{"type":"blockquote","content":[', ']}', '{"type":"paragraph","content":[{"type":"text","text":"x"}]}'),
  '14,000 empty objects': () => repeat('{},', 14_000) + '{}',
  '19,000 names': () => `{${many(19_000, (i) => `"k${i}":1`).join()}}`,
  'names of objects': () => '{"type":"__proto__","attrs":{"__proto__":{"a":1}},"marks":[{"type":"constructor"}]}',
};

const documents = Object.entries({
  ...Object.fromEntries(
    Object.entries(contents).map(([name, make]) => [name, () => JSON.stringify(make()).slice(1, -1)]),
  ),
  ...texts,
});

/** A file that says it is a PNG of that size and is one row after another of nothing. */
function png(width, height, { rows = height } = {}) {
  const chunk = (type, data) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(data.length);
    head.write(type, 4);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc(Buffer.concat([head.subarray(4), data])));
    return Buffer.concat([head, data, sum]);
  };
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width);
  size.writeUInt32BE(height, 4);
  size.set([8, 0, 0, 0, 0], 8);
  const pixels = deflateSync(Buffer.alloc((width + 1) * rows), { level: 9 });
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', size),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/** A GIF of so many frames of one size, each a few bytes. */
const gif = (width, height, frames) => {
  const size = Buffer.alloc(4);
  size.writeUInt16LE(width);
  size.writeUInt16LE(height, 2);
  const zero = Buffer.alloc(4);
  const frame = Buffer.concat([Buffer.from([0x2c]), zero, size, Buffer.from([0, 2, 2, 0x4c, 1, 0])]);
  const head = Buffer.concat([Buffer.from('GIF89a'), size, Buffer.from([0x80, 0, 0, 0, 0, 0, 255, 255, 255])]);
  return Buffer.concat([head, ...Array(frames).fill(frame), Buffer.from([0x3b])]);
};

const pictures = {
  'a PNG of 60,000 x 60,000': () => png(60_000, 60_000, { rows: 100 }),
  'a PNG of 40,000 x 1,300 without most of its rows': () => png(40_000, 1_200, { rows: 10 }),
  'a PNG of 1 x 2,000,000': () => png(1, 2_000_000),
  'a GIF of 60,000 frames of one pixel': () => gif(1, 1, 60_000),
  'a GIF of 60,000 frames of 10,000 x 10,000': () => gif(10_000, 10_000, 60_000),
  '10 MB that begin as a JPEG': () =>
    Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(9_900_000, 1)]),
  '10 MB of JPEG markers': () => Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(9_900_000, 0xff)]),
  '10 MB that begin as a WebP': () =>
    Buffer.concat([Buffer.from('RIFF\xff\xff\xff\x00WEBPVP8X', 'latin1'), Buffer.alloc(9_900_000)]),
  'an SVG of 10 MB': () => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${repeat('<g>', 3_000_000)}`),
};

const document = (content) => `{"version":1,"preheader":"","doc":{"type":"doc","content":[${content()}]}}`;
const form = (of, path) =>
  documents.map(([name, content]) => ({
    name: `${of}: ${name}`,
    method: 'POST',
    path,
    type: 'application/x-www-form-urlencoded',
    who: 'session',
    body: () => new URLSearchParams({ subject: 's', document: document(content) }).toString(),
  }));

export const blocks = [
  ...documents.map(([name, content]) => ({
    name: `blocks: ${name}`,
    method: 'POST',
    path: '/api/v1/messages',
    type: 'application/json',
    who: 'user',
    body: () => `{"subject":"s","document":${document(content)}}`,
  })),
  {
    name: 'blocks: 19,000 names beside the document',
    method: 'POST',
    path: '/api/v1/messages',
    type: 'application/json',
    who: 'user',
    body: () => `{${many(19_000, (i) => `"k${i}":1`).join()}}`,
  },
  ...form('form of blocks', '/messages/new'),
  ...form('preview of blocks', '/messages/preview'),
];

const uploadOf = (file, boundary = 'b') =>
  Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n`),
    file,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);

/**
 * What a picture costs follows from its pixels, not its bytes: at most 50 million, two at once, in threads of their own. The
 * largest ones take a second.
 */
export const uploads = Object.entries(pictures).map(([name, file]) => ({
  name: `picture: ${name}`,
  method: 'POST',
  path: '/api/v1/media',
  type: 'multipart/form-data; boundary=b',
  who: 'user',
  body: () => uploadOf(file()),
  cpuMs: 1_500,
}));
