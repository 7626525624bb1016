import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkConfig } from '@lxd-ts/core';
import type { Fill, VolumeRef } from '../driver.ts';
import { SimulatedWorld } from '../testing/simulated-world.ts';
import { SimulatedZfs } from '../testing/simulated-zfs.ts';
import { crashSuite } from '../testing/crash-suite.ts';
import { storageSuite } from '../testing/storage-suite.ts';
import { zfs } from './zfs.ts';

function simulated(config: Record<string, string>) {
  const world = new SimulatedWorld(zfs, config, (disks) => new SimulatedZfs(disks));
  world.tools.addPool('tank');
  return world;
}
const c1: VolumeRef = { type: 'container', project: 'default', name: 'c1' };
const c2: VolumeRef = { ...c1, name: 'c2' };
const of = (snapshot: string): VolumeRef => ({ ...c1, snapshot });
const put =
  (text: string): Fill =>
  (directory) => {
    writeFileSync(join(directory, 'text'), text);
    return Promise.resolve();
  };
/** Names below the pool's dataset, what is random in them left out. */
const names = ({ tools }: { tools: SimulatedZfs }) =>
  [...tools.datasets.keys()]
    .filter((name) => /^p1\/.*[/@]/.test(name))
    .map((name) => name.slice(3).replaceAll(/[0-9a-f]{8}-[0-9a-f-]+/g, '*'))
    .sort();

describe('in a loop file, by simulated tools', () => {
  storageSuite(() => Promise.resolve(simulated({ size: '6GiB' })));
});

describe('in a dataset, by simulated tools', () => {
  storageSuite(() => Promise.resolve(simulated({ source: 'tank/lxd' })));
});

test('a volume goes back to an older snapshot and keeps the later ones', async () => {
  await using world = simulated({ size: '6GiB' });
  const { pool } = await world.create();
  await pool.createVolume(c1, put('one'), world.wait);
  await pool.copyVolume(c1, of('s1'), world.wait);
  await world.write(pool, c1, 'two');
  await pool.copyVolume(c1, of('s2'), world.wait);
  await world.write(pool, c1, 'three');
  await pool.replaceVolume(of('s2'), c1, world.wait);
  expect(await world.read(pool, c1)).toBe('two');
  await pool.replaceVolume(of('s1'), c1, world.wait);
  expect(await world.read(pool, c1)).toBe('one');
  expect(await world.read(pool, of('s2'))).toBe('two');
  expect(names(world)).toEqual(['containers/c1', 'containers/c1@snapshot-s1', 'containers/c1@snapshot-s2']);
});

test('what others were cloned from stays for them, by another name, and goes with the last', async () => {
  await using world = simulated({ size: '6GiB' });
  const { pool } = await world.create();
  await pool.createVolume(c1, put('one'), world.wait);
  await pool.copyVolume(c1, of('s1'), world.wait);
  await pool.copyVolume(of('s1'), c2, world.wait);
  await pool.copyVolume(c2, { ...c1, name: 'c3' }, world.wait);
  await pool.deleteVolume(of('s1'), world.wait);
  expect(await pool.snapshots(c1)).toEqual([]);
  await pool.deleteVolume(c1, world.wait);
  await pool.createVolume(c1, put('another'), world.wait);
  await pool.deleteVolume(c2, world.wait);
  expect(names(world)).toEqual([
    'containers/c1',
    'containers/c3',
    'deleted/containers',
    'deleted/containers/*',
    'deleted/containers/*',
    'deleted/containers/*@copy-*',
    'deleted/containers/*@deleted-*',
  ]);
  expect(await world.read(pool, { ...c1, name: 'c3' })).toBe('one');
  await pool.deleteVolume({ ...c1, name: 'c3' }, world.wait);
  expect(names(world)).toEqual(['containers/c1', 'deleted/containers']);
});

test('what a crash left of a copy or a deletion is gone after the next mount', async () => {
  await using world = simulated({ size: '6GiB' });
  const { pool } = await world.create();
  await pool.createVolume(c1, put('one'), world.wait);
  for (const argv of [
    ['zfs', 'snapshot', 'p1/containers/c1@copy-0123'],
    ['zfs', 'create', '-p', 'p1/containers/.partial-c9'],
    ['zfs', 'create', '-p', 'p1/deleted/containers/0123'],
    ['zfs', 'snapshot', 'p1/deleted/containers/0123@snapshot-s1'],
  ] as [string, ...string[]][])
    await world.host.run(argv, world.wait);
  await pool.unmount(world.wait);
  await pool.mount(world.wait);
  expect(names(world)).toEqual(['containers/c1', 'deleted/containers']);
});

