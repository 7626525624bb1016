import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '@lxd-ts/core';
import { linuxHost } from '@lxd-ts/host';
import { storageDriver, storageDrivers, type Fill, type VolumeRef } from '@lxd-ts/storage';
import { differences, makeOddTree } from '../support/odd-tree.ts';
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
  /** Its filesystem limits directories. */
  quotas?: boolean;
  /** What it needs and this machine has not. */
  missing?: () => string | undefined;
  /** Takes back what `config` made beside the place. */
  after?: (place: string) => void;
}

/** In a filesystem of its own, `fs` in the place. */
function overlayOn(...mkfs: [string, ...string[]]): Place {
  return {
    driver: 'overlay',
    config: (place) => {
      const fs = join(place, 'fs');
      mkdirSync(fs);
      execFileSync('truncate', ['-s', '400M', join(place, 'fs.img')]);
      execFileSync(mkfs[0], [...mkfs.slice(1), join(place, 'fs.img')]);
      // As systemd has it.
      execFileSync('mount', ['-o', 'loop,shared', join(place, 'fs.img'), fs]);
      // What ext4 makes for itself is not the pool's.
      mkdirSync(join(fs, 'containers/pool'), { recursive: true });
      return { source: join(fs, 'containers/pool') };
    },
  };
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

/** `fs` in the place: a filesystem that counts by project. */
function mountCounting(place: string): string {
  const [image, fs] = [join(place, 'fs.img'), join(place, 'fs')];
  execFileSync('truncate', ['-s', '300M', image]);
  execFileSync('mkfs.ext4', ['-q', '-O', 'project,quota', '-E', 'quotatype=prjquota', image]);
  mkdirSync(fs);
  execFileSync('mount', ['-o', 'loop,prjquota', image, fs], { stdio: 'pipe' });
  mkdirSync(join(fs, 'pool'));
  return join(fs, 'pool');
}
function noProjectQuotas(): string | undefined {
  const place = mkdtempSync('/tmp/lxd-ts-quotas-');
  try {
    mountCounting(place);
    execFileSync('umount', [join(place, 'fs')]);
    return undefined;
  } catch {
    return 'no project quotas in the kernel';
  } finally {
    rmSync(place, { recursive: true });
  }
}

const places: Record<string, Place> = {
  'dir on ext4 with project quotas': {
    driver: 'dir',
    quotas: true,
    missing: noProjectQuotas,
    config: (place) => ({ source: mountCounting(place) }),
  },
  'overlay of its own': {
    driver: 'overlay',
    config: (place) => {
      execFileSync('mount', ['-o', 'bind,shared', place, place]);
      return {};
    },
  },
  'overlay on ext4': overlayOn('mkfs.ext4', '-q'),
  'overlay on xfs': overlayOn('mkfs.xfs', '-q'),
  'overlay on btrfs': overlayOn('mkfs.btrfs', '-q'),
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
  'zfs on a block device': {
    driver: 'zfs',
    mounted: true,
    missing: noZfs,
    config: (place) => ({ source: device(place, '1G'), 'zfs.pool_name': 'lxd-ts-test' }),
    after: dropDevice,
  },
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
  quotas,
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
    overlayProgram: resolve('packages/liblxc/build/lxd-ts-overlay'),
    quotaProgram: resolve('packages/liblxc/build/lxd-ts-quota'),
    pool: { name: 'p1', driver: type, config: config(place) },
    directories: !mounted,
    ...(limit === undefined ? {} : { limit }),
    ...(quotas === undefined ? {} : { quotas }),
    [Symbol.asyncDispose]: async () => {
      await host.unmount(join(dir, 'storage-pools/p1'), wait);
      await host.unmount(join(place, 'fs'), wait);
      await host.unmount(place, wait);
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

describe.each(Object.keys(places).filter((name) => places[name]?.driver === 'overlay'))('%s', (name) => {
  const c1: VolumeRef = { type: 'container', project: 'default', name: 'c1' };
  const fingerprint = 'f'.repeat(64);
  const image: VolumeRef = { type: 'image', project: 'default', name: fingerprint };
  const makePlain = async (directory: string) => {
    mkdirSync(directory);
    await makeOddTree(directory);
    for (const one of ['usr/share/doc', 'opt/moving/deep', 'srv'])
      mkdirSync(join(directory, 'rootfs', one), { recursive: true });
    for (const one of ['usr/share/doc/file', 'opt/moving/deep/file', 'srv/gone'])
      writeFileSync(join(directory, 'rootfs', one), 'in the image');
  };
  const changes = `rm srv/gone etc/hostname; rm -r usr/share; mkdir -p usr/share/other; echo new >usr/share/other/file
    mv opt/moving opt/moved; echo more >>opt/moved/deep/file; ln opt/moved/deep/file etc/linked
    chown 1000:2000 opt/moved; setfattr -n user.colour -v blue opt/moved; mkdir -m 2755 srv/new; mkfifo srv/fifo
    touch -d @1600000000 opt/moved/deep/file usr/share/other/file srv/* usr/share/other usr/share usr opt/moved/deep opt/moved opt srv etc .`;
  const change = (directory: string) =>
    execFileSync('sh', ['-ec', `cd "$1/rootfs"\n${changes}`, 'sh', directory]);

  test('layers: what is gone, replaced or moved is so in every copy, and the image stays what it is', async () => {
    await using world = await makeWorld(places[name]!);
    const config = await world.driver.open(world.pool, world).create(wait);
    const pool = world.driver.open({ ...world.pool, config }, world);
    const plain = join(world.dir, 'plain');
    await makePlain(plain);
    const fill: Fill = (directory) => {
      execFileSync('cp', ['-a', `${plain}/.`, directory]);
      return Promise.resolve();
    };
    await pool.createFromImage(c1, fingerprint, fill, wait);
    change(plain);
    {
      await using use = await pool.useVolume(c1, wait);
      change(use.path);
    }
    const same = async (volume: VolumeRef, of = pool) => {
      await using use = await of.useVolume(volume, { ...wait, readonly: true });
      expect([volume, differences(plain, use.path)]).toEqual([volume, '']);
    };
    await same(c1);
    const s1 = { ...c1, snapshot: 's1' };
    const [copy, again] = [
      { ...c1, name: 'copy' },
      { ...c1, name: 'again' },
    ];
    await pool.copyVolume(c1, s1, { ...wait, still: (work) => work() });
    await pool.copyVolume(s1, copy, wait);
    const map = [{ Isuid: true, Isgid: true, Hostid: 1_000_000, Nsid: 0, Maprange: 65_536 }];
    await pool.holdVolume(copy, map, wait);
    expect(lstatSync(join(pool.volumePath(copy), 'rootfs/opt/moved')).uid).toBe(1_001_000);
    // While it runs, it is changed in place and copied.
    await pool.copyVolume(copy, again, { ...wait, still: (work) => work() });
    await same(copy);
    await expect(pool.deleteVolume(copy, wait)).rejects.toMatchObject({ code: 'conflict' });
    await expect(pool.useVolume(copy, wait)).rejects.toMatchObject({ code: 'conflict' });
    await pool.releaseVolume(copy, wait);
    for (const volume of [s1, copy, again]) await same(volume);
    await pool.replaceVolume(s1, again, wait);
    await same(again);
    // Nothing of the image was changed on the way, and it stays for as long as it is below any of them.
    const fresh = { ...c1, name: 'fresh' };
    await pool.createFromImage(fresh, fingerprint, fill, wait);
    {
      await using use = await pool.useVolume(fresh, wait);
      expect(differences(pool.volumePath(image), use.path)).toBe('');
    }
    const layers = join(pool.path, 'layers');
    await pool.deleteVolume(image, wait);
    expect(await pool.volumes('image')).toEqual([]);
    expect(readdirSync(layers)).toContain(fingerprint);
    await same(again);
    for (const volume of [c1, copy]) await pool.deleteVolume(volume, wait);
    await same(again);
    const reborn = world.driver.open({ ...world.pool, config }, { ...world, host: { ...host } });
    await reborn.mount(wait);
    expect(readdirSync(layers).sort()).toEqual([fingerprint, 'none']);
    for (const volume of [again, fresh]) await reborn.deleteVolume(volume, wait);
    expect(readdirSync(layers)).toEqual(['none']);
    await reborn.delete(wait);
    expect(existsSync(pool.path)).toBe(false);
  });
});

test('a filesystem that cannot carry layers is refused, and nothing is left in it', async () => {
  await using world = await makeWorld(places['overlay of its own']!);
  const place = join(world.dir, '../layered');
  for (const one of ['lower', 'upper', 'work', 'seen']) mkdirSync(join(place, one), { recursive: true });
  const [lower, upper, work, seen] = ['lower', 'upper', 'work', 'seen'].map((one) => join(place, one));
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  execFileSync('mount', ['-t', 'overlay', '-o', options, 'overlay', seen!]);
  try {
    const pool = world.driver.open({ ...world.pool, config: { source: seen! } }, world);
    await expect(pool.create(wait)).rejects.toThrow(/on a filesystem that cannot carry the layers/);
    expect(readdirSync(seen!)).toEqual([]);
    expect(existsSync(pool.path)).toBe(false);
  } finally {
    execFileSync('umount', [seen!]);
  }
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
