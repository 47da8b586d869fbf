/**
 * Programs from the distribution's packages without installing them: apt says what is missing on this system, the
 * packages are downloaded and unpacked under one folder, and a small launcher runs the program with its libraries.
 * Needs no root and changes nothing outside the folder.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { dataFolder } from './install.mjs';
import { claimDirectory, run, say, until, which } from './service.mjs';

/** Where packages are unpacked unless told otherwise. */
export const debianFolder = join(dataFolder, 'debian');

/**
 * A launcher for a program of these packages; what an earlier call unpacked is used again.
 *
 * @param {{ packages: string[], program: string, folder?: string, aptOptions?: string[] }} options `program` is its
 *   path inside the packages; the first package gives the folder's name
 * @returns {Promise<string | undefined>} path of the launcher, undefined where there is no apt
 * @throws Error in one sentence, when apt can't provide it
 */
export async function unpackProgram({ packages, program, folder = debianFolder, aptOptions = [] }) {
  const [name = ''] = packages;
  const root = join(folder, name);
  if (existsSync(join(root, program))) return writeLauncher({ root, program, folder });
  if (!which('apt-get') || !which('dpkg')) return undefined;

  const claim = await until(
    () => {
      const attempt = claimDirectory(folder);
      return attempt.release ? attempt : undefined;
    },
    { timeoutMs: 600_000, everyMs: 200 },
  );
  if (!claim) throw new Error(`${folder} is being filled by another process for too long.`);
  try {
    if (existsSync(join(root, program))) return writeLauncher({ root, program, folder });
    const part = `${root}.part`;
    rmSync(part, { recursive: true, force: true });
    mkdirSync(join(part, 'archives'), { recursive: true });
    download(packages, join(part, 'archives'), folder, aptOptions);
    for (const archive of readdirSync(join(part, 'archives'))) {
      run('dpkg', ['-x', join(part, 'archives', archive), part]);
    }
    for (const extra of ['archives', 'usr/share/doc', 'usr/share/man', 'usr/share/locale']) {
      rmSync(join(part, extra), { recursive: true, force: true });
    }
    if (!existsSync(join(part, program))) throw new Error(`the package ${name} has no /${program}`);
    rmSync(root, { recursive: true, force: true });
    renameSync(part, root);
    return writeLauncher({ root, program, folder });
  } finally {
    claim.release();
  }
}

/**
 * Downloads with the system's package lists, or, where these are missing or stale, with lists of our own.
 * @param {string[]} packages
 * @param {string} archives the folder to download to
 * @param {string} folder
 * @param {string[]} aptOptions
 */
function download(packages, archives, folder, aptOptions) {
  const own = ownLists(folder);
  try {
    return fetchMissing(packages, archives, aptOptions);
  } catch {
    say('Fetching the package lists of this distribution …');
  }
  try {
    run('apt-get', [...own, ...aptOptions, 'update'], aptEnvironment);
  } catch {
    // A failing hook or one source of many is no reason to stop: the next step shows what is missing.
  }
  fetchMissing(packages, archives, [...own, ...aptOptions]);
}

const aptEnvironment = { env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' } };

/** @param {string} folder */
function ownLists(folder) {
  const apt = join(folder, 'apt');
  for (const path of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(apt, path), { recursive: true });
  return ['-o', `Dir::State::lists=${apt}/lists`, '-o', `Dir::Cache=${apt}/cache`, '-o', 'APT::Sandbox::User='];
}

/**
 * To run, a program needs its own packages, libraries and fonts, but none of the tools that setting it up would call.
 * The C library can't be taken from elsewhere than the program loader's own system.
 * @param {string} name
 * @param {string[]} packages
 */
function isNeeded(name, packages) {
  const [bare = ''] = name.split(':');
  if (packages.some((wanted) => bare === wanted || bare.startsWith(`${wanted}-`))) return true;
  return /^(lib|fonts?)/.test(bare) && !/^libc(6|-.*)$|-perl$|-dev$/.test(bare);
}

/**
 * Lets apt solve the dependencies against what is installed, and downloads only what it would install.
 * @param {string[]} packages
 * @param {string} archives
 * @param {string[]} aptOptions
 */
function fetchMissing(packages, archives, aptOptions) {
  const simulation = ['install', '--simulate', '--reinstall', '--no-install-recommends', ...packages];
  const plan = run('apt-get', [...aptOptions, ...simulation], aptEnvironment);
  const wanted = [...plan.matchAll(/^Inst (\S+) (?:\[[^\]]*\] )?\((\S+)/gm)]
    .map(([, name = '', version = '']) => ({ name, version }))
    .filter(({ name }) => isNeeded(name, packages));
  if (wanted.some(({ version }) => version.includes('snap'))) {
    throw new Error(`this distribution has ${packages[0]} only as a snap`);
  }
  say(`Downloading ${wanted.length} packages for ${packages[0]}, to be unpacked in the project's own folder …`);
  const exact = wanted.map(({ name, version }) => `${name}=${version}`);
  run('apt-get', [...aptOptions, '-o', 'APT::Sandbox::User=', 'download', ...exact], {
    ...aptEnvironment,
    cwd: archives,
  });
}

/**
 * Written anew each time, because the project's folder may have moved.
 * @param {{ root: string, program: string, folder: string }} options
 */
function writeLauncher({ root, program, folder }) {
  const launcher = join(folder, 'bin', basename(program));
  const fonts = join(folder, 'fonts.conf');
  const libraries = libraryFolders(root).join(':');
  const lines = ['#!/bin/sh'];
  if (libraries) lines.push(`export LD_LIBRARY_PATH='${libraries}'"\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`);
  if (existsSync(join(root, 'usr/share/fonts'))) {
    replaceFile(fonts, fontConfiguration(root, folder));
    lines.push(`export FONTCONFIG_FILE='${fonts}'`);
  }
  lines.push(`exec '${join(root, program)}' "$@"`, '');
  mkdirSync(dirname(launcher), { recursive: true });
  replaceFile(launcher, lines.join('\n'));
  return launcher;
}

/**
 * @param {string} path
 * @param {string} content
 */
function replaceFile(path, content) {
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return;
  const part = `${path}.${process.pid}`;
  writeFileSync(part, content, { mode: 0o755 });
  renameSync(part, path);
}

/**
 * Folders under the unpacked root that hold shared libraries, also those which packages keep to themselves.
 * @param {string} root
 */
function libraryFolders(root) {
  const holdsLibraries = (/** @type {string} */ folder) =>
    readdirSync(folder).some((name) => /^lib.*\.so(\.|$)/.test(name));
  return ['usr/lib', 'lib']
    .flatMap((lib) =>
      existsSync(join(root, lib)) ? readdirSync(join(root, lib)).map((name) => join(root, lib, name)) : [],
    )
    .filter((folder) => /-linux-gnu[a-z0-9]*$/.test(folder))
    .flatMap((folder) => [
      folder,
      ...readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(folder, entry.name)),
    ])
    .filter(holdsLibraries);
}

const fontConfiguration = (/** @type {string} */ root, /** @type {string} */ folder) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>${root}/usr/share/fonts</dir>
  <cachedir>${folder}/fontconfig</cachedir>
  <alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias><family>serif</family><prefer><family>DejaVu Serif</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`;
