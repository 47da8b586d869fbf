import { encode, wrap } from 'nodemailer/lib/base64';
import MimeNode from 'nodemailer/lib/mime-node';
import type { Attachment } from '../domain/attachment';

const LINE = 76;

/**
 * A file as a part of letters. Its headers are nodemailer's: names in any script as mail programs know them, by RFC 2231
 * and, for older ones, as encoded words.
 */
export function attachmentPart({ name, type, content }: Attachment): string {
  const node = new MimeNode('multipart/mixed').createChild(type, { filename: name });
  node.setHeader({ 'Content-Disposition': 'attachment', 'Content-Transfer-Encoding': 'base64' });
  return `${node.buildHeaders()}\r\n\r\n${wrap(encode(content), LINE)}`;
}
