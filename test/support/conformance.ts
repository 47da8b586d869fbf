import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';

/** What this needs of an OpenAPI document. */
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}
interface Operation {
  operationId: string;
  responses: Record<string, Documented>;
}
interface Documented {
  description: string;
  content?: Record<string, { schema: Schema }>;
  headers?: Record<string, { required?: boolean }>;
}
type Schema = { [key: string]: unknown };

export interface Seen {
  method: string;
  path: string;
  status: number;
  headers: Headers;
  body: string;
}

/** Holds answers of the API against its OpenAPI document, which here is closed: fields that it does not name are wrong. */
export class Conformance {
  // Not strict about `maxLength` and such beside a `type` that is a list.
  private readonly ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true });
  private readonly validators = new Map<unknown, ValidateFunction>();
  private readonly routes: { pattern: RegExp; operations: Record<string, Operation> }[];

  constructor(document: Document) {
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.ajv);
    this.ajv.addSchema({ $id: 'document', $defs: mapValues(document.components.schemas, closed) });
    this.routes = Object.entries(document.paths)
      // `/clients/export.csv` before `/clients/{id}`.
      .sort(([a], [b]) => Number(a.includes('{')) - Number(b.includes('{')))
      .map(([path, operations]) => ({
        pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`, 'i'),
        operations,
      }));
  }

  /** What is wrong with an answer; undefined for one that is as the document says. */
  problemOf(seen: Seen): string | undefined {
    const type = (seen.headers.get('content-type') ?? '').split(';')[0]!;
    const route = this.routes.find(({ pattern }) => pattern.test(seen.path));
    const operation = route?.operations[(seen.method === 'HEAD' ? 'GET' : seen.method).toLowerCase()];
    // What is no route of ours is a problem of one of these two statuses.
    if (!operation) return this.problemOfUnknown(seen, type);
    const documented = operation.responses[seen.status];
    if (!documented) return `${operation.operationId} does not document the status ${seen.status}`;
    for (const [name, { required }] of Object.entries(documented.headers ?? {}))
      if (required && !seen.headers.has(name))
        return `${operation.operationId} ${seen.status} lacks the header ${name}`;
    if (seen.method === 'HEAD') return undefined;
    const schema = documented.content?.[type]?.schema;
    if (!documented.content) return seen.body === '' ? undefined : `${operation.operationId} documents no body`;
    if (!schema) return `${operation.operationId} ${seen.status} does not document the type ${type}`;
    if (!/json/.test(type)) return undefined;
    const wrong = this.check(schema, seen.body);
    if (wrong) return `${operation.operationId} ${seen.status} ${wrong}`;
    if (seen.status !== 409) return undefined;
    const { code } = JSON.parse(seen.body) as { code: string };
    return documented.description.includes(code) ? undefined : `${operation.operationId} does not document 409 ${code}`;
  }

  private problemOfUnknown({ status, body }: Seen, type: string): string | undefined {
    if (![401, 403, 404, 405].includes(status)) return `the status ${status} where there is no route`;
    if (type !== 'application/problem+json') return `the type ${type} where there is no route`;
    return body === '' ? undefined : this.check({ $ref: '#/components/schemas/Problem' }, body);
  }

  private check(schema: Schema, body: string): string | undefined {
    let validate = this.validators.get(schema);
    if (!validate) this.validators.set(schema, (validate = this.ajv.compile(closed(schema))));
    return validate(JSON.parse(body))
      ? undefined
      : `does not match its schema: ${this.ajv.errorsText(validate.errors)}`;
  }
}

const mapValues = <T, R>(object: Record<string, T>, map: (value: T) => R) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]));

/** The schema without room for fields that it does not name, its references leading into the document. */
function closed(schema: Schema): Schema {
  const copy = mapValues(schema, (value) =>
    isObject(value) ? closed(value) : Array.isArray(value) ? value.map(each) : value,
  );
  if (typeof copy.$ref === 'string') copy.$ref = copy.$ref.replace('#/components/schemas/', 'document#/$defs/');
  if (isObject(copy.properties)) copy.additionalProperties ??= false;
  return copy;
}

const each = (value: unknown): unknown => (isObject(value) ? closed(value) : value);
const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
