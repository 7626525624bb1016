/**
 * Writes what follows from api-spec/openapi.yaml: types, request validators, the table of routes; and, where `protoc`
 * is installed, what follows from packages/rpc/proto.
 *   node scripts/generate.ts            writes
 *   node scripts/generate.ts --check    fails when what is committed is not what would be written
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readDocument } from './openapi/document.ts';
import { emitRoutes } from './openapi/emit-routes.ts';
import { emitSchemas, emitTypes } from './openapi/emit-types.ts';
import { emitValidators } from './openapi/emit-validators.ts';

const root = resolve(import.meta.dirname, '..');
const banner = '// Generated from api-spec/openapi.yaml by scripts/generate.ts. Do not edit.\n';

const stubOptions = [
  'esModuleInterop=true',
  'oneof=unions',
  'importSuffix=.ts',
  'env=node',
  'outputJsonMethods=false',
  'outputPartialMethods=false',
  'useExactTypes=false',
  'snakeToCamel=true',
];

/** Of packages/rpc/proto: the file, what is made of it, what it is made with beside the common options. */
const stubs = [
  ['agent', 'agent-hub.gen.ts', 'outputServices=grpc-js'],
  ['migration', 'migration-messages.gen.ts', 'outputServices=none'],
] as const;

/** Stubs and messages; nothing where `protoc` is missing, which then is said. */
function generateStubs(): [file: string, text: string][] {
  const out = mkdtempSync(join(tmpdir(), 'lxd-ts-stubs-'));
  try {
    return stubs.map(([name, file, options]) => {
      const argv = [
        `--plugin=${join(root, 'node_modules/.bin/protoc-gen-ts_proto')}`,
        `--ts_proto_out=${out}`,
        `--ts_proto_opt=${[options, ...stubOptions].join(',')}`,
        ...['-I', join(root, 'packages/rpc/proto'), `${name}.proto`],
      ];
      execFileSync('protoc', argv, { stdio: ['ignore', 'ignore', 'inherit'] });
      return [join(root, 'packages/rpc/src', file), readFileSync(join(out, `${name}.ts`), 'utf8')];
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    console.log('generate: protoc is not installed, so the gRPC stubs were left alone');
    return [];
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** File → what belongs in it. */
async function generate(): Promise<Map<string, string>> {
  const document = readDocument(join(root, 'api-spec/openapi.yaml'));
  const files = {
    'types.gen.ts': await emitTypes(document),
    'schemas.gen.ts': emitSchemas(document),
    'routes.gen.ts': emitRoutes(document),
    'validators.gen.ts': emitValidators(document),
  };
  return new Map([
    ...Object.entries(files).map(
      ([name, text]) => [join(root, 'packages/api-types/src', name), banner + text] as const,
    ),
    ...generateStubs(),
  ]);
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
      console.error(`${file} is not what its source says: run node scripts/generate.ts`);
      process.exitCode = 1;
    }
  }
}

if (process.argv[1] === import.meta.filename) void main(process.argv.includes('--check'));
