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

const wait = { signal: AbortSignal.timeout(1_800_000) };
const host = linuxHost();

interface Place {
  driver: string;
  /** It holds no instances: the suite is not for it. */
  customOnly?: boolean;
  config: (place: string) => Config;
  /** Its volumes are something else than directories of the pool. */
  mounted?: boolean;
  limit?: number;
  /** What it needs and this machine has not. */
  missing?: () => string | undefined;
  /** Takes back what `config` made beside the place. */
  after?: (place: string) => void;
}

/** A program's output; empty where it is not there, or fails. */
function say(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

const noLvm = () =>
  say('lvm', 'version').includes('Driver version') ? undefined : 'no lvm2, or no device mapper in the kernel';
const noZfs = () =>
  say('zfs', 'version').includes('zfs-kmod') ? undefined : 'no zfsutils-linux, or no zfs in the kernel';
/** A cluster that this machine is a client of, by /etc/ceph. */
const noCeph = () =>
  say('ceph', '--connect-timeout', '15', 'osd', 'stat') &&
  say('modinfo', '-n', 'rbd') &&
  say('modinfo', '-n', 'ceph')
    ? undefined
    : 'no Ceph cluster, or no rbd or ceph in the kernel';
const noXfs = () => noLvm() ?? (say('mkfs.xfs', '-V') ? undefined : 'no xfsprogs');

/** A block device of its own: a loop device. */
function device(place: string, bytes: string): string {
  const file = join(place, 'device.img');
  execFileSync('truncate', ['-s', bytes, file]);
  return execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' }).trim();
}
const dropDevice = (place: string) => {
  const name = say('losetup', '--noheadings', '--output', 'NAME', '--associated', join(place, 'device.img'));
  if (name.trim()) execFileSync('losetup', ['--detach', name.trim()]);
};

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
  'zfs in a loop file': { driver: 'zfs', mounted: true, missing: noZfs, config: () => ({ size: '1GiB' }) },
  "zfs in the user's zpool": {
    driver: 'zfs',
    mounted: true,
    missing: noZfs,
    config: (place) => {
      execFileSync('zpool', ['create', '-m', 'none', 'lxd-ts-test', device(place, '1G')]);
      return { source: 'lxd-ts-test/pools/p1' };
    },
    after: (place) => {
      execFileSync('zpool', ['destroy', '-f', 'lxd-ts-test']);
      dropDevice(place);
    },
  },
  ceph: {
    driver: 'ceph',
    mounted: true,
    missing: noCeph,
    config: () => ({ source: 'lxd-ts-test', 'volume.size': '1GiB' }),
    limit: 256 * 1024 * 1024,
  },
  // Its filesystem is one that the cluster has.
  cephfs: {
    driver: 'cephfs',
    customOnly: true,
    missing: () =>
      noCeph() ?? (say('ceph', 'fs', 'get', 'lxd-ts-test') ? undefined : 'no CephFS "lxd-ts-test"'),
    config: () => ({ source: 'lxd-ts-test/pools/p1' }),
  },
  'lvm in a loop file': {
    driver: 'lvm',
    mounted: true,
    missing: noLvm,
    config: () => ({ size: '6GiB' }),
    limit: 256 * 1024 * 1024,
  },
  'lvm on a block device, with xfs': {
    driver: 'lvm',
    mounted: true,
    missing: noXfs,
    config: (place) => ({
      source: device(place, '6G'),
      'volume.block.filesystem': 'xfs',
      'volume.size': '400MiB',
    }),
    limit: 512 * 1024 * 1024,
    after: dropDevice,
  },
  "lvm in the user's volume group, with btrfs": {
    driver: 'lvm',
    mounted: true,
    missing: noLvm,
    config: (place) => {
      execFileSync('vgcreate', ['-q', 'lxd-ts-test', device(place, '6G')], { stdio: 'ignore' });
      return {
        source: 'lxd-ts-test',
        'volume.block.filesystem': 'btrfs',
        'volume.size': '300MiB',
      };
    },
    limit: 512 * 1024 * 1024,
    after: (place) => {
      execFileSync('vgremove', ['-q', '--yes', '--force', 'lxd-ts-test'], { stdio: 'ignore' });
      dropDevice(place);
    },
  },
};

