import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript';
import type { Document } from './document.ts';

/** `paths`, `operations` and `components` as TypeScript. */
export const emitTypes = async (document: Document): Promise<string> =>
  astToString(await openapiTS(document as unknown as OpenAPI3));

/** One alias per schema, so that people can import `Instance` and not spell its way through `components`. */
export function emitSchemas(document: Document): string {
  const names = Object.keys(document.components.schemas);
  const lines = names.map((name) => `export type ${name} = components['schemas']['${name}'];`);
  return `import type { components } from './types.gen.ts';\n\n${lines.join('\n')}\n`;
}
