import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Fill, VolumeRef } from '../driver.ts';
import { SimulatedCeph } from '../testing/simulated-ceph.ts';
import { SimulatedWorld } from '../testing/simulated-world.ts';
import { crashSuite } from '../testing/crash-suite.ts';
import { storageSuite } from '../testing/storage-suite.ts';
import { ceph } from './ceph.ts';

const simulated = (config: Record<string, string>) =>
  new SimulatedWorld(ceph, config, (disks) => new SimulatedCeph(disks));
const c1: VolumeRef = { type: 'container', project: 'default', name: 'c1' };
const c2: VolumeRef = { ...c1, name: 'c2' };
const of = (snapshot: string): VolumeRef => ({ ...c1, snapshot });
const put =
  (text: string): Fill =>
  (directory) => {
    writeFileSync(join(directory, 'text'), text);
    return Promise.resolve();
  };
/** Images and snapshots of the OSD pool, what is random in them left out. */
const names = ({ tools }: { tools: SimulatedCeph }, pool = 'p1') =>
  [...(tools.pools.get(pool) ?? [])]
    .flatMap(([name, { snapshots }]) => [name, ...[...snapshots.keys()].map((one) => `${name}@${one}`)])
    .map((name) => name.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]+/g, '*'))
    .sort();
const rbd = (world: ReturnType<typeof simulated>, ...args: string[]) =>
  world.host.run(['rbd', '--pool', 'p1', ...args], world.wait);

describe('in an OSD pool of its own, by simulated tools', () => {
  storageSuite(() => Promise.resolve(simulated({})));
});

test('an OSD pool is made as LXD makes it, and goes', async () => {
  await using world = simulated({});
  const { pool, config } = await world.create();
  const { 'ceph.osd.claim': claim, ...rest } = config;
  expect(claim).toMatch(/^[0-9a-f-]{36}$/);
  expect(rest).toEqual({
    'ceph.cluster_name': 'ceph',
    'ceph.osd.pg_num': '32',
    'ceph.osd.pool_name': 'p1',
    'ceph.user.name': 'admin',
    source: 'p1',
    'volatile.pool.pristine': 'true',
  });
  expect(names(world)).toEqual(['lxd_p1']);
  await pool.delete(world.wait);
  expect(world.tools.pools.size).toBe(0);
});

test('members of a cluster share it; others are refused and touch nothing', async () => {
  await using world = simulated({});
  const { pool, config } = await world.create();
  await pool.createVolume(c1, put('one'), world.wait);
  // What the first one has completed is told to the others.
  const { 'volatile.pool.pristine': _, ...shared } = config;
  const second = world.open(shared, join(world.dir, 'two'));
  expect(await second.create(world.wait)).toEqual(config);
  expect(await second.volumes('container')).toEqual([c1]);
  await expect(second.delete(world.wait)).rejects.toMatchObject({ code: 'conflict' });
  const stranger = world.open(world.pool.config, join(world.dir, 'three'));
  await expect(stranger.create(world.wait)).rejects.toThrow(
    "Pool 'p1' in cluster 'ceph' seems to be in use by another LXD instance. Use 'ceph.osd.force_reuse=true' to force",
  );
  await stranger.delete(world.wait);
  expect(await world.read(pool, c1)).toBe('one');
});

test('an OSD pool that there was stays, with what was in it', async () => {
  await using world = simulated({ source: 'there' });
  await world.host.run(['ceph', 'osd', 'pool', 'create', 'there', '8'], world.wait);
  await world.host.run(['rbd', '--pool', 'there', 'create', '--size', '1B', 'precious'], world.wait);
  const { pool, config } = await world.create();
  expect(config['volatile.pool.pristine']).toBe('false');
  await pool.createVolume(c1, undefined, world.wait);
  expect(names(world, 'there')).toEqual(['container_c1', 'lxd_there', 'precious']);
  await pool.deleteVolume(c1, world.wait);
  await pool.delete(world.wait);
  expect(names(world, 'there')).toEqual(['precious']);
});

test('what others were cloned from stays for them as a zombie, and goes with the last', async () => {
  await using world = simulated({});
  const { pool } = await world.create();
  await pool.createVolume(c1, put('one'), world.wait);
  await pool.copyVolume(c1, of('s1'), world.wait);
  await pool.copyVolume(of('s1'), c2, world.wait);
  await pool.deleteVolume(of('s1'), world.wait);
  expect(names(world)).toEqual(['container_c1', 'container_c1@zombie_snapshot_*', 'container_c2', 'lxd_p1']);
  await pool.deleteVolume(c1, world.wait);
  await pool.createVolume(c1, put('another'), world.wait);
  expect(names(world)).toEqual([
    'container_c1',
    'container_c2',
    'lxd_p1',
    'zombie_container_c1_*',
    'zombie_container_c1_*@zombie_snapshot_*',
  ]);
  expect(await world.read(pool, c2)).toBe('one');
  await pool.deleteVolume(c2, world.wait);
  expect(names(world)).toEqual(['container_c1', 'lxd_p1']);
});

