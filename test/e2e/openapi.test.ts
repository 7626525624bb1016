import { routes } from '@lxd-ts/api-types';
import { startDaemon } from '../support/daemon.ts';
import { prepareGround, type Ground } from '../support/ground.ts';
import { createResponseChecker } from '../support/openapi.ts';
import type { Rest } from '../support/rest.ts';

/** Every answer of a running daemon is what the OpenAPI document says: strictly, an undescribed field is an error. */
const checker = createResponseChecker();
let ground: Ground;
let rest: Rest;

beforeAll(async () => {
  ground = await prepareGround('openapi', startDaemon);
  ({ rest } = ground.server);
  await rest.must('POST', '/1.0/storage-pools', { name: 'p', driver: 'dir' });
  await rest.must('POST', '/1.0/networks', { name: 'br-spec', config: { 'ipv6.address': 'none' } });
  const devices = { root: { type: 'disk', path: '/', pool: 'p' } };
  await rest.must('PUT', '/1.0/profiles/default', { devices });
  await rest.must('POST', '/1.0/instances', { name: 'c1', source: { type: 'none' } });
});
afterAll(async () => {
  await ground.clear();
});

/** What stands for a parameter in the paths of these operations. */
const names: Readonly<Record<string, string>> = {
  '/1.0/instances/{name}': 'c1',
  '/1.0/profiles/{name}': 'default',
  '/1.0/storage-pools/{name}': 'p',
  '/1.0/networks/{name}': 'br-spec',
  '/1.0/projects/{name}': 'default',
};

const concrete = (path: string): string => {
  const [prefix = '', name = ''] = Object.entries(names).find(([known]) => path.startsWith(known)) ?? [];
  return prefix === '' ? path : path.replace(prefix, prefix.replace('{name}', name));
};

const gets = routes
  .filter(({ method, websocket }) => method === 'get' && !websocket)
  .map(({ operationId, path, queryParameters }) => ({ operationId, path: concrete(path), queryParameters }))
  .filter(({ path }) => !path.includes('{'))
  .flatMap(({ operationId, path, queryParameters }) => [
    [operationId, path] as const,
    ...(queryParameters.includes('recursion')
      ? ([
          [operationId, `${path}?recursion=1`],
          [operationId, `${path}?recursion=2`],
        ] as const)
      : []),
  ]);

test.each(gets)('%s: %s', async (operationId, path) => {
  const { status, text, headers } = await rest.send('GET', path);
  const body: unknown = String(headers['content-type']).includes('json') ? JSON.parse(text) : text;
  expect(checker.validateResponse(operationId, status, body)).toEqual([]);
});

test.each([
  ['profilesPost', 'POST', '/1.0/profiles', { name: 'x' }],
  ['profilePatch', 'PATCH', '/1.0/profiles/x', { description: 'd' }],
  ['profilePost', 'POST', '/1.0/profiles/x', { name: 'y' }],
  ['profileDelete', 'DELETE', '/1.0/profiles/y', undefined],
  ['profileDelete', 'DELETE', '/1.0/profiles/none', undefined],
  ['instanceStatePut', 'PUT', '/1.0/instances/c1/state', { action: 'stop' }],
  ['instancePatch', 'PATCH', '/1.0/instances/c1', { config: { 'user.x': '1' } }],
  ['instanceExecPost', 'POST', '/1.0/instances/c1/exec', { command: ['true'] }],
  ['instancesPost', 'POST', '/1.0/instances', { name: 5 }],
  ['clusterExplainGet', 'GET', '/1.0/cluster/explain?instance=c1', undefined],
  ['clusterExplainPost', 'POST', '/1.0/cluster/explain', { source: { type: 'none' } }],
  ['serverPut', 'PUT', '/1.0', { config: { nope: 'x' } }],
] as const)('%s: %s %s', async (operationId, method, path, body) => {
  const { status, text } = await rest.send(method, path, body);
  expect(checker.validateResponse(operationId, status, JSON.parse(text))).toEqual([]);
});
