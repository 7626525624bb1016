import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { InstanceSpec } from '@lxd-ts/core';
import { WebSocket } from 'ws';
import { DevLxd } from './devlxd.ts';

const spec = (
  name: string,
  config: Record<string, string>,
  devices: InstanceSpec['devices'] = {},
): InstanceSpec => ({
  project: 'default',
  name,
  type: 'container',
  architecture: 'x86_64',
  ephemeral: false,
  config,
  devices,
  pools: {},
  networks: {},
});

let dir: string;
let devlxd: DevLxd;

const place = (name: string) => join(dir, name);
const sock = (name: string) => join(place(name), 'sock');
const make = () =>
  new DevLxd({
    location: () => 'm1',
    exportImage: (project, name, response) => {
      response.writeHead(200, { 'Content-Type': raw }).end(`${project}/${name}`);
      return Promise.resolve();
    },
    now: () => new Date(0),
  });
const open = (one: InstanceSpec) => devlxd.open(one.name, place(one.name), one);

const ask = (name: string, path: string, method = 'GET') =>
  new Promise<[status: number, type: string, body: string]>((resolve, reject) => {
    const asked = request({ socketPath: sock(name), path, method, agent: false }, (response) => {
      void text(response).then((body) =>
        resolve([response.statusCode ?? 0, response.headers['content-type'] ?? '', body]),
      );
    });
    asked.on('error', reject).end();
  });

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lxd-ts-devlxd-'));
  devlxd = make();
});
afterEach(async () => {
  for (const name of ['c1', 'c2']) await devlxd.close(name, place(name));
  devlxd[Symbol.dispose]();
  rmSync(dir, { recursive: true });
});

const config = {
  'user.a': 'one',
  'cloud-init.user-data': 'two',
  'limits.cpu': '1',
  'volatile.cloud-init.instance-id': 'id-1',
  'volatile.eth0.hwaddr': '00:16:3e:00:00:01',
};
const json = 'application/json';
const raw = 'application/octet-stream';
const plain = 'text/plain; charset=utf-8';

test.each([
  ['/', [200, json, '["/1.0"]\n']],
  ['/1.0', [200, json, '{"state":"","api_version":"1.0","instance_type":"container","location":"m1"}\n']],
  ['/1.0/config', [200, json, '["/1.0/config/user.a","/1.0/config/cloud-init.user-data"]\n']],
  ['/1.0/config/user.a', [200, raw, 'one']],
  ['/1.0/config/cloud-init.user-data?x=y', [200, raw, 'two']],
  ['/1.0/config/user.b', [404, plain, 'not found\n']],
  ['/1.0/config/limits.cpu', [403, plain, 'not authorized\n']],
  ['/1.0/config/volatile.eth0.hwaddr', [403, plain, 'not authorized\n']],
  ['/1.0/config/constructor', [403, plain, 'not authorized\n']],
  [
    '/1.0/devices',
    [200, json, '{"eth0":{"hwaddr":"00:16:3e:00:00:01","type":"nic"},"root":{"type":"disk","path":"/"}}\n'],
  ],
  ['/1.0/meta-data', [200, raw, '#cloud-config\ninstance-id: id-1\nlocal-hostname: c1\n']],
  ['/1.0/images/abc/export', [403, plain, 'not authorized\n']],
  ['/nope', [404, plain, '404 page not found\n']],
])('%s', async (path, expected) => {
  await open(spec('c1', config, { eth0: { type: 'nic' }, root: { type: 'disk', path: '/' } }));
  expect(await ask('c1', path)).toEqual(expected);
});

test('images are for who is told that it may have them', async () => {
  await open(spec('c1', { 'security.devlxd.images': 'true' }));
  await open(spec('c2', {}));
  expect(await ask('c1', '/1.0/images/abc/export')).toEqual([200, raw, 'default/abc']);
  expect((await ask('c1', '/1.0/images/abc'))[0]).toBe(404);
  expect((await ask('c2', '/1.0/images/abc/export'))[0]).toBe(403);
});