test('a snapshot is mounted by a clone of it, which goes again', async () => {
  await using world = simulated({});
  const { pool } = await world.create();
  await pool.createVolume(c1, put('one'), world.wait);
  await pool.copyVolume(c1, of('s1'), world.wait);
  {
    await using use = await pool.useVolume(of('s1'), world.wait);
    expect(use.path).toBe(join(pool.path, 'containers-snapshots/c1/s1'));
    expect(names(world).filter((name) => /\.partial-.*mount\+/.test(name))).toHaveLength(1);
    expect(await pool.volumes('container')).toEqual([c1]);
  }
  expect(names(world)).toEqual(['container_c1', 'container_c1@snapshot_s1', 'lxd_p1']);
});

test('a mount removes what a crash left, and nothing that another member is at work on', async () => {
  await using world = simulated({});
  const { pool } = await world.create();
  await pool.createVolume(c1, undefined, world.wait);
  const leave = async (name: string) => {
    await rbd(world, 'create', '--size', '1B', `container_.partial-${name}`);
    await rbd(world, 'create', '--size', '1B', `zombie_container_${name}`);
    await rbd(world, 'snap', 'create', '--snap', 'snapshot_s1', `zombie_container_${name}`);
  };
  await leave('young');
  world.tools.age = 2 * 60 * 60 * 1000;
  await leave('old');
  await rbd(world, 'create', '--size', '1B', 'container_.partial-watched');
  await rbd(world, 'map', 'container_.partial-watched');
  await pool.mount(world.wait);
  expect(names(world)).toEqual([
    'container_.partial-watched',
    'container_.partial-young',
    'container_c1',
    'lxd_p1',
    'zombie_container_young',
    'zombie_container_young@snapshot_s1',
  ]);
});

test('what a member of a longer name is at work on is not its own', async () => {
  await using world = simulated({});
  const { pool } = await world.create();
  await rbd(world, 'create', '--size', '1B', `container_.partial-${hostname()}-2+c9`);
  await rbd(world, 'create', '--size', '1B', `container_.partial-${hostname()}+c9`);
  await pool.mount(world.wait);
  expect(names(world)).toEqual([`container_.partial-${hostname()}-2+c9`, 'lxd_p1']);
});

test('snapshots that are mounted at once are never taken for each other', async () => {
  await using world = simulated({});
  const { pool } = await world.create();
  const alike = [
    { ...c1, name: 'a', snapshot: 'b-c' },
    { ...c1, name: 'a-b', snapshot: 'c' },
  ];
  for (const { snapshot, ...volume } of alike) {
    await pool.createVolume(volume, put(volume.name), world.wait);
    await pool.copyVolume(volume, { ...volume, snapshot }, world.wait);
  }
  await using one = await pool.useVolume(alike[0]!, world.wait);
  await using other = await pool.useVolume(alike[1]!, world.wait);
  expect([one, other].map(({ path }) => readFileSync(join(path, 'text'), 'utf8'))).toEqual(['a', 'a-b']);
});

test('a copy of what is mounted has what was written to it', async () => {
  await using world = simulated({});
  const { pool } = await world.create();
  await pool.createVolume(c1, put('one'), world.wait);
  const synced: (string | undefined)[] = [];
  world.disks.tool('sync', (args) => {
    synced.push(args.at(-1));
    return {};
  });
  await using use = await pool.useVolume(c1, world.wait);
  await pool.copyVolume(c1, c2, world.wait);
  expect(synced).toEqual([use.path]);
});

test('an image that two members unpack at once is there once', async () => {
  await using world = simulated({});
  const { pool } = await world.create();
  const fingerprint = 'f'.repeat(64);
  const image: VolumeRef = { type: 'image', project: 'default', name: fingerprint };
  const slow: Fill = async (directory, options) => {
    await put('mine')(directory, options);
    // Meanwhile another one, of another name, has done it.
    await rbd(world, 'create', '--size', '10737418240B', `image_${fingerprint}_ext4`);
    const { stdout } = await rbd(world, 'map', `image_${fingerprint}_ext4`);
    await world.host.run(['mkfs.ext4', stdout.trim()], world.wait);
    await world.host.run(['rbd', 'unmap', stdout.trim()], world.wait);
  };
  await pool.createFromImage(c1, fingerprint, slow, world.wait);
  expect(await pool.exists(c1)).toBe(true);
  expect(await pool.volumes('image')).toEqual([image]);
  expect(names(world).filter((name) => name.includes('.partial-'))).toEqual([]);
});

crashSuite(
  () => simulated({}),
  (world) => [...world.tools.pools.values()].flatMap((images) => [...images.keys()]),
);
