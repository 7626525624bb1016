import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { routes, type Instance } from '../packages/api-types/src/index.ts';
import { createResponseChecker } from '../test/support/openapi.ts';
import { operationsOf, readDocument } from './openapi/document.ts';

const root = resolve(import.meta.dirname, '..');
const document = readDocument(join(root, 'api-spec/openapi.yaml'));

// In a process of its own: the generator of types cannot be loaded by jest.
test('what is committed is what the document says', () => {
  execFileSync(process.execPath, [join(root, 'scripts/generate.ts'), '--check'], { stdio: 'pipe' });
});

describe('the document', () => {
  test('names each operation once', () => {
    const ids = operationsOf(document).map(({ operation }) => operation.operationId);
    expect(ids).toEqual([...new Set(ids)]);
    expect(routes.map(({ operationId }) => operationId)).toEqual(ids);
  });

  test('every reference leads somewhere', () => {
    for (const [, reference = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = reference
        .split('/')
        .reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], document);
      expect([reference, found]).not.toEqual([reference, undefined]);
    }
  });

  test('every path parameter is described', () => {
    for (const { path, item, operation } of operationsOf(document)) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const described = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
        .map(({ $ref }) => document.components.parameters[$ref.split('/').at(-1) ?? ''])
        .filter((parameter) => parameter?.in === 'path')
        .map((parameter) => parameter?.name);
      expect([path, described.sort()]).toEqual([path, named.sort()]);
    }
  });

  test('schemas say only what JSON Schema knows', () => {
    const checker = createResponseChecker();
    for (const name of Object.keys(document.components.schemas)) {
      expect(() => checker.validateSchema(name, null)).not.toThrow();
    }
  });
});

describe('the check of responses', () => {
  const checker = createResponseChecker();
  const sync = (metadata: unknown) => ({
    type: 'sync',
    status: 'Success',
    status_code: 200,
    operation: '',
    error_code: 0,
    error: '',
    metadata,
  });
  const failure = {
    type: 'error',
    status: '',
    status_code: 0,
    operation: '',
    error_code: 404,
    error: 'Instance not found',
    metadata: null,
  };
  const instance: Instance = {
    name: 'c1',
    description: '',
    status: 'Running',
    status_code: 103,
    type: 'container',
    architecture: 'x86_64',
    config: {},
    devices: { root: { type: 'disk', path: '/', pool: 'default' } },
    profiles: ['default'],
    expanded_config: {},
    expanded_devices: {},
    ephemeral: false,
    stateful: false,
    created_at: '2026-01-31T12:00:00Z',
    last_used_at: '1970-01-01T00:00:00Z',
    location: 'none',
    project: 'default',
  };
  const full = { ...instance, backups: null, state: null, snapshots: null };

  test.each([
    ['instanceGet', 200, sync(instance)],
    ['instanceGet', 200, sync(full)],
    ['instanceGet', 404, failure],
    ['instanceGet', 500, failure],
    ['instancesGet', 200, sync(['/1.0/instances/c1'])],
    ['instancesGet', 200, sync([instance])],
    ['instancesGet', 200, sync([full])],
    ['instancesGet', 200, sync([])],
    ['profilesPost', 201, sync(null)],
    ['instanceLogGet', 200, 'a log'],
  ])('accepts %s %d', (operationId, status, body) => {
    expect(checker.validateResponse(operationId, status, body)).toEqual([]);
  });

  test.each([
    ['a wrong type', 'instanceGet', 200, sync({ ...instance, name: 5 })],
    ['a field too many', 'instanceGet', 200, sync({ ...instance, surprise: 1 })],
    ['a field too few', 'instanceGet', 200, { ...sync(instance), error: undefined }],
    ['no metadata', 'instanceGet', 200, failure],
    ['another status', 'instanceGet', 202, sync(instance)],
    ['something where there is nothing', 'profilesPost', 201, sync({ name: 'p' })],
    ['no such operation', 'nothingGet', 200, sync({})],
  ])('refuses %s', (_, operationId, status, body) => {
    expect(checker.validateResponse(operationId, status, body)).not.toEqual([]);
  });
});
