import fc from 'fast-check';
import { readRequest, routes, validateRequest } from './index.ts';

const messages = (...args: Parameters<typeof validateRequest>): string[] =>
  validateRequest(...args).map(({ message }) => message);

describe('a request body', () => {
  test.each([
    ['instancesPost', { name: 'c1', source: { type: 'image', alias: 'debian' } }],
    [
      'instancesPost',
      { source: { type: 'none', secrets: null }, profiles: null, config: null, unknown: [1] },
    ],
    ['instancePost', { name: 'c2', migration: false, target: null, pool: '' }],
    ['instancePut', {}],
    ['instancePut', null],
    ['instanceStatePut', { action: 'stop', timeout: -1, force: true }],
    ['instanceExecPost', { command: ['true'], user: 4294967295, environment: { A: null } }],
    ['imagePut', { expires_at: '0001-01-01T00:00:00Z', properties: { os: 'debian' } }],
    ['imagePut', { expires_at: '2026-01-31T12:00:00.123456789+02:00' }],
    ['networksPost', { name: 'br0', config: { 'ipv4.nat': 'true' } }],
    ['instanceDelete', { anything: 1 }],
  ] as const)('is accepted: %s %j', (operationId, body) => {
    expect(messages(operationId, body)).toEqual([]);
  });

  test.each([
    [
      'instancesPost',
      { source: { type: 'image' }, config: { 'limits.cpu': 2 } },
      'config.limits.cpu: must be a string',
    ],
    ['instancesPost', { name: 'c1' }, 'source: is required'],
    ['instancesPost', null, 'source: is required'],
    ['instancesPost', [], 'the request body: must be an object'],
    [
      'instancesPost',
      { source: { type: 'magic' } },
      'source.type: must be one of image, none, copy, migration',
    ],
    ['instancesPost', { source: 'debian' }, 'source: must be an object'],
    ['instancePatch', { ephemeral: 'yes' }, 'ephemeral: must be true or false'],
    ['instancePatch', { profiles: 'default' }, 'profiles: must be a list'],
    ['instancePatch', { devices: { 'a/b': { type: 1 } } }, 'devices.a/b.type: must be a string'],
    ['instanceStatePut', { action: 'start', timeout: '3' }, 'timeout: must be a whole number'],
    ['instanceStatePut', { action: 'start', timeout: 3.5 }, 'timeout: must be a whole number'],
    ['instanceExecPost', { command: ['ls', 1] }, 'command.1: must be a string'],
    ['instanceExecPost', { user: -1 }, 'user: must be at least 0'],
    ['instanceExecPost', { group: 4294967296 }, 'group: must be at most 4294967295'],
    ['imagePut', { expires_at: 'tomorrow' }, 'expires_at: must be a time such as 2026-01-31T12:00:00Z'],
    [
      'imagePut',
      { expires_at: '2026-13-01T00:00:00Z' },
      'expires_at: must be a time such as 2026-01-31T12:00:00Z',
    ],
    ['profilesPost', { name: '' }, 'name: must not be empty'],
  ] as const)('is refused: %s %j', (operationId, body, message) => {
    expect(messages(operationId, body)).toEqual([message]);
  });

  test('every problem is told, with its field', () => {
    expect(validateRequest('storagePoolsPost', { driver: 1 })).toEqual([
      { field: 'name', message: 'name: is required' },
      { field: 'driver', message: 'driver: must be a string' },
    ]);
  });

  test('null becomes the empty value', () => {
    const json = {
      name: null,
      config: { 'user.a': null, 'user.b': 'c' },
      devices: { eth0: null, root: { path: null } },
      profiles: ['default', null],
      source: { type: 'none', properties: { os: null } },
    };
    expect(readRequest('instancesPost', json).body).toEqual({
      config: { 'user.a': '', 'user.b': 'c' },
      devices: { eth0: {}, root: { path: '' } },
      profiles: ['default', ''],
      source: { type: 'none', properties: { os: '' } },
    });
  });

  test('a field called __proto__ stays a field', () => {
    const { body } = readRequest('instancePatch', JSON.parse('{"config":{"__proto__":"x"}}'));
    expect(Object.keys((body as { config: object }).config)).toEqual(['__proto__']);
    expect(messages('instancePatch', JSON.parse('{"config":{"__proto__":1}}'))).toEqual([
      'config.__proto__: must be a string',
    ]);
  });

  test('very deep nesting does not exhaust the stack', () => {
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`);
    expect(messages('instancePatch', deep)).toEqual([]);
  });

  test('nothing that JSON can carry makes it throw', () => {
    const operations = routes
      .filter(({ requestBody }) => requestBody === 'json')
      .map((route) => route.operationId);
    fc.assert(
      fc.property(fc.constantFrom(...operations), fc.jsonValue(), (operationId, json) => {
        for (const { message } of validateRequest(operationId, json)) expect(message).toMatch(/: (must|is)/);
      }),
    );
  });
});