test('full copies share nothing, where they are wanted', async () => {
  await using world = simulated({ size: '6GiB', 'zfs.clone_copy': 'false' });
  const { pool } = await world.create();
  await pool.createVolume(c1, put('one'), world.wait);
  await pool.copyVolume(c1, c2, world.wait);
  expect(names(world)).toEqual(['containers/c1', 'containers/c2']);
  expect(await world.read(pool, c2)).toBe('one');
});

test('limits are quotas, and set aside where that is wanted', async () => {
  await using world = simulated({ size: '6GiB' });
  const { pool, config } = await world.create();
  await pool.createVolume(c1, undefined, world.wait);
  const properties = () => Object.fromEntries(world.tools.datasets.get('p1/containers/c1')?.properties ?? []);
  await pool.setQuota(c1, 1000, world.wait);
  expect(properties()).toEqual({ quota: '1000' });
  const options = { 'volume.zfs.use_refquota': 'true', 'volume.zfs.reserve_space': 'true' };
  await world.open({ ...config, ...options }).setQuota(c1, undefined, world.wait);
  expect(properties()).toEqual({ quota: '1000', refquota: 'none', refreservation: 'none' });
});

test('what cannot be is refused and left alone', async () => {
  const refused = async (config: Record<string, string>, says: string) => {
    await using world = simulated(config);
    await world.host.run(['zfs', 'create', '-p', 'tank/full/precious'], world.wait);
    const before = [...world.tools.datasets.keys()];
    await expect(world.open().create(world.wait)).rejects.toThrow(says);
    await world.open().delete(world.wait);
    expect([...world.tools.datasets.keys()]).toEqual(before);
    expect(existsSync(join(world.dir, 'storage-pools/p1'))).toBe(false);
  };
  await refused({ source: 'absent' }, 'The requested zpool "absent" does not exist');
  await refused({ source: 'tank' }, 'Provided ZFS pool (or dataset) "tank" isn\'t empty');
  await refused({ source: 'tank/full' }, 'Provided ZFS pool (or dataset) "tank/full" isn\'t empty');
  await refused({ source: '/dev/absent' }, 'Custom loop file locations are not supported');
  await refused({ 'zfs.pool_name': 'tank' }, 'The zpool "tank" exists already');
});

test('a zpool that was exported is found again before its pool is thought to hold nothing', async () => {
  await using world = simulated({ source: 'tank/lxd' });
  const { pool } = await world.create();
  await pool.createVolume(c1, put('one'), world.wait);
  await pool.unmount(world.wait);
  await world.host.run(['zpool', 'export', 'tank'], world.wait);
  await expect(pool.delete(world.wait)).rejects.toMatchObject({ code: 'conflict' });
  await pool.mount(world.wait);
  expect(await world.read(pool, c1)).toBe('one');
  await pool.deleteVolume(c1, world.wait);
  await pool.delete(world.wait);
});

test('a creation that was cut off does not stand in the way, nor does somebody else’s file go', async () => {
  await using world = simulated({ size: '6GiB' });
  mkdirSync(join(world.dir, 'disks'));
  writeFileSync(join(world.dir, 'disks/p1.img.partial-new'), '');
  await world.open().create(world.wait);
  expect(readdirSync(join(world.dir, 'disks'))).toEqual(['p1.img']);
  await using other = simulated({ size: '6GiB' });
  mkdirSync(join(other.dir, 'disks'));
  writeFileSync(join(other.dir, 'disks/p1.img'), 'precious');
  await expect(other.open().create(other.wait)).rejects.toMatchObject({ code: 'conflict' });
  await other.open().delete(other.wait);
  expect(readdirSync(join(other.dir, 'disks'))).toEqual(['p1.img']);
});

test('its options are checked', () => {
  const check = (key: string, value: string) => () => checkConfig(zfs.schema, { [key]: value }, 'pool');
  for (const wrong of ['1000', '256', '32MiB', 'x']) expect(check('volume.zfs.blocksize', wrong)).toThrow();
  for (const right of ['512', '128KiB', '16MiB']) expect(check('volume.zfs.blocksize', right)).not.toThrow();
  expect(check('zfs.clone_copy', 'rebase')).not.toThrow();
  expect(check('zfs.clone_copy', 'perhaps')).toThrow();
});

test('without the kernel module it says so', async () => {
  await using world = simulated({});
  world.disks.tool('zfs', () => ({ status: 1, stderr: 'The ZFS modules are not loaded.\n' }));
  expect(await zfs.probe(world.host, world.wait)).toBeUndefined();
  await expect(world.open().create(world.wait)).rejects.toMatchObject({ code: 'unsupported' });
});

crashSuite(
  () => simulated({ size: '6GiB' }),
  (world) => [...world.tools.datasets.keys()].filter((name) => name !== 'tank'),
);
