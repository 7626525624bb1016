import { join, resolve } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import {
  definitionsOf,
  nameOf,
  operationsOf,
  readDocument,
  type Schema,
} from '../../scripts/openapi/document.ts';
import { dateTime } from '../../scripts/openapi/emit-validators.ts';

const spec = join(resolve(import.meta.dirname, '../..'), 'api-spec/openapi.yaml');

/** Merges `allOf` into its parent, so that what is not described can be told. */
function flatten(schema: Schema, all: Record<string, Schema>): Schema {
  const { allOf, ...own } = schema;
  return (allOf ?? []).reduce<Schema>((merged, part) => {
    const found = part.$ref ? all[nameOf(part.$ref)] : part;
    if (!found) throw new Error(`no schema ${String(part.$ref)}`);
    const { required = [], properties = {}, ...rest } = flatten(found, all);
    return {
      ...merged,
      ...rest,
      required: [...(merged.required ?? []), ...required],
      properties: { ...merged.properties, ...properties },
    };
  }, own);
}

/** The same schema, refusing fields it does not name. */
function strict(schema: Schema, all: Record<string, Schema>): Schema {
  const flat = flatten(schema, all);
  const each = (schemas: Schema[]) => schemas.map((one) => strict(one, all));
  return {
    ...flat,
    ...(flat.properties && {
      properties: Object.fromEntries(
        Object.entries(flat.properties).map(([name, field]) => [name, strict(field, all)]),
      ),
      additionalProperties: flat.additionalProperties ?? false,
    }),
    ...(typeof flat.additionalProperties === 'object' && {
      additionalProperties: strict(flat.additionalProperties, all),
    }),
    ...(flat.items && { items: strict(flat.items, all) }),
    ...(flat.anyOf && { anyOf: each(flat.anyOf) }),
  };
}

export interface ResponseChecker {
  /** What is wrong with an answer by the OpenAPI document; fields it does not name are wrong too. Bodies that are no JSON are not looked at. */
  validateResponse(operationId: string, status: number, body: unknown): string[];
  /** What is wrong with any value by one schema of the document, e.g. `Event`. */
  validateSchema(name: string, value: unknown): string[];
}

export function createResponseChecker(): ResponseChecker {
  const document = readDocument(spec);
  const all = definitionsOf(document);
  const ajv = new Ajv2020({
    allErrors: true,
    allowUnionTypes: true,
    formats: { 'date-time': dateTime },
  });
  ajv.addSchema({
    $id: 'api',
    $defs: Object.fromEntries(Object.entries(all).map(([name, schema]) => [name, strict(schema, all)])),
  });
  const operations = new Map(
    operationsOf(document).map(({ operation }) => [operation.operationId, operation]),
  );
  const compiled = new Map<string, ValidateFunction>();

  const check = (key: string, schema: () => Schema, value: unknown): string[] => {
    let validate = compiled.get(key);
    if (!validate) compiled.set(key, (validate = ajv.compile(schema())));
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const which = (params as { additionalProperty?: string }).additionalProperty;
      return `${instancePath || '/'} ${message ?? ''}${which ? ` (${which})` : ''}`;
    });
  };

  return {
    validateSchema: (name, value) => check(name, () => ({ $ref: `api#/$defs/${name}` }), value),
    validateResponse(operationId, status, body) {
      const operation = operations.get(operationId);
      if (!operation) return [`no operation ${operationId}`];
      const code = String(status) in operation.responses ? String(status) : 'default';
      const entry = operation.responses[code];
      const response = entry?.$ref ? document.components.responses[nameOf(entry.$ref)] : entry;
      if (!response) return [`status ${status} is not described`];
      const schema = response.content?.['application/json']?.schema;
      if (!schema) return [];
      const own = JSON.parse(
        JSON.stringify(schema).replaceAll('#/components/schemas/', 'api#/$defs/'),
      ) as Schema;
      return check(`${operationId} ${code}`, () => strict(own, all), body);
    },
  };
}