async function makeWorld({
  driver: type,
  config,
  mounted = false,
  limit,
  after,
}: Place): Promise<StorageWorld> {
  const place = mkdtempSync('/tmp/lxd-ts-storage-');
  chmodSync(place, 0o711);
  const dir = join(place, 'daemon');
  mkdirSync(dir);
  return Promise.resolve({
    driver: storageDriver(type)!,
    host,
    dir,
    pool: { name: 'p1', driver: type, config: config(place) },
    directories: !mounted,
    ...(limit === undefined ? {} : { limit }),
    [Symbol.asyncDispose]: async () => {
      await host.unmount(join(dir, 'storage-pools/p1'), wait);
      await host.unmount(join(place, 'fs'), wait);
      after?.(place);
      rmSync(place, { recursive: true });
    },
  });
}

test('every driver has a place here', () => {
  const tested = new Set(Object.values(places).map(({ driver }) => driver));
  expect([...tested].sort()).toEqual(storageDrivers.map(({ type }) => type).sort());
});

for (const [name, place] of Object.entries(places)) {
  const missing = place.missing?.();
  if (missing) console.log(`skipped: ${name}: ${missing}`);
  (missing ? describe.skip : describe)(name, () => {
    if (place.customOnly) customVolumes(place);
    else storageSuite(() => makeWorld(place));
  });
}

function customVolumes(place: Place): void {
  test('custom volumes have snapshots, go back to them, are copied, and are renamed with them', async () => {
    await using world = await makeWorld(place);
    const config = await world.driver.open(world.pool, world).create(wait);
    const pool = world.driver.open({ ...world.pool, config }, world);
    const data: VolumeRef = { type: 'custom', project: 'default', name: 'data' };
    const snapshot = { ...data, snapshot: 's1' };
    const text = (volume: VolumeRef) => join(pool.volumePath(volume), 'text');
    await pool.createVolume(data, undefined, wait);
    writeFileSync(text(data), 'one');
    await pool.copyVolume(data, snapshot, wait);
    writeFileSync(text(data), 'two');
    expect(readFileSync(text(snapshot), 'utf8')).toBe('one');
    expect(() => writeFileSync(text(snapshot), 'no')).toThrow(/EROFS/);
    const copy = { ...data, name: 'copy' };
    await pool.copyVolume(snapshot, { ...copy, snapshot: 's1' }, wait);
    await pool.copyVolume(data, copy, wait);
    await pool.replaceVolume(snapshot, data, wait);
    expect(readFileSync(text(data), 'utf8')).toBe('one');
    const moved = { ...data, name: 'moved' };
    await pool.renameVolume(data, moved, wait);
    expect(readFileSync(text({ ...moved, snapshot: 's1' }), 'utf8')).toBe('one');
    expect(readFileSync(text(copy), 'utf8')).toBe('two');
    await pool.setQuota(copy, 1024 * 1024, wait);
    expect(await pool.volumeUsage(copy, wait)).toBeGreaterThanOrEqual(0);
    await pool.unmount(wait);
    await pool.mount(wait);
    expect(await pool.snapshots(moved)).toEqual(['s1']);
    for (const volume of [copy, moved]) await pool.deleteVolume(volume, wait);
    await pool.delete(wait);
    expect(existsSync(pool.path)).toBe(false);
  });
}

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
  const full = join(world.dir, 'full');
  mkdirSync(full);
  writeFileSync(join(full, 'precious'), '');
  const create = (driver: string, source: string) =>
    storageDriver(driver)!.open({ name: 'p1', driver, config: { source } }, world).create(wait);
  await expect(create('dir', full)).rejects.toThrow(/isn't empty/);
  await expect(create('dir', join(world.dir, 'absent'))).rejects.toThrow(/doesn't exist/);
  await expect(create('btrfs', join(world.dir, 'absent'))).rejects.toThrow(/doesn't exist/);
  await expect(create('btrfs', '/proc')).rejects.toThrow(/btrfs/);
  expect(readdirSync(full)).toEqual(['precious']);
  expect(existsSync(join(world.dir, 'storage-pools/p1'))).toBe(false);
});
