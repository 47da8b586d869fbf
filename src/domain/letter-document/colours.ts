/** A colour as letters and settings have it: `#rrggbb`. */
export const COLOUR = /^#[0-9a-f]{6}$/i;

const channels = (colour: string): [number, number, number] =>
  [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)) as [number, number, number];

function luminance(colour: string): number {
  const [r, g, b] = channels(colour).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** How well one colour is seen on another, from 1 to 21 (WCAG 2.2, contrast ratio). */
export function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** What text of usual size needs (WCAG 2.2, 1.4.3). */
export const READABLE = 4.5;

export const readableOn = (background: string): string =>
  contrast('#ffffff', background) >= contrast('#050505', background) ? '#ffffff' : '#050505';

/** The colour itself if it can be read on the background, else one that is nearer to white or to black. */
export function readable(colour: string, background: string): string {
  const towards = luminance(background) > 0.18 ? 0 : 255;
  for (let step = 0; step <= 20; step++) {
    const mixed = channels(colour).map((channel) => Math.round(channel + ((towards - channel) * step) / 20));
    const hex = `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
    if (contrast(hex, background) >= READABLE) return hex;
  }
  return readableOn(background);
}
