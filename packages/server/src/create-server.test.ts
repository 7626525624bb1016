import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { listenUnix } from './http/listen.ts';
import { serve, type Served } from './testing/serve.ts';

let served: Served;
beforeEach(async () => {
  served = await serve();
});
afterEach(() => served[Symbol.asyncDispose]());

const create = (name: string) => served.call('POST', '/1.0/instances', { name, source: { type: 'none' } });

describe('the envelope', () => {
  test('of an answer', async () => {
    const { status, headers, body } = await served.call('GET', '/');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json');
    expect(body).toEqual({
      type: 'sync',
      status: 'Success',
      status_code: 200,
      operation: '',
      error_code: 0,
      error: '',
      metadata: ['/1.0'],
    });
  });

  test('of an operation', async () => {
    const { status, headers, body } = await create('c1');
    expect(status).toBe(202);
    expect(body).toMatchObject({ type: 'async', status: 'Operation created', status_code: 100 });
    expect(headers.location).toBe(body.operation);
    expect(body.metadata).toMatchObject({ class: 'task', resources: { instances: ['/1.0/instances/c1'] } });
  });

  // The statuses are those that LXD 5.0.2 answers.
  test.each<[string, string, unknown, number, string]>([
    ['GET', '/nope', undefined, 404, 'not found'],
    ['GET', '/1.0/', undefined, 404, 'not found'],
    ['GET', '/1.0/profiles/default/x', undefined, 404, 'not found'],
    ['DELETE', '/1.0/profiles', undefined, 501, 'not implemented'],
    ['GET', '/1.0/profiles/%zz', undefined, 400, 'properly encoded'],
    ['POST', '/1.0/profiles', '{bad', 400, 'not valid JSON'],
    ['POST', '/1.0/profiles', '[]', 400, 'must be an object'],
    ['POST', '/1.0/profiles', { name: 5 }, 400, 'name: must be a string'],
    ['POST', '/1.0/profiles', { name: 'p', config: { 'user.a': 5 } }, 400, 'config.user.a'],
    ['POST', '/1.0/profiles', { name: 'a/b' }, 400, 'may not contain slashes'],
    ['POST', '/1.0/profiles', { name: 'default' }, 500, 'already exists'],
    ['POST', '/1.0/profiles', { name: 'p', config: { nope: '1' } }, 400, 'nope'],
    ['POST', '/1.0/profiles', { name: 'p', devices: { x: {} } }, 400, 'Missing device type'],
    ['POST', '/1.0/profiles?project=nope', { name: 'p' }, 404, 'Project not found'],
    ['POST', '/1.0/profiles/default', { name: 'p' }, 403, 'cannot be renamed'],
    ['DELETE', '/1.0/profiles/default', undefined, 403, 'cannot be deleted'],
    ['GET', '/1.0/instances/nope', undefined, 404, 'Instance not found'],
    ['GET', '/1.0/operations/nope', undefined, 404, 'Operation not found'],
    ['PUT', '/1.0', { config: { nope: 'x' } }, 400, 'unknown key'],
    ['PUT', '/1.0', { config: { 'core.https_address': 'nowhere.example' } }, 400, 'resolve'],
    ['PUT', '/1.0', { config: { 'core.remote_token_expiry': '1x' } }, 400, 'Invalid expiry expression'],
    ['PUT', '/1.0', { config: { toString: 'x' } }, 400, 'unknown key'],
    ['POST', '/1.0/cluster/members', { server_name: 'x' }, 400, 'not clustered'],
    ['GET', '/1.0/cluster/members', undefined, 500, 'not clustered'],
    ['GET', '/1.0/projects/nope', undefined, 404, 'Project not found'],
  ])('of an error: %s %s %j', async (method, path, sent, status, message) => {
    const answer = await served.call(method, path, sent);
    expect(answer.body).toMatchObject({ type: 'error', error_code: status, metadata: null });
    expect(answer.status).toBe(status);
    expect(answer.body.error).toContain(message);
    expect(served.records.list('profiles')).toHaveLength(1);
  });

  test('of a body that is too large', async () => {
    const answer = await served.call('POST', '/1.0/profiles', `"${'x'.repeat(5 * 1024 * 1024)}"`);
    expect(answer.status).toBe(413);
    expect((await served.call('GET', '/')).status).toBe(200);
  });
});

test('the server says what it is, under the name that clients look for', async () => {
  const { body, headers } = await served.call('GET', '/1.0');
  expect(headers.etag).toMatch(/^"[0-9a-f]{64}"$/);
  expect(body.metadata).toMatchObject({
    api_version: '1.0',
    auth: 'trusted',
    environment: { server: 'lxd', server_name: 'm1', storage: 'dir', project: 'default' },
  });
});

test('a change by an older version is refused', async () => {
  const { headers } = await served.call('GET', '/1.0/profiles/default');
  const put = { description: 'new', devices: {}, config: {} };
  const tag = headers.etag ?? '';
  expect((await served.call('PUT', '/1.0/profiles/default', put, { 'If-Match': tag })).status).toBe(200);
  expect((await served.call('PUT', '/1.0/profiles/default', put, { 'If-Match': tag })).status).toBe(412);
});

test('instances have their older name too', async () => {
  await served.over(create('c1'));
  expect((await served.call('GET', '/1.0/containers')).body.metadata).toEqual(['/1.0/containers/c1']);
  expect((await served.call('GET', '/1.0/instances')).body.metadata).toEqual(['/1.0/instances/c1']);
});

