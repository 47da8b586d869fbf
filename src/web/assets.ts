import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { NextFunction, Request, Response } from 'express';

/** Where `npm run build` puts bundles; the path is the same from `dist` and from `src`. */
const folder = join(__dirname, '..', '..', 'dist', 'assets');

const TYPES: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

interface Asset {
  type: string;
  plain: Buffer;
  /** Null for fonts and pictures, which are compressed in themselves. */
  packed: { br: Buffer; gzip: Buffer } | null;
}

const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Record<string, string>;
const assets = new Map<string, Asset>(
  readdirSync(folder)
    .filter((name) => TYPES[extname(name)])
    .map((name) => [
      name,
      {
        type: TYPES[extname(name)] ?? '',
        plain: readFileSync(join(folder, name)),
        packed: name.endsWith('.woff2')
          ? null
          : { br: readFileSync(join(folder, `${name}.br`)), gzip: readFileSync(join(folder, `${name}.gz`)) },
      },
    ]),
);

/** The pictures of the letters that one may begin with, under names that letters keep. */
const STARTERS = 'starters';
for (const name of readdirSync(join(folder, STARTERS)))
  assets.set(`${STARTERS}/${name}`, {
    type: 'image/png',
    plain: readFileSync(join(folder, STARTERS, name)),
    packed: null,
  });

/** The URL of a bundle (`app.js`); its name changes with its content. @throws Error for one that was not built */
export function assetUrl(name: string): string {
  const file = manifest[name];
  if (!file) throw new Error(`the asset ${name} is not built`);
  return `/assets/${file}`;
}

/** It stays at a picture that could be opened as a page (SVG). */
const POLICY = 'Content-Security-Policy';
/** Headers that say nothing about a script, a style sheet, a font or an icon; together almost a kilobyte. */
const OF_DOCUMENTS = [
  POLICY,
  'Cross-Origin-Opener-Policy',
  'Origin-Agent-Cluster',
  'Permissions-Policy',
  'Referrer-Policy',
  'X-DNS-Prefetch-Control',
  'X-Download-Options',
  'X-Frame-Options',
  'X-Permitted-Cross-Domain-Policies',
  'X-XSS-Protection',
];

/** Serves /assets from memory, compressed at build time; browsers keep them for a year. */
export function serveAssets(request: Request, response: Response, next: NextFunction): void {
  // Nest mounts middleware at its route, so the path is not in `request.path`.
  const asset = request.originalUrl.startsWith('/assets/')
    ? assets.get(request.originalUrl.slice('/assets/'.length))
    : undefined;
  if (!asset || (request.method !== 'GET' && request.method !== 'HEAD')) return next();
  response.setHeader('Content-Type', asset.type);
  response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
  for (const name of OF_DOCUMENTS)
    if (name !== POLICY || !asset.type.startsWith('image/svg')) response.removeHeader(name);
  // Letters show them in programs that are pages of others.
  if (asset.type === 'image/png') response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  let body = asset.plain;
  if (asset.packed) {
    response.setHeader('Vary', 'Accept-Encoding');
    const encoding = request.acceptsEncodings('br', 'gzip', 'identity');
    if (encoding === 'br' || encoding === 'gzip') {
      response.setHeader('Content-Encoding', encoding);
      body = asset.packed[encoding];
    }
  }
  response.end(request.method === 'HEAD' ? undefined : body);
}
