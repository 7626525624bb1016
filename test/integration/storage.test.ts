import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Config } from '@lxd-ts/core';
import { linuxHost } from '@lxd-ts/host';
import { storageDriver, storageDrivers, type VolumeRef } from '@lxd-ts/storage';
import { storageSuite, type StorageWorld } from '../../packages/storage/src/testing/storage-suite.ts';

const wait = { signal: AbortSignal.timeout(600_000) };
const host = linuxHost();

interface Place {
  driver: string;
  config: (place: string) => Config;
}

const places: Record<string, Place> = {
  'dir of its own': { driver: 'dir', config: () => ({}) },
  'dir of the user': {
    driver: 'dir',
    config: (place) => {
      mkdirSync(join(place, 'given'));
      return { source: join(place, 'given') };
    },
  },
  'btrfs in a loop file': { driver: 'btrfs', config: () => ({ size: '300MiB' }) },
  'btrfs in a directory of a filesystem': {
    driver: 'btrfs',
    // Its path has the name of one of our directories in it.
    config: (place) => {
      const fs = join(place, 'fs');
      mkdirSync(fs);
      execFileSync('truncate', ['-s', '300M', join(place, 'fs.img')]);
      execFileSync('mkfs.btrfs', ['-q', join(place, 'fs.img')]);
      execFileSync('mount', ['-o', 'loop', join(place, 'fs.img'), fs]);
      mkdirSync(join(fs, 'images/pool'), { recursive: true });
      return { source: join(fs, 'images/pool') };
    },
  },
};

async function makeWorld({ driver: type, config }: Place): Promise<StorageWorld> {
  const place = mkdtempSync('/tmp/lxd-ts-storage-');
  chmodSync(place, 0o711);
  const dir = join(place, 'daemon');
  mkdirSync(dir);
  return Promise.resolve({
    driver: storageDriver(type)!,
    host,
    dir,
    pool: { name: 'p1', driver: type, config: config(place) },
    [Symbol.asyncDispose]: async () => {
      await host.unmount(join(dir, 'storage-pools/p1'), wait);
      await host.unmount(join(place, 'fs'), wait);
      rmSync(place, { recursive: true });
    },
  });
}

test('every driver has a place here', () => {
  const tested = new Set(Object.values(places).map(({ driver }) => driver));
  expect([...tested].sort()).toEqual(storageDrivers.map(({ type }) => type).sort());
});

describe.each(Object.entries(places))('%s', (_name, place) => {
  storageSuite(() => makeWorld(place));
});

describe.each(['btrfs in a loop file', 'btrfs in a directory of a filesystem'])('%s', (name) => {
  const c1: VolumeRef = { type: 'container', project: 'default', name: 'c1' };

  test('subvolumes that were made inside a volume go with it', async () => {
    await using world = await makeWorld(places[name]!);
    const created = await world.driver.open(world.pool, world).create(wait);
    const pool = world.driver.open({ ...world.pool, config: created }, world);
    await pool.createVolume(c1, undefined, wait);
    const inside = join(pool.volumePath(c1), 'machines');
    for (const path of [inside, join(inside, 'with space'), join(inside, 'with space/images')]) {
      execFileSync('btrfs', ['-q', 'subvolume', 'create', path]);
    }
    writeFileSync(join(inside, 'with space/images/kept'), 'deep');
    execFileSync('btrfs', ['property', 'set', '-ts', join(inside, 'with space/images'), 'ro', 'true']);
    const snapshot = { ...c1, snapshot: 's1' };
    await pool.copyVolume(c1, snapshot, wait);
    execFileSync('btrfs', ['property', 'set', '-ts', join(inside, 'with space/images'), 'ro', 'false']);
    writeFileSync(join(inside, 'with space/images/kept'), 'changed');
    const kept = (volume: VolumeRef) =>
      readFileSync(join(pool.volumePath(volume), 'machines/with space/images/kept'), 'utf8');
    expect(kept(snapshot)).toBe('deep');
    await pool.replaceVolume(snapshot, c1, wait);
    expect(kept(c1)).toBe('deep');
    expect(readdirSync(join(pool.path, 'containers-snapshots/c1'))).toEqual(['s1']);
    await pool.deleteVolume(c1, wait);
    expect(readdirSync(join(pool.path, 'containers'))).toEqual([]);
    await pool.delete(wait);
  });

  test('a limit holds', async () => {
    await using world = await makeWorld(places[name]!);
    const created = await world.driver.open(world.pool, world).create(wait);
    const pool = world.driver.open({ ...world.pool, config: created }, world);
    await pool.createVolume(c1, undefined, wait);
    await pool.setQuota(c1, 8 * 1024 * 1024, wait);
    const file = join(pool.volumePath(c1), 'big');
    const write = () => {
      writeFileSync(file, Buffer.alloc(16 * 1024 * 1024, 1));
      execFileSync('sync', ['-f', file]);
    };
    // EDQUOT, which Node has no name for.
    expect(write).toThrow(expect.objectContaining({ errno: -122 }) as Error);
    await pool.setQuota(c1, undefined, wait);
    expect(write).not.toThrow();
    await pool.deleteVolume(c1, wait);
    await pool.delete(wait);
  });
});

test('a source that is not empty, not there or not btrfs is refused and left alone', async () => {
  await using world = await makeWorld(places['dir of its own']!);
  const full = join(world.dir, '../full');
  mkdirSync(full);
  writeFileSync(join(full, 'precious'), '');
  const create = (driver: string, source: string) =>
    storageDriver(driver)!.open({ name: 'p1', driver, config: { source } }, world).create(wait);
  await expect(create('dir', full)).rejects.toThrow(/isn't empty/);
  for (const driver of ['dir', 'btrfs'])
    await expect(create(driver, join(world.dir, '../absent'))).rejects.toThrow(/doesn't exist/);
  await expect(create('dir', world.dir)).rejects.toThrow(/within the LXD directory/);
  await expect(create('btrfs', join(world.dir, 'absent'))).rejects.toThrow(/Only allowed source path/);
  await expect(create('btrfs', '/proc')).rejects.toThrow(/btrfs/);
  expect(readdirSync(full)).toEqual(['precious']);
  expect(existsSync(join(world.dir, 'storage-pools/p1'))).toBe(false);
});
