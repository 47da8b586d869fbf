/** A picture's name: SHA-256 of the bytes that are served, in hexadecimal. */
export const MEDIA_HASH = /^[0-9a-f]{64}$/;

export const pictureTypes = ['image/jpeg', 'image/png', 'image/gif'] as const;
/** What letters show; other pictures are turned into one of these. */
export type PictureType = (typeof pictureTypes)[number];

/** Files of pictures that are taken, as an `accept` of HTML. */
export const PICTURE_FILES = [...pictureTypes, 'image/webp'].join();

/** The largest file of a picture that is taken. */
export const PICTURE_BYTES = 10 * 1024 * 1024;

/** The address of a picture, for letters. @param publicUrl without a slash at its end */
export const mediaUrl = (publicUrl: string, hash: string): string => `${publicUrl.replace(/\/+$/, '')}/media/${hash}`;

/** The picture that a document names as `media:HASH`; null for anything else. */
export function mediaHash(source: string): string | null {
  const hash = source.startsWith('media:') ? source.slice('media:'.length) : '';
  return MEDIA_HASH.test(hash) ? hash : null;
}

export type PictureKind = 'jpeg' | 'png' | 'gif' | 'webp';

/** What a file is by its first bytes; null if it is no picture that is taken. Its name does not matter. */
export function pictureKind(file: Uint8Array): PictureKind | null {
  const text = (from: number, to: number) => String.fromCharCode(...file.subarray(from, to));
  if (file[0] === 0xff && file[1] === 0xd8 && file[2] === 0xff) return 'jpeg';
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (/^GIF8[79]a/.test(text(0, 6))) return 'gif';
  return text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP' ? 'webp' : null;
}
