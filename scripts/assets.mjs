/**
 * Bundles what browsers load (browser/) into dist/assets: hashed names, a manifest, and each file but fonts, which are
 * compressed, also as Brotli and gzip. Run by `npm run build` after the server's part.
 */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { Resvg } from '@resvg/resvg-js';
import { build } from 'esbuild';
import { PurgeCSS } from 'purgecss';
import { projectFolder } from '../tools/embedded/install.mjs';

const outdir = join(projectFolder, 'dist/assets');
const source = join(projectFolder, 'browser');
const entries = [
  'app.ts',
  'editor.ts',
  'letter-editor.ts',
  'letter-editor.css',
  'sign-up.ts',
  'styles.css',
  'pictures.css',
  'icon.svg',
];

const ownStyles = (await readdir(source)).filter((name) => name.endsWith('.css'));

/**
 * Of Bootstrap only what pages or scripts name. Its dark colours are by the system's setting, without
 * an attribute that a script would have to set.
 * @type {import('esbuild').Plugin}
 */
const usedOfBootstrap = {
  name: 'used-of-bootstrap',
  setup(bundle) {
    bundle.onLoad({ filter: /bootstrap\.css$/ }, async ({ path }) => {
      const css = await readFile(path, 'utf8');
      const raw = css.replace(
        /^\[data-bs-theme=dark\]([^{]*)\{([^}]*)\}/gm,
        '@media (prefers-color-scheme: dark) { :root$1{$2} }',
      );
      const content = ['src/web/**/*.{ts,tsx}', 'browser/*.ts'].map((files) => join(projectFolder, files));
      const own = await Promise.all(ownStyles.map((name) => readFile(join(source, name), 'utf8')));
      const named = own.join('').match(/--bs-[\w-]+/g) ?? [];
      const [used] = await new PurgeCSS().purge({
        content,
        css: [{ raw }],
        variables: true,
        safelist: { variables: named },
        // Words of texts and attributes, which are no classes here.
        blocklist: ['lead', 'shadow', 'invisible', 'row', 'col'],
      });
      if (!used) throw new Error('nothing is left of Bootstrap');
      return { contents: used.css, loader: 'css' };
    });
  },
};

await rm(outdir, { recursive: true, force: true });
await mkdir(outdir, { recursive: true });
const { metafile } = await build({
  entryPoints: entries.map((name) => join(source, name)),
  outdir,
  entryNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome123', 'firefox121', 'safari17.5'],
  loader: { '.svg': 'copy', '.woff2': 'file' },
  // Licences stand beside the files: each page would carry them.
  legalComments: 'external',
  metafile: true,
  logLevel: 'warning',
  plugins: [usedOfBootstrap],
});

// The pictures of the letters that one may begin with: programs for mail show no SVG. Their names stay, since letters that
// were sent show them for years.
const pictures = join(source, 'starters');
await mkdir(join(outdir, 'starters'));
for (const name of await readdir(pictures)) {
  const png = new Resvg(await readFile(join(pictures, name)), { font: { loadSystemFonts: false } }).render().asPng();
  await writeFile(join(outdir, 'starters', name.replace(/\.svg$/, '.png')), png);
}

const manifest = {};
for (const [file, { entryPoint, inputs }] of Object.entries(metafile.outputs)) {
  const name = basename(file);
  const isFont = name.endsWith('.woff2');
  const from = entryPoint ?? (isFont ? Object.keys(inputs)[0] : undefined);
  if (!from) continue;
  manifest[basename(from).replace(/\.ts$/, '.js')] = name;
  if (isFont) continue;
  const bytes = await readFile(join(outdir, name));
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
    promisify(gzip)(bytes, { level: 9 }),
  ]);
  await Promise.all([writeFile(join(outdir, `${name}.br`), br), writeFile(join(outdir, `${name}.gz`), gz)]);
}
// The font's licence asks to be with it.
const font = join(projectFolder, 'node_modules/@fontsource-variable/golos-text');
await copyFile(join(font, 'LICENSE'), join(outdir, 'golos-text-license.txt'));
await writeFile(join(outdir, 'manifest.json'), JSON.stringify(manifest, null, 2));
