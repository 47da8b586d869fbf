import sharp from 'sharp';

/** Pictures for tests, made of colours and noise. */

const plain = (width: number, height: number, channels: 3 | 4 = 3) =>
  sharp({
    create: { width, height, channels, background: { r: 20, g: 120, b: 110, alpha: channels === 4 ? 0.5 : 1 } },
  });

const noisy = (width: number, height: number) =>
  sharp({
    create: { width, height, channels: 3, background: '#888', noise: { type: 'gaussian', mean: 128, sigma: 40 } },
  });

/** A photograph, 60 wide on its side, that says where it was taken. */
export const photograph = (width = 2_400, height = 1_600): Promise<Buffer> =>
  noisy(width, height)
    .jpeg({ quality: 60 })
    .withExif({ IFD0: { Artist: 'Somebody' }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } })
    .withMetadata({ orientation: 6 })
    .toBuffer();

export const png = (width = 40, height = 30): Promise<Buffer> => plain(width, height).png().toBuffer();
export const seeThroughPng = (width = 40, height = 30): Promise<Buffer> => plain(width, height, 4).png().toBuffer();
export const noisyPng = (width = 900, height = 600): Promise<Buffer> => noisy(width, height).png().toBuffer();
export const webp = (width = 50, height = 40): Promise<Buffer> => plain(width, height).webp().toBuffer();
export const seeThroughWebp = (): Promise<Buffer> => plain(50, 40, 4).webp().toBuffer();

export async function animatedGif(frames = 3, width = 60, height = 40): Promise<Buffer> {
  const all = await Promise.all(
    Array.from({ length: frames }, (_, i) =>
      sharp({ create: { width, height, channels: 3, background: { r: (i * 83) % 256, g: (i * 31) % 256, b: 9 } } })
        .png()
        .toBuffer(),
    ),
  );
  return (all.length === 1 ? sharp(all[0]) : sharp(all, { join: { animated: true } }))
    .gif({ delay: all.map(() => 80) })
    .toBuffer();
}

/** A body with one field `file`; the fields come before it. */
export function fileForm(bytes: Uint8Array, name: string, fields: Record<string, string> = {}): FormData {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  form.append('file', new Blob([new Uint8Array(bytes)]), name);
  return form;
}
