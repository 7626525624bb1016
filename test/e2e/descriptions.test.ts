import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { makeBusyboxImage } from '../support/busybox.ts';
import { stockClient, type Client } from '../support/client.ts';
import { startDaemon } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { referenceMissing, startReference, stockClientMissing } from '../support/reference.ts';
import type { TestServer } from '../support/server.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

/** `backup.yaml` beside the roots of instances: what a real LXD writes there, whenever it does. */
const missing = referenceMissing() ?? stockClientMissing();
const pools = ['b', 'd'];

let dir: string;
const servers: { server: TestServer; lxc: Client }[] = [];

interface Described {
  container: Record<string, unknown> & { config: Record<string, string>; profiles: string[] };
  snapshots?: Record<string, unknown>[];
  pool: Record<string, unknown>;
  profiles: Record<string, unknown>[];
  volume: Record<string, unknown>;
  volume_snapshots?: Record<string, unknown>[];
}

const read = (server: TestServer, pool: string, name: string): Described =>
  parse(
    server.inside(['cat', join(server.dir, 'storage-pools', pool, 'containers', name, 'backup.yaml')]),
  ) as Described;

/** Keys and what kind each value is, all the way down; what no two servers can have in common is left out. */
function shape(value: unknown, at = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => shape(one, `${at}[]`));
  if (typeof value !== 'object' || value === null) return [`${at}: ${typeof value}`];
  return Object.entries(value).flatMap(([key, one]) =>
    /^(volatile|image)\./.test(key) ? [] : shape(one, `${at}.${key}`),
  );
}
const shapeOf = (described: Described): string[] => [...new Set(shape(described))].sort();

async function setUp(server: TestServer, at: string): Promise<void> {
  const lxc = stockClient(server.dir, join(dir, `home-${at}`));
  mkdirSync(join(dir, `home-${at}`), { recursive: true });
  servers.push({ server, lxc });
  const { rest } = server;
  await rest.must('POST', '/1.0/storage-pools', { name: 'b', driver: 'btrfs', config: { size: '512MiB' } });
  await rest.must('POST', '/1.0/storage-pools', { name: 'd', driver: 'dir' });
  await rest.must('POST', '/1.0/profiles', { name: 'p', config: { 'user.p': '1' } });
  const headers = { 'Content-Type': 'application/octet-stream' };
  const image = readFileSync(makeBusyboxImage(join(dir, 'image')).unified);
  const uploaded = await rest.must('POST', '/1.0/images', image, headers);
  const { fingerprint } = (uploaded.metadata as { metadata: { fingerprint: string } }).metadata;
  for (const pool of pools) {
    await rest.must('POST', '/1.0/instances', {
      name: `c${pool}`,
      source: { type: 'image', fingerprint },
      devices: { root: { type: 'disk', path: '/', pool } },
      profiles: ['p'],
      config: { 'user.x': 'y', 'user.n': '5' },
      description: 'what it is',
    });
    await rest.must('POST', `/1.0/instances/c${pool}/snapshots`, { name: 's0' });
  }
}

beforeAll(async () => {
  dir = makeTemporary('descriptions');
  await setUp(await startDaemon(join(dir, 'ours')), 'ours');
  if (!missing) await setUp(await startReference(join(dir, 'theirs')), 'theirs');
});

afterAll(async () => {
  const left: string[] = [];
  for (const { server } of servers) left.push(...(await server.stopAll()));
  rmSync(dir, { recursive: true, force: true });
  expect(left).toEqual([]);
});

const ours = (): TestServer => {
  const [first] = servers;
  if (!first) throw new Error('no server');
  return first.server;
};

