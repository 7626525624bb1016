import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { definitionsOf, nameOf, operationsOf, type Document, type Schema } from './document.ts';

/** RFC 3339 as Go reads it. A plain expression keeps the generated code free of imports. */
export const dateTime =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Operation → name of the schema of its JSON body. */
export function requestSchemas(document: Document): [operationId: string, schema: string][] {
  return operationsOf(document).flatMap(({ operation }) => {
    const reference = operation.requestBody?.content['application/json']?.schema?.$ref;
    return reference ? [[operation.operationId, nameOf(reference)]] : [];
  });
}

/** How many maps deep a schema is: 1 for a map of strings, 0 for what is no map. */
function mapDepth(schema: Schema, all: Record<string, Schema>): number {
  const found = schema.$ref ? all[nameOf(schema.$ref)] : schema;
  const values = found?.additionalProperties;
  return typeof values === 'object' ? 1 + mapDepth(values, all) : 0;
}

/** Fields of requests that are maps, with their depth. A name has to mean the same everywhere. */
function mapFields(names: Iterable<string>, all: Record<string, Schema>): Map<string, number> {
  const fields = new Map<string, number>();
  const others = new Set<string>();
  const walk = (schema: Schema | undefined): void => {
    for (const [name, field] of Object.entries(schema?.properties ?? {})) {
      const depth = mapDepth(field, all);
      if (depth > 0) fields.set(name, depth);
      else {
        others.add(name);
        walk(all[nameOf((field.items?.$ref ?? field.$ref) || '')]);
      }
    }
  };
  for (const name of names) walk(all[name]);
  for (const name of fields.keys()) {
    if (others.has(name)) throw new Error(`${name} is a map in one request and none in another`);
  }
  return fields;
}

/** One function per operation with a JSON body, without any import. */
export function emitValidators(document: Document): string {
  const all = definitionsOf(document);
  const requests = requestSchemas(document);
  // Requests use no keyword that has changed since draft 7, whose generated code is simpler.
  const ajv = new Ajv({
    allErrors: true,
    allowUnionTypes: true,
    inlineRefs: false,
    // Counting UTF-16 units needs no helper; lengths are only compared with 0.
    unicode: false,
    formats: { 'date-time': dateTime },
    messages: false,
    logger: false,
    code: { source: true, esm: true, lines: true },
  });
  ajv.addSchema({ $id: 'api', $defs: all });
  // A schema of its own for each operation, or functions that two share would be written twice.
  for (const [id, schema] of requests) ajv.addSchema({ $id: id, $ref: `api#/$defs/${schema}` });
  const exported = Object.fromEntries(requests.map(([id]) => [id, id]));
  const code = standalone(ajv, exported);
  if (/\brequire\(|\bimport /.test(code)) throw new Error('the validators would need imports');
  const maps = JSON.stringify([...mapFields(new Set(requests.map(([, schema]) => schema)), all)]);
  return `// @ts-nocheck\n${code.replace(/^\s*["']use strict["'];?/, '')}\n\n/** Fields that are maps, and how deep. */\nexport const mapFields: ReadonlyMap<string, number> = new Map(${maps});\n`;
}
