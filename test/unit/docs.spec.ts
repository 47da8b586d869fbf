import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What the documents name is there: files, commands, chapters, scripts. */

const project = join(__dirname, '../..');
const read = (file: string) => readFileSync(join(project, file), 'utf8');
const within = (folder: string) =>
  readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`);

const FOLDERS = ['bench', 'browser', 'demo', 'docs', 'migrations', 'scripts', 'src', 'test', 'tools'];
const files = [...readdirSync(project), ...FOLDERS, ...FOLDERS.flatMap(within)];
const documents = files.filter(
  (file) => /^([A-Z]+\.md|(docs|tools)\/.*\.md)$/.test(file) && !/node_modules/.test(file),
);

/** A path, or the end of one, with `*` for anything; not one that a reader has to complete. */
const isPath = (text: string) =>
  !/NAME|NNNN|…|[<>]/.test(text) &&
  (/^[\w.*-]+(\/[\w.*-]+)*\.(tsx?|mjs|cjs|sql|css|md)$/.test(text) ||
    new RegExp(`^(${FOLDERS.join('|')})/[\\w./*-]+$`).test(text));
const isThere = (path: string) => {
  const name = path.replace(/\/$/, '').replace(/[.\\]/g, '\\$&').replaceAll('*', '[^/]*');
  return files.some((file) => new RegExp(`(^|/)${name}$`).test(file));
};
const headingsOf = (markdown: string) =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

test('there are documents', () => expect(documents).toEqual(expect.arrayContaining(['README.md', 'docs/inbound.md'])));

test.each(documents)('the paths that %s names', (document) => {
  const named = [...read(document).matchAll(/`([^`\s]+)`/g)].map(([, text = '']) => text);
  expect(named.filter((text) => isPath(text) && !isThere(text))).toEqual([]);
});

test.each(documents)('where %s leads', (document) => {
  const links = [...read(document).matchAll(/\]\((?!https?:)([^)\s]*)\)/g)].map(([, link = '']) => link);
  const broken = links.filter((link) => {
    const [path = '', heading] = link.split('#');
    const target = path === '' ? document : join(dirname(document), path);
    if (!existsSync(join(project, target))) return true;
    return heading !== undefined && !headingsOf(read(target)).includes(heading);
  });
  expect(broken).toEqual([]);
});

test.each(documents)('the scripts of npm that %s names', (document) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...read(document).matchAll(/npm run (?:--silent )?([a-z:-]+)/g)].map(([, name = '']) => name);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test('README has every command and every chapter', () => {
  const readme = read('README.md');
  const sources = within('src/cli').map(read).join('\n');
  const commands = [...sources.matchAll(/\.command\('([\w-]+)'\)/g)].map(([, name = '']) => name);
  expect(commands).toContain('send-mailing');
  expect(commands.filter((name) => !new RegExp(`^\\| \`[^|]*\\b${name}\\b`, 'm').test(readme))).toEqual([]);
  const chapters = documents.filter((file) => file.startsWith('docs/'));
  expect(chapters.filter((file) => !readme.includes(`- [${file}](${file})`))).toEqual([]);
});