test('everybody is told of himself alone', async () => {
  await open(spec('c1', { 'user.a': 'one' }));
  await open(spec('c2', { 'user.a': 'two' }));
  expect((await ask('c1', '/1.0/config/user.a'))[2]).toBe('one');
  expect((await ask('c2', '/1.0/config/user.a'))[2]).toBe('two');
  expect(statSync(sock('c1')).mode & 0o777).toBe(0o666);
});

test('changes are seen, and told to whoever listens', async () => {
  await open(spec('c1', { 'user.a': 'one' }, { root: { type: 'disk' } }));
  const lines: string[] = [];
  const all = request({ socketPath: sock('c1'), path: '/1.0/events' });
  all.on('response', (response) =>
    response.setEncoding('utf8').on('data', (line: string) => lines.push(line)),
  );
  all.on('error', () => undefined).end();
  await new Promise((done) => all.once('response', done));
  const events: string[] = [];
  const devices = new WebSocket(`ws+unix:${sock('c1')}:/1.0/events?type=device`);
  devices.on('message', (data: Buffer) => events.push(data.toString()));
  await new Promise((done) => devices.once('open', done));

  devlxd.update('c1', spec('c1', { 'user.a': 'two', 'limits.cpu': '1' }, { root: { type: 'disk' } }));
  devlxd.update('c1', spec('c1', { 'user.a': 'two' }, { eth0: { type: 'nic' } }));
  expect((await ask('c1', '/1.0/config/user.a'))[2]).toBe('two');
  while (events.length < 2 || lines.join('').split('\n').length < 4) await new Promise(setImmediate);
  const timestamp = '1970-01-01T00:00:00.000Z';
  const device = (name: string, action: string, type: string) => ({
    timestamp,
    type: 'device',
    metadata: { name, action, config: { type } },
  });
  const wanted = [device('root', 'removed', 'disk'), device('eth0', 'added', 'nic')];
  expect(events.map((line) => JSON.parse(line) as unknown)).toEqual(wanted);
  expect(
    lines
      .join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { timestamp, type: 'config', metadata: { key: 'user.a', old_value: 'one', value: 'two' } },
    ...wanted,
  ]);
  expect(await ask('c1', '/1.0/events?type=secrets')).toEqual([400, plain, 'Invalid event type\n']);
  devices.terminate();
  all.destroy();
});

test('the end of it ends its connections; the next daemon takes over what is there', async () => {
  await open(spec('c1', { 'user.a': 'one' }));
  const idle = connect(sock('c1'));
  await new Promise((done) => idle.once('connect', done));
  const over = new Promise((done) => idle.on('error', () => undefined).once('close', done));
  devlxd[Symbol.dispose]();
  await over;
  devlxd = make();
  await open(spec('c1', { 'user.a': 'two' }));
  expect((await ask('c1', '/1.0/config/user.a'))[2]).toBe('two');
  expect(devlxd.isOpen('c1')).toBe(true);
  await devlxd.end('c1');
  await expect(ask('c1', '/')).rejects.toThrow(/ENOENT|ECONNREFUSED/);
  await devlxd.close('c1', place('c1'));
  expect(existsSync(place('c1'))).toBe(false);
});

test('one that is greedy gets no more than its share, and hinders nobody', async () => {
  await open(spec('c1', {}));
  await open(spec('c2', {}));
  const open1: Socket[] = [];
  let refused = 0;
  for (let at = 0; at < 20; at++) {
    const socket = connect(sock('c1'));
    socket.on('error', () => undefined).once('close', () => refused++);
    open1.push(socket);
  }
  while (refused < 4) await new Promise(setImmediate);
  expect((await ask('c2', '/'))[0]).toBe(200);
  expect(refused).toBe(4);
  for (const socket of open1) socket.destroy();
});
