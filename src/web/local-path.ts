/** A path of this site from a link or form; the home page for anything that could lead elsewhere. */
export function localPath(given: unknown): string {
  if (typeof given !== 'string' || !/^\/(?![/\\])[\x21-\x7e]*$/.test(given)) return '/';
  const url = new URL(given, 'http://local.invalid');
  // "/.//evil.example" becomes "//evil.example", which browsers take for another host.
  return url.host === 'local.invalid' && !url.pathname.startsWith('//') ? url.pathname + url.search : '/';
}
