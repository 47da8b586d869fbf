import { Injectable } from '@nestjs/common';
import type { default as SharpModule, Sharp } from 'sharp';
import { DomainError, invalid } from '../domain/errors';
import { type PictureKind, pictureKind, type PictureType } from '../domain/media';
import { problem } from '../domain/problems';
import { Semaphore } from '../domain/semaphore';

/** Loaded with the first picture: it takes much memory, and most processes make none. */
let loading: Promise<typeof SharpModule> | undefined;
const library = (): Promise<typeof SharpModule> => (loading ??= load());

async function load(): Promise<typeof SharpModule> {
  const { default: sharp } = await import('sharp');
  // Two pictures at once, each by one thread, leave the other threads to files and host names. Nothing is kept.
  sharp.concurrency(1);
  sharp.cache(false);
  // Only what is named here is ever read: libvips knows many more formats.
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({
    operation: ['JpegBuffer', 'PngBuffer', 'WebpBuffer', 'NsgifBuffer'].map((name) => `VipsForeignLoad${name}`),
  });
  return sharp;
}

/** A picture as letters show it. */
export interface MadePicture {
  bytes: Buffer;
  type: PictureType;
  width: number;
  height: number;
}

const AT_ONCE = 2;
/** Twice the width of a letter, for screens with small pixels; and no longer than what mail programs draw. */
const BOX = { width: 1_200, height: 6_000, fit: 'inside', withoutEnlargement: true } as const;
/** A telephone's picture has up to 50 million; what is small as a file may be huge as a picture. */
const PIXELS = 50_000_000;
/** All frames of an animation together: they are in memory at the same time. */
const ANIMATED_PIXELS = 32_000_000;
const MADE_BYTES = 5 * 1024 * 1024;
const SECONDS = 20;
/** A photograph in PNG is made into JPEG, which takes a fraction of it. */
const PNG_BYTES = 250_000;

/**
 * Makes pictures for letters: turned upright, at most 1,200 pixels wide, without anything else that the file contains
 * (places, comments, other files behind the picture). It decodes and encodes in threads of their own, two pictures at
 * once, within bounds of pixels and time.
 */
@Injectable()
export class PictureMaker {
  private readonly places = new Semaphore(AT_ONCE);

  /** @throws ValidationError for `file` if it is no picture that is taken, not whole, or too large */
  make(file: Buffer): Promise<MadePicture> {
    const kind = pictureKind(file);
    if (file.length === 0) throw invalid('file', problem('picture_empty'));
    if (!kind) throw invalid('file', problem('picture_type'));
    return this.places.run(() => made(file, kind));
  }
}

async function made(file: Buffer, kind: PictureKind): Promise<MadePicture> {
  const sharp = await library();
  try {
    const head = await sharp(file, { limitInputPixels: false }).metadata();
    const { width, height, depth, pages = 1, pageHeight = height } = head;
    const isAnimated = pages > 1 && (kind === 'gif' || kind === 'webp');
    // With 16 bits each takes twice the memory.
    const max = isAnimated ? ANIMATED_PIXELS : depth === 'uchar' ? PIXELS : PIXELS / 2;
    if (width * pageHeight * (isAnimated ? pages : 1) > max) throw invalid('file', problem('picture_pixels', { max }));
    const source = sharp(file, { animated: isAnimated, limitInputPixels: PIXELS, failOn: 'error' });
    const picture = source.timeout({ seconds: SECONDS }).autoOrient().resize(BOX);
    const result = isAnimated || kind === 'gif' ? await asGif(picture) : await asStill(picture, kind);
    if (result.bytes.length > MADE_BYTES) throw invalid('file', problem('picture_heavy', { max: MADE_BYTES }));
    return result;
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw invalid('file', problem('picture_broken'));
  }
}

async function asGif(picture: Sharp): Promise<MadePicture> {
  const { data: bytes, info } = await picture.gif({ effort: 3 }).toBuffer({ resolveWithObject: true });
  return { bytes, type: 'image/gif', width: info.width, height: info.pageHeight ?? info.height };
}

/** What is transparent becomes PNG, a photograph JPEG. */
async function asStill(picture: Sharp, kind: PictureKind): Promise<MadePicture> {
  // Decoded and scaled once; what follows is small.
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const sharp = await library();
  const small = () => sharp(data, { raw: { width, height, channels } });
  const isOpaque = (channels !== 2 && channels !== 4) || (await small().stats()).isOpaque;
  const jpeg = async (): Promise<MadePicture> => ({
    bytes: await small().flatten().jpeg({ quality: 82, mozjpeg: true }).toBuffer(),
    type: 'image/jpeg',
    width,
    height,
  });
  if (isOpaque && kind !== 'png') return jpeg();
  const png = await small().png().toBuffer();
  const asPng = { bytes: png, type: 'image/png', width, height } as const;
  if (png.length <= PNG_BYTES) return asPng;
  if (!isOpaque) return { ...asPng, bytes: await small().png({ palette: true, quality: 90 }).toBuffer() };
  const asJpeg = await jpeg();
  return asJpeg.bytes.length < png.length / 2 ? asJpeg : asPng;
}
