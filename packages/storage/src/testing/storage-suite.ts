import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { checkConfig, type PoolSpec } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import type { Fill, StorageDriver, StoragePool, VolumeRef } from '../driver.ts';

/** One place a driver can have a pool in. */
export interface StorageWorld extends AsyncDisposable {
  driver: StorageDriver;
  host: Host;
  /** The daemon's directory. */
  dir: string;
  overlayProgram: string;
  /** The program that limits directories. */
  quotaProgram: string;
  /** As the user gives it, before `create` has completed it. */
  pool: PoolSpec;
  /** Volumes are directories of the pool: what a crash leaves half done can be made by hand. */
  directories: boolean;
  /** Whether it limits volumes, where that is the filesystem's to say. */
  quotas?: boolean;
  /** Bytes that a volume can be limited to; where its filesystem cannot be made smaller, more than it has. */
  limit?: number;
  /** Where the bytes of a device are to be found, when it is a simulated one. */
  image?(device: string): string;
  /** By tools that are simulated: any user can run it, and nothing keeps anybody from writing. */
  simulated?: boolean;
}

const container = (name: string, project = 'default'): VolumeRef => ({ type: 'container', project, name });
const fingerprint = 'f'.repeat(64);

/** What holds for every storage driver, on a real filesystem. */
export function storageSuite(makeWorld: () => Promise<StorageWorld>): void {
  let world: StorageWorld;
  let spec: PoolSpec;
  let pool: StoragePool;
  let fills = 0;
  const wait = { signal: AbortSignal.timeout(1_800_000) };

  const fill: Fill = async (directory) => {
    fills += 1;
    mkdirSync(join(directory, 'rootfs/etc'), { recursive: true });
    writeFileSync(join(directory, 'rootfs/etc/hostname'), 'image\n');
  };
  const within = async <T>(
    volume: VolumeRef,
    work: (path: string) => T,
    { readonly = false }: { readonly?: boolean } = {},
  ): Promise<T> => {
    await using use = await pool.useVolume(volume, { ...wait, readonly });
    return work(use.path);
  };
  const hostname = 'rootfs/etc/hostname';
  const read = (volume: VolumeRef) =>
    within(volume, (path) => readFileSync(join(path, hostname), 'utf8'), { readonly: true });
  const write = (volume: VolumeRef, text: string) =>
    within(volume, (path) => {
      writeFileSync(join(path, hostname), text);
    });
  const modeOf = (volume: VolumeRef) => within(volume, (path) => lstatSync(path).mode & 0o777);
  /** What is mounted of its volumes. */
  const mounted = async () =>
    (await world.host.mounts()).map(({ target }) => target).filter((one) => one.startsWith(`${pool.path}/`));
  const names = async (type: VolumeRef['type']) =>
    (await pool.volumes(type)).map(({ project, name }) => `${project}/${name}`).sort();
  /** A handle as another process would have it. */
  const again = () => world.driver.open(spec, world);

  beforeAll(async () => {
    world = await makeWorld();
    const config = await world.driver.open(world.pool, world).create(wait);
    spec = { ...world.pool, config };
    pool = again();
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  test('is an inert object whose schema accepts what it completes', () => {
    expect(() => checkConfig(world.driver.schema, spec.config, 'pool')).not.toThrow();
    expect(() => checkConfig(world.driver.schema, { nonsense: '1' }, 'pool')).toThrow(/unknown key/);
    expect(Object.values(world.driver.schema).every(({ description }) => description !== '')).toBe(true);
    expect(spec.config['source']).toBeTruthy();
  });

  test('can run here, and says its version', async () => {
    expect(await world.driver.probe(world.host, wait)).toMatch(/^\d/);
  });

  test('a volume is made whole, listed, private, and made once', async () => {
    const c1 = container('c1');
    expect(await pool.exists(c1)).toBe(false);
    await pool.createVolume(c1, fill, wait);
    await pool.createVolume(c1, fill, wait);
    expect(fills).toBe(1);
    expect(await again().exists(c1)).toBe(true);
    expect(await names('container')).toEqual(['default/c1']);
    expect(await read(c1)).toBe('image\n');
    expect(await modeOf(c1)).toBe(0o100);
    await pool.createVolume(container('c1', 'blue'), undefined, wait);
    expect(await names('container')).toEqual(['blue/c1', 'default/c1']);
    await pool.deleteVolume(container('c1', 'blue'), wait);
  });

  test('a fill that fails leaves nothing', async () => {
    const failing: Fill = async (directory) => {
      writeFileSync(join(directory, 'half'), '');
      throw new Error('no more');
    };
    await expect(pool.createVolume(container('half'), failing, wait)).rejects.toThrow('no more');
    expect(await pool.exists(container('half'))).toBe(false);
    if (world.directories) expect(readdirSync(join(pool.path, 'containers'))).toEqual(['c1']);
  });

  test('a copy is independent of what it was made from', async () => {
    await pool.copyVolume(container('c1'), container('copy'), wait);
    await pool.copyVolume(container('c1'), container('copy'), wait);
    await write(container('copy'), 'copy\n');
    expect(await read(container('c1'))).toBe('image\n');
    expect(await modeOf(container('copy'))).toBe(0o100);
  });

  test('a rename moves all, and never onto another', async () => {
    await expect(pool.renameVolume(container('copy'), container('c1'), wait)).rejects.toMatchObject({
      code: 'conflict',
    });
    await pool.renameVolume(container('copy'), container('moved'), wait);
    expect(await pool.exists(container('copy'))).toBe(false);
    expect(await read(container('moved'))).toBe('copy\n');
  });

  test('a snapshot stays what the volume was, and cannot be written to where the driver can help it', async () => {
    const s1 = { ...container('c1'), snapshot: 's1' };
    await pool.copyVolume(container('c1'), s1, wait);
    await pool.copyVolume(container('c1'), s1, wait);
    expect(await pool.snapshots(container('c1'))).toEqual(['s1']);
    expect(pool.volumePath(s1)).toBe(join(pool.path, 'containers-snapshots/c1/s1'));
    await write(container('c1'), 'changed\n');
    expect(await read(s1)).toBe('image\n');
    if (world.driver.capabilities.optimizedCopy && !world.simulated)
      await expect(write(s1, 'no\n')).rejects.toThrow(/EROFS/);
    const bad = { ...container('c1'), snapshot: '../c1' };
    await expect(pool.copyVolume(container('c1'), bad, wait)).rejects.toMatchObject({ code: 'invalid' });
  });

  test('what is written to is copied while it stands still, for no longer than it takes', async () => {
    let stood = 0;
    const still = async (work: () => Promise<void>) => {
      stood += 1;
      await work();
    };
    const s2 = { ...container('c1'), snapshot: 's2' };
    await pool.copyVolume(container('c1'), s2, { ...wait, still });
    expect(stood).toBe(world.driver.capabilities.optimizedCopy ? 0 : 1);
    expect(await read(s2)).toBe('changed\n');
    expect(await modeOf(s2)).toBe(0o100);
  });

  test('a volume goes back to its snapshot, again and again, whatever a crash left', async () => {
    const s1 = { ...container('c1'), snapshot: 's1' };
    if (world.directories)
      mkdirSync(join(pool.path, 'containers/.partial-c1.new/rootfs'), { recursive: true });
    for (const _ of [1, 2]) {
      await write(container('c1'), 'changed again\n');
      await pool.replaceVolume(s1, container('c1'), wait);
      expect(await read(container('c1'))).toBe('image\n');
    }
    await write(container('c1'), 'image\n');
    expect(await modeOf(container('c1'))).toBe(0o100);
    if (!world.directories) return;
    // Cut off between taking the old one away and putting the new one in its place.
    await pool.copyVolume(s1, container('cut'), wait);
    await pool.copyVolume(container('cut'), { ...container('cut'), snapshot: 's1' }, wait);
    execFileSync('mv', [pool.volumePath(container('cut')), join(pool.path, 'containers/.partial-cut')]);
    await pool.replaceVolume({ ...container('cut'), snapshot: 's1' }, container('cut'), wait);
    expect(await read(container('cut'))).toBe('image\n');
    await pool.deleteVolume(container('cut'), wait);
    expect(readdirSync(join(pool.path, 'containers'))).not.toContain('.partial-cut');
  });

  test('snapshots are renamed, are copied from, and go where their volume goes', async () => {
    const of = (name: string, snapshot: string) => ({ ...container(name), snapshot });
    await pool.renameVolume(of('c1', 's2'), of('c1', 'second'), wait);
    await expect(pool.renameVolume(of('c1', 's1'), of('c1', 'second'), wait)).rejects.toMatchObject({
      code: 'conflict',
    });
    await pool.copyVolume(of('c1', 'second'), container('from'), wait);
    await pool.copyVolume(of('c1', 'second'), of('from', 'second'), wait);
    await write(container('from'), 'mine\n');
    expect(await read(of('c1', 'second'))).toBe('changed\n');
    await pool.renameVolume(container('from'), container('to'), wait);
    expect(await pool.snapshots(container('from'))).toEqual([]);
    expect(await read(of('to', 'second'))).toBe('changed\n');
    await pool.deleteVolume(container('to'), wait);
    expect(await pool.snapshots(container('to'))).toEqual([]);
    for (const name of ['s1', 'second', 'second']) await pool.deleteVolume(of('c1', name), wait);
    expect(readdirSync(join(pool.path, 'containers-snapshots'))).toEqual([]);
    expect(await names('container')).toEqual(['default/c1', 'default/moved']);
  });

  test('custom volumes have their own place, whatever underscores their names have', async () => {
    const volume: VolumeRef = { type: 'custom', project: 'blue', name: 'my_data' };
    await pool.createVolume(volume, undefined, wait);
    expect(pool.volumePath(volume)).toBe(join(pool.path, 'custom/blue_my_data'));
    expect(await pool.volumes('custom')).toEqual([volume]);
    await pool.deleteVolume(volume, wait);
    expect(await pool.volumes('custom')).toEqual([]);
  });

  describe('of content type block', () => {
    const block = (name: string, snapshot?: string): VolumeRef => ({
      ...{ type: 'custom', project: 'blue', name, block: true },
      ...(snapshot === undefined ? {} : { snapshot }),
    });
    const size = 4 * 1024 * 1024;
    /** Its bytes. */
    const imageOf = async <T>(
      volume: VolumeRef,
      work: (image: string) => T,
      readonly = false,
    ): Promise<T> => {
      await using use = await pool.useVolume(volume, { ...wait, readonly });
      if (use.image === undefined) throw new Error('a block volume without an image');
      return work(world.image?.(use.image) ?? use.image);
    };
    const put = (volume: VolumeRef, text: string) =>
      imageOf(volume, (image) => {
        const file = openSync(image, 'r+');
        writeSync(file, text, 8192);
        closeSync(file);
      });
    const look = (volume: VolumeRef) =>
      imageOf(
        volume,
        (image) => {
          const file = openSync(image, 'r');
          const bytes = Buffer.alloc(3);
          readSync(file, bytes, 0, 3, 8192);
          closeSync(file);
          return bytes.toString().replaceAll('\0', '.');
        },
        true,
      );

    test('a pool has them, or says that it has none', async () => {
      if (!world.driver.capabilities.blockVolumes) {
        const refused = pool.createBlock(block('b1'), size, undefined, wait);
        await expect(refused).rejects.toMatchObject({ code: 'unsupported' });
        expect(await pool.volumes('custom')).toEqual([]);
        return;
      }
      await pool.createBlock(block('b1'), size, undefined, wait);
      await pool.createBlock(block('b1'), size, undefined, wait);
      expect(await look(block('b1'))).toBe('...');
      expect(await pool.blockSize(block('b1'), wait)).toBe(size);
      expect(await again().volumes('custom')).toEqual([block('b1')]);
      await put(block('b1'), 'one');
      const failing = async () => {
        await Promise.resolve();
        throw new Error('no more');
      };
      await expect(pool.createBlock(block('b2'), size, failing, wait)).rejects.toThrow('no more');
      expect(await pool.exists(block('b2'))).toBe(false);
    });

    test('they are copied, renamed, and go back to their snapshots, bytes and size', async () => {
      if (!world.driver.capabilities.blockVolumes) return;
      await pool.copyVolume(block('b1'), block('b1', 's1'), wait);
      expect(await pool.snapshots(block('b1'))).toEqual(['s1']);
      await put(block('b1'), 'two');
      await pool.setQuota(block('b1'), 2 * size, wait);
      expect(await pool.blockSize(block('b1'), wait)).toBe(2 * size);
      expect(await look(block('b1'))).toBe('two');
      await pool.setQuota(block('b1'), undefined, wait);
      await expect(pool.setQuota(block('b1'), size, wait)).rejects.toThrow(/cannot be shrunk/);
      expect(await look(block('b1', 's1'))).toBe('one');
      await pool.copyVolume(block('b1'), block('copy'), wait);
      await pool.copyVolume(block('b1', 's1'), block('copy', 's1'), wait);
      await put(block('copy'), 'three');
      await pool.renameVolume(block('copy'), block('renamed'), wait);
      expect(await look(block('renamed', 's1'))).toBe('one');
      await pool.renameVolume(block('renamed', 's1'), block('renamed', 'first'), wait);
      await pool.copyVolume(block('renamed', 'first'), block('alone'), wait);
      expect(await look(block('alone'))).toBe('one');
      expect(await look(block('b1'))).toBe('two');
      for (const _ of [1, 2]) await pool.replaceVolume(block('b1', 's1'), block('b1'), wait);
      expect(await look(block('b1'))).toBe('one');
      expect(await pool.volumeUsage(block('b1'), wait)).toBeGreaterThanOrEqual(0);
      await put(block('b1'), 'end');
      expect(await look(block('b1', 's1'))).toBe('one');
    });

    test('they are there for as long as they are used, and gone when they are deleted', async () => {
      if (!world.driver.capabilities.blockVolumes) return;
      await again().unmount(wait);
      await again().mount(wait);
      expect(await look(block('b1'))).toBe('end');
      expect((await pool.volumes('custom')).map(({ name }) => name).sort()).toEqual([
        'alone',
        'b1',
        'renamed',
      ]);
      for (const name of ['b1', 'alone', 'renamed', 'renamed']) await pool.deleteVolume(block(name), wait);
      expect(await pool.volumes('custom')).toEqual([]);
      expect(readdirSync(join(pool.path, 'custom-snapshots'))).toEqual([]);
      await expect(pool.useVolume(block('b1'), wait)).rejects.toMatchObject({ code: 'not-found' });
    });
  });

  test('instances of one image: unpacked once where images are optimized, by many at once too', async () => {
    fills = 0;
    const volumes = ['i1', 'i2', 'i3'].map((name) => container(name));
    await Promise.all(volumes.map((volume) => again().createFromImage(volume, fingerprint, fill, wait)));
    expect(fills).toBe(world.driver.capabilities.optimizedImages ? 1 : 3);
    for (const volume of volumes) expect(await read(volume)).toBe('image\n');
    expect(await names('image')).toEqual(
      world.driver.capabilities.optimizedImages ? [`default/${fingerprint}`] : [],
    );
    for (const volume of volumes) await pool.deleteVolume(volume, wait);
  });

  test('a deletion takes everything, and one of what is gone does nothing', async () => {
    await within(container('moved'), (path) => {
      mkdirSync(join(path, 'rootfs/deep/er'), { recursive: true });
      chmodSync(join(path, 'rootfs/deep'), 0o000);
    });
    await pool.deleteVolume(container('moved'), wait);
    await pool.deleteVolume(container('moved'), wait);
    expect(existsSync(pool.volumePath(container('moved')))).toBe(false);
  });

  test('usage is a number where it is known, and limits are kept or honestly refused', async () => {
    const limit = pool.setQuota(container('c1'), world.limit ?? 64 * 1024 * 1024, wait);
    if (world.quotas ?? world.driver.capabilities.quotas) {
      await limit;
      expect(await pool.volumeUsage(container('c1'), wait)).toBeGreaterThanOrEqual(0);
      await pool.setQuota(container('c1'), undefined, wait);
    } else {
      await expect(limit).rejects.toMatchObject({ code: 'unsupported' });
      await pool.setQuota(container('c1'), undefined, wait);
      expect(await pool.volumeUsage(container('c1'), wait)).toBeUndefined();
    }
  });

  test('what a crash left half made is gone after the next mount', async () => {
    if (world.directories) {
      mkdirSync(join(pool.path, 'containers/.partial-c9/rootfs'), { recursive: true });
      mkdirSync(join(pool.path, 'containers-snapshots/c1/.partial-s9/rootfs'), { recursive: true });
      mkdirSync(join(pool.path, 'containers-snapshots/.partial-c9/s1/rootfs'), { recursive: true });
    }
    expect(await pool.snapshots(container('c1'))).toEqual([]);
    expect(await names('container')).toEqual(['default/c1']);
    await pool.unmount(wait);
    await pool.unmount(wait);
    // Whoever only looks leaves it as it is.
    await again().mount({ ...wait, asFound: true });
    if (world.directories)
      expect(readdirSync(join(pool.path, 'containers')).sort()).toEqual(['.partial-c9', 'c1']);
    expect(await names('container')).toEqual(['default/c1']);
    await again().mount(wait);
    await again().mount(wait);
    expect(readdirSync(join(pool.path, 'containers-snapshots'))).toEqual([]);
    if (world.directories) expect(readdirSync(join(pool.path, 'containers'))).toEqual(['c1']);
    expect(await read(container('c1'))).toBe('image\n');
  });

  test('what is used or held is there for as long, and a crash leaves nothing else mounted', async () => {
    const c1 = container('c1');
    const map = [{ Isuid: true, Isgid: true, Hostid: 1_000_000, Nsid: 0, Maprange: 65_536 }];
    /** A daemon that knows nothing of what another has mounted. */
    const reborn = () => world.driver.open(spec, { ...world, host: { ...world.host } });
    {
      await using outer = await pool.useVolume(c1, { ...wait, readonly: true });
      await (await again().useVolume(c1, { ...wait, readonly: true }))[Symbol.asyncDispose]();
      expect(readFileSync(join(outer.path, hostname), 'utf8')).toBe('image\n');
    }
    expect(await mounted()).toEqual([]);

    const { mapped } = await pool.holdVolume(c1, map, wait);
    await again().holdVolume(c1, map, wait);
    const held = join(pool.volumePath(c1), hostname);
    const inside = world.simulated ? process.getuid?.() : 0;
    expect(lstatSync(held).uid).toBe(mapped ? 1_000_000 : inside);
    // Whoever looks at one that runs sees the ids inside all the same.
    expect(await within(c1, (path) => lstatSync(join(path, hostname)).uid, { readonly: true })).toBe(inside);
    await reborn().useVolume(c1, { ...wait, readonly: true });
    const next = reborn();
    await next.mount({ ...wait, held: [c1] });
    expect(readFileSync(held, 'utf8')).toBe('image\n');
    await next.releaseVolume(c1, wait);
    await pool.releaseVolume(c1, wait);
    expect(await mounted()).toEqual([]);

    await reborn().holdVolume(c1, map, wait);
    await reborn().useVolume(c1, { ...wait, readonly: true });
    await reborn().mount(wait);
    expect(await mounted()).toEqual([]);
    await expect(pool.useVolume(container('absent'), wait)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('a pool with a volume in it is not deleted, mounted or not', async () => {
    await expect(again().delete(wait)).rejects.toMatchObject({ code: 'conflict' });
    await pool.unmount(wait);
    await expect(again().delete(wait)).rejects.toMatchObject({ code: 'conflict' });
    await pool.mount(wait);
    expect(await read(container('c1'))).toBe('image\n');
  });

  test('a call that is given up does nothing more', async () => {
    const signal = AbortSignal.abort(new Error('given up'));
    await expect(pool.copyVolume(container('c1'), container('late'), { signal })).rejects.toThrow();
    expect(await pool.exists(container('late'))).toBe(false);
  });

  test('an empty pool is deleted with everything that was made for it, and again', async () => {
    await pool.deleteVolume(container('c1'), wait);
    await again().delete(wait);
    await again().delete(wait);
    expect(existsSync(pool.path)).toBe(false);
    expect((await world.host.mounts()).some(({ target }) => target === pool.path)).toBe(false);
    expect(existsSync(join(world.dir, 'disks', `${spec.name}.img`))).toBe(false);
    // Who still mounts it does not have it back; what the user gave is there, and can be.
    if (world.pool.config['source'] !== undefined) return;
    await expect(again().mount(wait)).rejects.toThrow();
    expect(existsSync(pool.path)).toBe(false);
  });
}
