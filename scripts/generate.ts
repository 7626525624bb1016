/**
 * Writes what follows from api-spec/openapi.yaml: types, request validators, the table of routes.
 *   node scripts/generate.ts            writes
 *   node scripts/generate.ts --check    fails when what is committed is not what would be written
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readDocument } from './openapi/document.ts';
import { emitRoutes } from './openapi/emit-routes.ts';
import { emitSchemas, emitTypes } from './openapi/emit-types.ts';
import { emitValidators } from './openapi/emit-validators.ts';

const root = resolve(import.meta.dirname, '..');
const banner = '// Generated from api-spec/openapi.yaml by scripts/generate.ts. Do not edit.\n';

/** File → what belongs in it. */
async function generate(): Promise<Map<string, string>> {
  const document = readDocument(join(root, 'api-spec/openapi.yaml'));
  const files = {
    'types.gen.ts': await emitTypes(document),
    'schemas.gen.ts': emitSchemas(document),
    'routes.gen.ts': emitRoutes(document),
    'validators.gen.ts': emitValidators(document),
  };
  return new Map(
    Object.entries(files).map(([name, text]) => [join(root, 'packages/api-types/src', name), banner + text]),
  );
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

async function main(check: boolean): Promise<void> {
  for (const [file, text] of await generate()) {
    if (read(file) === text) continue;
    if (!check) writeFileSync(file, text);
    else {
      console.error(`${file} is not what api-spec/openapi.yaml says: run node scripts/generate.ts`);
      process.exitCode = 1;
    }
  }
}

if (process.argv[1] === import.meta.filename) void main(process.argv.includes('--check'));
