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
  const methods = new Set<string>();
  for (const { route } of ownRoutes(request, path))
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
  const parameters = parametersOf(path);
  // Nearly all routes have at most one parameter; for them a look into a set is enough.
  const isAnothers =
    parameters > 1
      ? !ownRoutes(request, request.path).some((layer) => pathOf(layer) === path)
      : parameters > 0 && plainPaths(request).has(request.path.toLowerCase().replace(/\/$/, ''));
  if (isAnothers) throw new NotFoundException();
}

/** Of the routes that match a path, those with the fewest parameters: `/clients/export.csv` is not a client. */
function ownRoutes(request: Request, path: string): Layer[] {
  const found = layersOf(request).filter((layer) => !pathOf(layer).includes('*') && matches(layer, path));
  const fewest = Math.min(...found.map((layer) => parametersOf(pathOf(layer))));
  return found.filter((layer) => parametersOf(pathOf(layer)) === fewest);
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
const parametersOf = (path: string): number => path.split(/[:*]/).length - 1;
const isPlain = (path: string): boolean => parametersOf(path) === 0;

function matches(layer: Layer, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    return false; // A path that can't be decoded is not one of ours.
  }
}
