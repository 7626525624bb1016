import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fill, FillBlock, StoragePool, VolumeRef, VolumeUse } from '../driver.ts';
import type { SimulatedWorld } from './simulated-world.ts';

const wait = { signal: AbortSignal.timeout(600_000) };
const c1: VolumeRef = { type: 'container', project: 'default', name: 'c1' };
const c2: VolumeRef = { ...c1, name: 'c2' };
const b1: VolumeRef = { type: 'custom', project: 'default', name: 'b1', block: true };
const b2: VolumeRef = { ...b1, name: 'b2' };
const blockBytes = 4 * 1024 * 1024;
/** Where the bytes of a simulated device are. */
let image = (device: string): string => device;
const at = (volume: VolumeRef, snapshot: string): VolumeRef => ({ ...volume, snapshot });
const put =
  (text: string): Fill =>
  (directory) => {
    writeFileSync(join(directory, 'text'), text);
    return Promise.resolve();
  };
const textOf = (use: VolumeUse): string =>
  use.image === undefined ? join(use.path, 'text') : image(use.image);
const putBytes =
  (text: string): FillBlock =>
  (device) => {
    writeFileSync(image(device), text);
    return Promise.resolve();
  };
async function change(pool: StoragePool, volume: VolumeRef, text: string): Promise<void> {
  await using use = await pool.useVolume(volume, wait);
  writeFileSync(textOf(use), text);
}
async function read(pool: StoragePool, volume: VolumeRef): Promise<string> {
  await using use = await pool.useVolume(volume, { ...wait, readonly: true });
  return readFileSync(textOf(use), 'utf8');
}

interface Work {
  before: (pool: StoragePool) => Promise<void>;
  /** As recovery repeats it: what is done already may be left out. */
  work: (pool: StoragePool) => Promise<void>;
  /** What all is in the end: name, or `name/snapshot`, and text. */
  end: Record<string, string>;
}

const withSnapshots = async (pool: StoragePool): Promise<void> => {
  await pool.createVolume(c1, put('one'), wait);
  await pool.copyVolume(c1, at(c1, 's1'), wait);
  await change(pool, c1, 'two');
  await pool.copyVolume(c1, at(c1, 's2'), wait);
};

const blockWithSnapshots = async (pool: StoragePool): Promise<void> => {
  await pool.createBlock(b1, blockBytes, putBytes('one'), wait);
  await pool.copyVolume(b1, at(b1, 's1'), wait);
  await change(pool, b1, 'two');
  await pool.copyVolume(b1, at(b1, 's2'), wait);
};

const works: Record<string, Work> = {
  'a new block volume': {
    before: () => Promise.resolve(),
    work: (pool) => pool.createBlock(b1, blockBytes, putBytes('one'), wait),
    end: { b1: 'one' },
  },
  'a copy of a block volume': {
    before: blockWithSnapshots,
    work: async (pool) => {
      await pool.copyVolume(at(b1, 's1'), at(b2, 's1'), wait);
      await pool.copyVolume(b1, b2, wait);
    },
    end: { b1: 'two', 'b1/s1': 'one', 'b1/s2': 'two', b2: 'two', 'b2/s1': 'one' },
  },
  'a block volume going back': {
    before: blockWithSnapshots,
    work: (pool) => pool.replaceVolume(at(b1, 's1'), b1, wait),
    end: { b1: 'one', 'b1/s1': 'one', 'b1/s2': 'two' },
  },
  'a deletion of a block volume that was copied': {
    before: async (pool) => {
      await blockWithSnapshots(pool);
      await pool.copyVolume(at(b1, 's1'), b2, wait);
    },
    work: (pool) => pool.deleteVolume(b1, wait),
    end: { b2: 'one' },
  },
  'a new volume': {
    before: () => Promise.resolve(),
    work: (pool) => pool.createVolume(c1, put('one'), wait),
    end: { c1: 'one' },
  },
  'a copy with its snapshots': {
    before: withSnapshots,
    work: async (pool) => {
      for (const name of ['s1', 's2']) await pool.copyVolume(at(c1, name), at(c2, name), wait);
      await pool.copyVolume(c1, c2, wait);
    },
    end: { c1: 'two', 'c1/s1': 'one', 'c1/s2': 'two', c2: 'two', 'c2/s1': 'one', 'c2/s2': 'two' },
  },
  'going back to a snapshot': {
    before: withSnapshots,
    work: (pool) => pool.replaceVolume(at(c1, 's1'), c1, wait),
    end: { c1: 'one', 'c1/s1': 'one', 'c1/s2': 'two' },
  },
  'a volume in the place of another': {
    before: async (pool) => {
      await pool.createVolume(c1, put('one'), wait);
      await pool.createVolume(c2, put('two'), wait);
    },
    work: (pool) => pool.replaceVolume(c2, c1, wait),
    end: { c1: 'two', c2: 'two' },
  },
  'a rename': {
    before: async (pool) => {
      await withSnapshots(pool);
      // One that is a thing of its own, whatever the others are.
      await pool.copyVolume(at(c1, 's1'), c2, wait);
      await pool.copyVolume(at(c1, 's1'), at(c2, 's1'), wait);
      await pool.copyVolume(c2, at(c2, 's2'), wait);
    },
    work: async (pool) => {
      const c3: VolumeRef = { ...c1, name: 'c3' };
      if (await pool.exists(c2)) await pool.renameVolume(c2, c3, wait);
    },
    end: { c1: 'two', 'c1/s1': 'one', 'c1/s2': 'two', c3: 'one', 'c3/s1': 'one', 'c3/s2': 'one' },
  },
  'a deletion of what others are clones of': {
    before: async (pool) => {
      await withSnapshots(pool);
      await pool.copyVolume(at(c1, 's1'), c2, wait);
    },
    work: (pool) => pool.deleteVolume(c1, wait),
    end: { c2: 'one' },
  },
};

/** Killed after any step, the next process finds nothing half made, and the same call finishes what was begun. */
export function crashSuite<Tools>(
  makeWorld: () => SimulatedWorld<Tools>,
  /** Names of all that the simulated storage holds. */
  names: (world: SimulatedWorld<Tools>) => string[],
): void {
  test.each(Object.entries(works))('%s, killed at any moment', async (_name, { before, work, end }) => {
    for (let steps = 0, done = false; !done; steps += 1) {
      await using world = makeWorld();
      image = (device) => world.image(device);
      const { pool, config } = await world.create();
      await before(pool);
      world.disks.dieAfter(steps);
      done = await work(pool).then(
        () => true,
        () => false,
      );
      world.disks.dieAfter(Infinity);

      const next = world.reborn(config);
      await next.mount(wait);
      expect(names(world).filter((name) => name.includes('.partial-'))).toEqual([]);
      expect(await world.host.mounts()).toEqual([]);
      await work(next);
      const found: Record<string, string> = {};
      const all = async () => [...(await next.volumes('container')), ...(await next.volumes('custom'))];
      for (const volume of await all()) {
        found[volume.name] = await read(next, volume);
        for (const name of await next.snapshots(volume))
          found[`${volume.name}/${name}`] = await read(next, at(volume, name));
      }
      expect(found).toEqual(end);
      // Nothing is kept for nobody.
      for (const volume of await all()) await next.deleteVolume(volume, wait);
      await next.delete(wait);
      expect(names(world)).toEqual([]);
    }
  });
}
