import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Fill, VolumeRef } from '../driver.ts';
import { SimulatedCeph } from '../testing/simulated-ceph.ts';
import { SimulatedWorld } from '../testing/simulated-world.ts';
import { cephfs } from './cephfs.ts';

const simulated = (config: Record<string, string> = { source: 'myfs/pools/p1' }) =>
  new SimulatedWorld(cephfs, config, (disks) => new SimulatedCeph(disks));
const data: VolumeRef = { type: 'custom', project: 'default', name: 'my_data' };
const of = (snapshot: string): VolumeRef => ({ ...data, snapshot });
const put =
  (text: string): Fill =>
  (directory) => {
    writeFileSync(join(directory, 'text'), text);
    return Promise.resolve();
  };

test('it is mounted without a secret in sight, and completed as LXD completes it', async () => {
  await using world = simulated();
  const { config } = await world.create();
  const { 'cephfs.claim': claim, ...rest } = config;
  expect(claim).toMatch(/^[0-9a-f-]{36}$/);
  expect(rest).toEqual({
    'cephfs.cluster_name': 'ceph',
    'cephfs.path': '/pools/p1',
    'cephfs.user.name': 'admin',
    source: 'myfs/pools/p1',
    'volatile.pool.pristine': 'true',
  });
  expect(await world.host.mounts()).toMatchObject([
    {
      source: ':/pools/p1',
      fsType: 'ceph',
      target: join(world.dir, 'storage-pools/p1'),
      options: ['name=admin', 'conf=/etc/ceph/ceph.conf', 'fs=myfs'],
    },
  ]);
});

test('volumes and snapshots come, change, are renamed and go', async () => {
  await using world = simulated();
  const { wait } = world;
  const { pool } = await world.create();
  await pool.createVolume(data, put('one'), wait);
  await pool.createVolume(data, put('not again'), wait);
  expect(await pool.volumes('custom')).toEqual([data]);
  await pool.copyVolume(data, of('s1'), wait);
  await pool.copyVolume(data, of('s1'), wait);
  // As LXD does it: the cluster's own, and a link to it.
  expect(readlinkSync(pool.volumePath(of('s1')))).toBe('../../custom/default_my_data/.snap/s1');
  await world.write(pool, data, 'two');
  expect(await world.read(pool, of('s1'))).toBe('one');
  const copy: VolumeRef = { ...data, name: 'copy' };
  // Snapshots that come from elsewhere, before their volume does.
  await pool.copyVolume(of('s1'), { ...copy, snapshot: 's1' }, wait);
  await pool.copyVolume(data, copy, wait);
  expect(lstatSync(pool.volumePath({ ...copy, snapshot: 's1' })).isDirectory()).toBe(true);
  await pool.copyVolume(copy, { ...copy, snapshot: 's2' }, wait);

  const moved: VolumeRef = { ...data, name: 'moved' };
  await expect(pool.renameVolume(copy, data, wait)).rejects.toMatchObject({ code: 'conflict' });
  await pool.renameVolume(copy, moved, wait);
  expect([...(await pool.snapshots(moved))].sort()).toEqual(['s1', 's2']);
  expect(await world.read(pool, { ...moved, snapshot: 's1' })).toBe('one');
  expect(await world.read(pool, { ...moved, snapshot: 's2' })).toBe('two');

  await pool.replaceVolume(of('s1'), data, wait);
  expect(await world.read(pool, data)).toBe('one');
  expect(await pool.snapshots(data)).toEqual(['s1']);
  await pool.setQuota(data, 1000, wait);
  await pool.setQuota(data, undefined, wait);
  const path = pool.volumePath(data);
  expect(world.tools.attributes).toEqual([
    `-n ceph.quota.max_bytes -v 1000 -- ${path}`,
    `-n ceph.quota.max_bytes -v 0 -- ${path}`,
  ]);
  expect(await pool.volumeUsage(data, wait)).toBe(4096);

  await expect(pool.delete(wait)).rejects.toMatchObject({ code: 'conflict' });
  for (const volume of [data, moved, moved]) await pool.deleteVolume(volume, wait);
  expect(readdirSync(join(pool.path, 'custom'))).toEqual([]);
  expect(readdirSync(join(pool.path, 'custom-snapshots'))).toEqual([]);
  await pool.delete(wait);
  await pool.delete(wait);
  expect(existsSync(pool.path)).toBe(false);
  expect(readdirSync(join(world.tools.files, 'pools/p1'))).toEqual([]);
});

test('a rename of a snapshot takes the one of the cluster along', async () => {
  await using world = simulated();
  const { pool } = await world.create();
  await pool.createVolume(data, put('one'), world.wait);
  await pool.copyVolume(data, of('s1'), world.wait);
  await pool.renameVolume(of('s1'), of('s2'), world.wait);
  expect(await pool.snapshots(data)).toEqual(['s2']);
  expect(await world.read(pool, of('s2'))).toBe('one');
});

test.each(['before', 'after'])('a rename of a snapshot cut off %s its new link goes on', async (when) => {
  await using world = simulated();
  const { pool } = await world.create();
  await pool.createVolume(data, put('one'), world.wait);
  await pool.copyVolume(data, of('s1'), world.wait);
  await pool.renameVolume(of('s1'), of('s2'), world.wait);
  symlinkSync('../../custom/default_my_data/.snap/s1', pool.volumePath(of('s1')));
  if (when === 'before') rmSync(pool.volumePath(of('s2')));
  await pool.renameVolume(of('s1'), of('s2'), world.wait);
  expect(await pool.snapshots(data)).toEqual(['s2']);
  expect(await world.read(pool, of('s2'))).toBe('one');
});

test('instances are refused', async () => {
  await using world = simulated();
  const { pool } = await world.create();
  const c1: VolumeRef = { type: 'container', project: 'default', name: 'c1' };
  await expect(pool.createVolume(c1, undefined, world.wait)).rejects.toThrow('custom volumes only');
});

test('what others are at work on stays, and what is long forgotten goes', async () => {
  await using world = simulated();
  const { pool } = await world.create();
  // A crash between a snapshot and its link.
  await pool.createVolume(data, put('one'), world.wait);
  await world.host.run(['mkdir', '--', join(pool.volumePath(data), '.snap/s1')], world.wait);
  await world.write(pool, data, 'two');
  await pool.copyVolume(data, of('s1'), world.wait);
  expect(await world.read(pool, of('s1'))).toBe('two');
  mkdirSync(join(pool.path, 'custom/.partial-default_new'));
  await pool.mount(world.wait);
  expect(readdirSync(join(pool.path, 'custom')).sort()).toEqual(['.partial-default_new', 'default_my_data']);
});

test('what cannot be is refused, and nothing is left', async () => {
  const refused = async (config: Record<string, string>, says: string) => {
    await using world = simulated(config);
    writeFileSync(join(world.tools.files, 'precious'), '');
    await expect(world.open().create(world.wait)).rejects.toThrow(says);
    await world.open().delete(world.wait);
    expect(existsSync(join(world.dir, 'storage-pools/p1'))).toBe(false);
    expect(readdirSync(world.tools.files).sort()).toEqual(['pools', 'precious']);
    expect(await world.host.mounts()).toEqual([]);
  };
  await refused({}, 'Missing required source name/path');
  await refused({ source: 'otherfs' }, "The requested 'otherfs' CEPHFS doesn't exist");
  await refused({ source: 'myfs/pools/p1', 'cephfs.path': '/else' }, 'cephfs.path must match the source');
  await refused({ source: 'myfs' }, 'Only empty CEPHFS paths can be used as a LXD storage pool');
});
