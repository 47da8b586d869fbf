/**
 * Bundles what browsers load (browser/) into dist/assets: hashed names, a manifest, and each file also compressed as
 * Brotli and gzip. Run by `npm run build` after the server's part.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build } from 'esbuild';
import { projectFolder } from '../tools/embedded/install.mjs';

const outdir = join(projectFolder, 'dist/assets');
const source = join(projectFolder, 'browser');
const entries = ['app.ts', 'editor.ts', 'sign-up.ts', 'app.css', 'print.css', 'icon.svg'];

/**
 * Bootstrap's dark colours by the system's setting, without an attribute that a script would have to set.
 * @type {import('esbuild').Plugin}
 */
const darkBySystem = {
  name: 'dark-by-system',
  setup(bundle) {
    bundle.onLoad({ filter: /bootstrap\.css$/ }, async ({ path }) => {
      const css = await readFile(path, 'utf8');
      const contents = css.replace(
        /^\[data-bs-theme=dark\]([^{]*)\{([^}]*)\}/gm,
        '@media (prefers-color-scheme: dark) { :root$1{$2} }',
      );
      return { contents, loader: 'css' };
    });
  },
};

await rm(outdir, { recursive: true, force: true });
await mkdir(outdir, { recursive: true });
const { metafile } = await build({
  entryPoints: entries.map((name) => join(source, name)),
  outdir,
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome123', 'firefox121', 'safari17.5'],
  loader: { '.svg': 'copy' },
  metafile: true,
  logLevel: 'warning',
  plugins: [darkBySystem],
});

const manifest = {};
for (const [file, { entryPoint }] of Object.entries(metafile.outputs)) {
  if (!entryPoint) continue;
  const name = basename(file);
  manifest[basename(entryPoint).replace(/\.ts$/, '.js')] = name;
  const bytes = await readFile(join(outdir, name));
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
    promisify(gzip)(bytes, { level: 9 }),
  ]);
  await Promise.all([writeFile(join(outdir, `${name}.br`), br), writeFile(join(outdir, `${name}.gz`), gz)]);
}
await writeFile(join(outdir, 'manifest.json'), JSON.stringify(manifest, null, 2));
