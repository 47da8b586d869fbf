import { applyDecorators, Controller, HttpStatus, RequestMethod, type Type } from '@nestjs/common';
import {
  HTTP_CODE_METADATA,
  METHOD_METADATA,
  PARAMTYPES_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum';
import { ApiBody, ApiOperation, ApiParam, ApiQuery, ApiResponse, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { PUBLIC_ROUTE } from '../../http/viewer';
import { inputFields, inputSchema } from './input-schema';
import { type OperationFacts, operationFacts } from './operation';
import { problemResponse } from './problems';
import { ID_SCHEMA, type Schema } from './shape';

/**
 * A controller of the REST API; each of its routes is described in the OpenAPI document. What follows from a route's
 * method, path, DTOs and guards is derived from them; the rest comes from its `@Operation`. Must be the first decorator
 * of its class. @throws Error for a route without `@Operation`
 */
export const ApiController = (path: string, tag = path): ClassDecorator =>
  applyDecorators(documentRoutes, ApiTags(tag), Controller(path));

interface Class {
  prototype: object;
  name: string;
}

interface Route {
  id: string;
  handler: object;
  facts: OperationFacts;
  writes: boolean;
  isPublic: boolean;
  status: number;
  /** The class of the body, of the query. */
  body?: Type;
  query?: Type;
  /** The parameters in the path. */
  params: string[];
}

function documentRoutes(controller: object): void {
  const { prototype, name } = controller as Class;
  for (const method of Object.getOwnPropertyNames(prototype)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, method)!;
    if (!Reflect.hasMetadata(METHOD_METADATA, descriptor.value as object)) continue;
    const facts = operationFacts(descriptor.value as object);
    if (!facts) throw new Error(`${name}.${method} needs an @Operation.`);
    const route = routeOf(controller as Class, method, facts);
    for (const decorate of [...inputsOf(route), ...answersOf(route)]) decorate(prototype, method, descriptor);
  }
}

function routeOf(controller: Class, method: string, facts: OperationFacts): Route {
  const { prototype, name } = controller;
  const handler = (prototype as Record<string, object>)[method]!;
  const read = <T>(key: string, from: object) => Reflect.getMetadata(key, from) as T | undefined;
  const verb = read<RequestMethod>(METHOD_METADATA, handler);
  const types = (Reflect.getMetadata(PARAMTYPES_METADATA, prototype, method) ?? []) as Type[];
  const args = Object.entries(
    (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method) ?? {}) as Record<
      string,
      { index: number; data?: unknown }
    >,
  );
  const all = (kind: RouteParamtypes) => args.filter(([key]) => key.startsWith(`${kind}:`)).map(([, found]) => found);
  const argument = (kind: RouteParamtypes) => all(kind)[0];
  const typeOf = (kind: RouteParamtypes) => types[argument(kind)?.index ?? -1];
  const group = name.replace(/Controller$/, '');
  return {
    id: `${group[0]!.toLowerCase()}${group.slice(1)}${method[0]!.toUpperCase()}${method.slice(1)}`,
    handler,
    facts,
    writes: verb !== RequestMethod.GET,
    isPublic: read<boolean>(PUBLIC_ROUTE, handler) ?? read<boolean>(PUBLIC_ROUTE, controller) ?? false,
    status: read<number>(HTTP_CODE_METADATA, handler) ?? (verb === RequestMethod.POST ? 201 : 200),
    body: typeOf(RouteParamtypes.BODY),
    query: typeOf(RouteParamtypes.QUERY),
    params: all(RouteParamtypes.PARAM).map(({ data }) => data as string),
  };
}

function inputsOf({ id, facts, isPublic, writes, body, query, params }: Route): MethodDecorator[] {
  const { summary, description, upload } = facts;
  const about = { operationId: id, summary, ...(description && { description }) };
  const decorators: MethodDecorator[] = [
    ApiOperation({ ...about, ...(upload && { requestBody: { required: true, content: upload } }) }),
  ];
  if (!isPublic) {
    decorators.push(ApiSecurity('bearer'), ApiSecurity({ session: [], ...(writes && { csrf: [] }) }));
  }
  // Public routes are addressed by secrets, not by ids.
  for (const name of params)
    decorators.push(ApiParam({ name, schema: name === 'id' && !isPublic ? ID_SCHEMA : { type: 'string' } }));
  if (query) {
    for (const { name, required, schema } of inputFields(query)) {
      const { description: about, ...rest } = schema;
      decorators.push(ApiQuery({ name, required, schema: rest, ...(about ? { description: about as string } : {}) }));
    }
  }
  if (body) decorators.push(ApiBody(inputSchema(body)));
  return decorators;
}

function answersOf(route: Route): MethodDecorator[] {
  const answer = (status: number | string, response: Schema) =>
    ApiResponse({
      description: HttpStatus[Number(status)]?.toLowerCase().replaceAll('_', ' '),
      ...response,
      status: Number(status),
    });
  return [
    answer(route.status, route.facts.answer),
    ...Object.entries(route.facts.answers ?? {}).map(([status, response]) => answer(status, response)),
    ...[...problemsOf(route)].map((status) =>
      answer(status, problemResponse(status, status === 409 ? route.facts.conflicts : [])),
    ),
  ];
}

/** The problem statuses that follow from the kind of route. */
function problemsOf({ facts, writes, isPublic, query, params }: Route): Set<number> {
  const problems = new Set(facts.problems);
  const add = (condition: boolean, ...statuses: number[]) => condition && statuses.forEach((s) => problems.add(s));
  add(writes || query !== undefined || params.length > 0, 400);
  add(writes, 403, 413, 415);
  add(!isPublic, 401, 403, 429);
  add(params.length > 0, 404);
  add(facts.conflicts !== undefined, 409);
  // Public reads (live, ready, metrics) declare their own answers.
  add(!isPublic || writes, 503);
  return problems;
}
