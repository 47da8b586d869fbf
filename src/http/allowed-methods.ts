import { NotFoundException } from '@nestjs/common';
import type { Request } from 'express';

/** The part of Express' router that is used here. */
interface Routes {
  stack: Layer[];
}
interface Layer {
  route?: { path: unknown; methods: Record<string, boolean> };
  match(path: string): boolean;
}

/** The methods for which a path, by default the request's, has routes, without routes that match every path. */
export function allowedMethods(request: Request, path = request.path): string[] {
  const found = layersOf(request).filter((layer) => !pathOf(layer).includes('*') && matches(layer, path));
  const plain = found.filter((layer) => isPlain(pathOf(layer)));
  const methods = new Set<string>();
  // `/clients/export.csv` is not a client: fixed paths count before those with ids.
  for (const { route } of plain.length > 0 ? plain : found)
    for (const method of Object.keys(route!.methods)) if (route!.methods[method]) methods.add(method.toUpperCase());
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].sort();
}

/**
 * `PATCH /clients/export.csv` matches the route of `/clients/:id`, although the path belongs to another route, which
 * has no PATCH.
 * @throws NotFoundException, which the filters turn into 405
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
    return false; // A path that can't be decoded is not one of ours.
  }
}
