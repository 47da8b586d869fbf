import { NotFoundException } from '@nestjs/common';
import type { Request } from 'express';

/** What Express keeps of its routes; `match` only reads. */
interface Routes {
  stack: Layer[];
}
interface Layer {
  route?: { path: unknown; methods: Record<string, boolean> };
  match(path: string): boolean;
}

/** With what methods the request's path has routes, but for those that take every path. */
export function allowedMethods(request: Request): string[] {
  const found = layersOf(request).filter((layer) => !pathOf(layer).includes('*') && matches(layer, request.path));
  const plain = found.filter((layer) => isPlain(pathOf(layer)));
  const methods = new Set<string>();
  // `/clients/export.csv` is no client.
  for (const { route } of plain.length > 0 ? plain : found)
    for (const method of Object.keys(route!.methods)) if (route!.methods[method]) methods.add(method.toUpperCase());
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].sort();
}

/**
 * `PATCH /clients/export.csv` finds the route of `/clients/:id`, though that path is another's, without PATCH.
 * @throws NotFoundException for it, which the filters make 405
 */
export function requireOwnPath(request: Request): void {
  const { path } = request.route as { path: string };
  if (!isPlain(path) && plainPaths(request).has(request.path.toLowerCase().replace(/\/$/, '')))
    throw new NotFoundException();
}

const plainPathsOf = new WeakMap<object, Set<string>>();

function plainPaths(request: Request): Set<string> {
  const { router } = request.app;
  const known = plainPathsOf.get(router);
  if (known) return known;
  const paths = layersOf(request).map(pathOf).filter(isPlain);
  const plain = new Set(paths.map((path) => path.toLowerCase()));
  plainPathsOf.set(router, plain);
  return plain;
}

const layersOf = (request: Request): Layer[] =>
  (request.app.router as unknown as Routes).stack.filter(({ route }) => route !== undefined);
const pathOf = ({ route }: Layer): string => String(route?.path);
const isPlain = (path: string): boolean => !/[:*]/.test(path);

function matches(layer: Layer, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    return false; // What can't be decoded is no path of ours.
  }
}
