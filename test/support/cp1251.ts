/** A text as bytes in Windows-1251, for ASCII and the letters from А to я. */
export const cp1251 = (text: string): Buffer =>
  Buffer.from([...text].map((c) => (c >= 'А' && c <= 'я' ? c.charCodeAt(0) - 0x410 + 0xc0 : c.charCodeAt(0))));
