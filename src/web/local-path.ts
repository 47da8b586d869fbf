/** Longer ones, encoded in another address, are more than many programs take as one header. */
const LENGTH_MAX = 4_000;

/** A path of this site from a link or form; the home page for anything that could lead elsewhere or is very long. */
export function localPath(given: unknown): string {
  if (typeof given === 'string' && given.length > LENGTH_MAX) return '/';
  if (typeof given !== 'string' || !/^\/(?![/\\])[\x21-\x7e]*$/.test(given)) return '/';
  const url = new URL(given, 'http://local.invalid');
  // "/.//evil.example" becomes "//evil.example", which browsers take for another host.
  return url.host === 'local.invalid' && !url.pathname.startsWith('//') ? url.pathname + url.search : '/';
}