test.each(pools)('in pool %s it says when the operations are over what there is', (pool) => {
  const described = read(ours(), pool, `c${pool}`);
  expect(described.container).toMatchObject({
    name: `c${pool}`,
    config: { 'user.x': 'y', 'user.n': '5' },
    profiles: ['p'],
    description: 'what it is',
    devices: { root: { type: 'disk', path: '/', pool } },
    status: 'Stopped',
  });
  expect(described.snapshots?.map(({ name }) => name)).toEqual(['s0']);
  expect(described.volume_snapshots?.map(({ name }) => name)).toEqual(['s0']);
  expect(described.pool).toMatchObject({
    name: pool,
    driver: pool === 'b' ? 'btrfs' : 'dir',
    config: { source: expect.stringContaining(ours().dir) as string },
  });
  expect(described.profiles).toMatchObject([{ name: 'p', config: { 'user.p': '1' } }]);
});

(missing ? test.skip : test).each(pools)('in pool %s it has all that a real LXD writes', (pool) => {
  const [own, lxd] = servers.map(({ server }) => shapeOf(read(server, pool, `c${pool}`)));
  expect(own).toEqual(lxd);
});

test('it follows each change, restores and renames too', async () => {
  const { rest } = ours();
  await rest.must('PATCH', '/1.0/instances/cd', { config: { 'user.x': 'z' } });
  expect(read(ours(), 'd', 'cd').container.config['user.x']).toBe('z');
  await rest.must('PUT', '/1.0/instances/cd', { restore: 's0' });
  expect(read(ours(), 'd', 'cd')).toMatchObject({
    container: { config: { 'user.x': 'y' } },
    snapshots: [{}],
  });
  await rest.must('POST', '/1.0/instances/cd/snapshots/s0', { name: 's1' });
  expect(read(ours(), 'd', 'cd').snapshots).toMatchObject([{ name: 's1' }]);
  await rest.must('POST', '/1.0/instances/cd', { name: 'ce' });
  expect(read(ours(), 'd', 'ce').container['name']).toBe('ce');
  await rest.must('POST', '/1.0/instances', { name: 'cf', source: { type: 'copy', source: 'ce' } });
  expect(read(ours(), 'd', 'cf')).toMatchObject({ container: { name: 'cf' }, snapshots: [{ name: 's1' }] });
  await rest.must('DELETE', '/1.0/instances/cf/snapshots/s1');
  expect(read(ours(), 'd', 'cf')).not.toHaveProperty('snapshots');
  await rest.must('DELETE', '/1.0/instances/cf');
  await rest.must('POST', '/1.0/instances/ce', { name: 'cd' });
});

test('what no operation changes, and what was lost, is there a moment later', async () => {
  const { rest } = ours();
  await rest.must('PATCH', '/1.0/profiles/p', { config: { 'user.p': '2' } });
  const profile = () => Promise.resolve(read(ours(), 'b', 'cb').profiles[0]?.['config']);
  await waitFor('the changed profile', profile, (config) => JSON.stringify(config).includes('"2"'));
  await rest.must('PUT', '/1.0/instances/cb/state', { action: 'start' });
  const power = () => Promise.resolve(read(ours(), 'b', 'cb').container.config['volatile.last_state.power']);
  await waitFor('that it runs', power, (value) => value === 'RUNNING');
  await rest.must('PUT', '/1.0/instances/cb/state', { action: 'stop', force: true });
  const path = join(ours().dir, 'storage-pools/b/containers/cb/backup.yaml');
  ours().inside(['rm', path]);
  await ours().crash();
  const there = () => Promise.resolve(ours().inside(['sh', '-c', `cat ${path} 2>&1 || true`]));
  await waitFor('the lost file', there, (text) => text.includes('name: cb'));
});

test('from inside it can be neither seen nor reached', async () => {
  const { rest } = ours();
  await rest.must('PUT', '/1.0/instances/cb/state', { action: 'start' });
  const answer = await rest.must('POST', '/1.0/instances/cb/exec', {
    command: ['sh', '-c', 'ls -a / /.. | grep -c backup.yaml'],
    'record-output': true,
    'wait-for-websocket': false,
  });
  const { output } = (answer.metadata as { metadata: { output: Record<string, string> } }).metadata;
  expect((await rest.must('GET', output['1'] ?? '')).text.trim()).toBe('0');
  await rest.must('PUT', '/1.0/instances/cb/state', { action: 'stop', force: true });
});