test('a profile in use stays, and its change reaches who uses it', async () => {
  await served.call('POST', '/1.0/profiles', { name: 'p1' });
  await served.over(
    served.call('POST', '/1.0/instances', {
      name: 'c1',
      profiles: ['default', 'p1'],
      source: { type: 'none' },
    }),
  );
  const refused = await served.call('DELETE', '/1.0/profiles/p1');
  expect(refused.body).toMatchObject({ error_code: 400, error: 'Profile is currently in use' });
  expect((await served.call('GET', '/1.0/profiles/p1')).body.metadata).toMatchObject({
    used_by: ['/1.0/instances/c1'],
  });
  await served.call('PATCH', '/1.0/profiles/p1', { config: { 'limits.cpu': '1' } });
  expect(served.fake.calls).toContain('updateInstance c1');
});

test('a profile keeps the root disk that an instance is on', async () => {
  await served.over(create('c1'));
  const taken = await served.call('PUT', '/1.0/profiles/default', { devices: {} });
  expect(taken.body).toMatchObject({
    error_code: 500,
    error: expect.stringContaining('root disk') as string,
  });
  const devices = {
    root: { type: 'disk', path: '/', pool: 'default' },
    twice: { type: 'disk', path: '/', pool: 'x' },
  };
  const twice = await served.call('PUT', '/1.0/profiles/default', { devices });
  expect(twice.body.error).toContain('same path "/"');
  expect(
    (await served.call('PUT', '/1.0/profiles/default', { devices: { root: devices.root } })).status,
  ).toBe(200);
});

test('a long list comes whole', async () => {
  for (let at = 0; at < 1000; at += 100) {
    const transaction = served.records.transaction();
    for (let i = at; i < at + 100; i++) {
      const name = `p${String(i).padStart(4, '0')}`;
      transaction.create('profiles', ['default', name], {
        project: 'default',
        name,
        description: 'ü'.repeat(100),
        config: {},
        devices: {},
      });
    }
    await transaction.commit({ signal: AbortSignal.timeout(5000) });
  }
  const { body } = await served.call('GET', '/1.0/profiles?recursion=1');
  expect(body.metadata).toHaveLength(1001);
  expect(body).toMatchObject({ type: 'sync', error_code: 0 });
});

describe('websockets', () => {
  const open = (path: string) => new WebSocket(`ws+unix:${served.socket}:${path}`);

  test('tell what happens, and end with the daemon', async () => {
    const socket = open('/1.0/events?type=lifecycle,operation');
    const events: { type: string; project: string; metadata: Record<string, unknown> }[] = [];
    socket.on('message', (data: Buffer) => events.push(JSON.parse(data.toString()) as (typeof events)[0]));
    await once(socket, 'open');
    await served.call('POST', '/1.0/profiles', { name: 'p1' });
    await served.call('POST', '/1.0/profiles/p1', { name: 'p2' });
    await served.over(create('c1'));
    const closed = once(socket, 'close');
    served.api.events.close();
    await closed;
    expect(events[0]).toMatchObject({
      type: 'lifecycle',
      project: 'default',
      location: 'none',
      metadata: {
        action: 'profile-created',
        source: '/1.0/profiles/p1',
        requestor: { username: 'root', protocol: 'unix', address: '@' },
      },
    });
    expect(events[1]?.metadata).toMatchObject({ context: { old_name: 'p1' }, source: '/1.0/profiles/p2' });
    expect(events.at(-1)).toMatchObject({ type: 'operation', metadata: { status: 'Success' } });
  });

  test('tell the log', async () => {
    const socket = open('/1.0/events?type=logging');
    await once(socket, 'open');
    const heard = once(socket, 'message') as Promise<[Buffer]>;
    await served.call('GET', '/1.0/operations?secret=s3cret');
    const [data] = await heard;
    socket.close();
    expect(JSON.parse(data.toString())).toMatchObject({
      type: 'logging',
      metadata: { level: 'debug', context: { url: '/1.0/operations', method: 'GET' } },
    });
  });

  test.each([
    ['/1.0/events?type=wat', 400],
    ['/1.0/events?project=nope', 404],
    ['/1.0/operations/nope/websocket?secret=x', 404],
    ['/1.0/profiles', 400],
    ['/nope', 404],
  ])('are refused: %s', async (path, status) => {
    const socket = open(path);
    const refused = once(socket, 'unexpected-response') as Promise<
      [unknown, { statusCode: number } & AsyncIterable<Buffer>]
    >;
    const [, response] = await refused;
    expect(response.statusCode).toBe(status);
    expect(JSON.parse(await text(response))).toMatchObject({ type: 'error', error_code: status });
  });
});

describe('the socket', () => {
  test('is for root and one group, and is not taken from who answers on it', async () => {
    expect((await stat(served.socket)).mode & 0o777).toBe(0o660);
    await expect(listenUnix(served.socket, undefined)).rejects.toMatchObject({ code: 'conflict' });
    await expect(listenUnix(`${served.socket}2`, 'no-such-group')).rejects.toMatchObject({ code: 'invalid' });
  });

  test('declines an upgrade to anything but a websocket', async () => {
    const socket = connect(served.socket);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    const [first] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(first.toString()).toMatch(/^HTTP\/1.1 200 OK/);
  });

  test('lets callers wait for the start', async () => {
    const path = `${served.socket}.early`;
    await using early = await listenUnix(path, undefined);
    const get = (what: string) => {
      const socket = connect(path);
      socket.write(`GET ${what} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      return text(socket);
    };
    expect(await get('/internal/ready')).toContain('503 Service Unavailable');
    const waiting = get('/');
    await new Promise(setImmediate);
    early.serve(served.api.http);
    expect(await waiting).toContain('"metadata":["/1.0"]');
  });
});
