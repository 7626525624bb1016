import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fill, VolumeRef, VolumeUse } from '../driver.ts';
import { lvm } from '../drivers/lvm.ts';
import { SimulatedLvm } from '../testing/simulated-lvm.ts';
import { SimulatedWorld } from '../testing/simulated-world.ts';

const simulated = () => new SimulatedWorld(lvm, { size: '6GiB' }, (disks) => new SimulatedLvm(disks));
const c1: VolumeRef = { type: 'container', project: 'default', name: 'c1' };
const c2: VolumeRef = { ...c1, name: 'c2' };
const put =
  (text: string): Fill =>
  (directory) => {
    writeFileSync(join(directory, 'text'), text);
    return Promise.resolve();
  };

/** The first time that the program is run with this word, `meanwhile` begins and gets far. */
function duringTool(
  world: ReturnType<typeof simulated>,
  [program, word]: readonly [string, string],
  meanwhile: () => void,
): void {
  const { run } = world.host;
  let begun = false;
  world.host.run = async (argv, options) => {
    if (!begun && argv[0] === program && argv.includes(word)) {
      begun = true;
      meanwhile();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return run(argv, options);
  };
}

test.each([
  ['deleted', (pool) => pool.deleteVolume(c1, { signal: AbortSignal.timeout(60_000) })],
  [
    'renamed',
    (pool) => pool.renameVolume(c1, { ...c1, name: 'c3' }, { signal: AbortSignal.timeout(60_000) }),
  ],
  ['replaced', (pool) => pool.replaceVolume(c2, c1, { signal: AbortSignal.timeout(60_000) })],
] as const satisfies [string, (pool: ReturnType<typeof lvm.open>) => Promise<void>][])(
  'what somebody begins to use is not %s under them',
  async (_, change) => {
    await using world = simulated();
    const { pool } = await world.create();
    for (const volume of [c1, c2]) await pool.createVolume(volume, put('mine'), world.wait);
    let changed: Promise<void> = Promise.reject(new Error('it never began'));
    changed.catch(() => undefined);
    duringTool(world, ['lvchange', 'y'], () => {
      changed = change(pool);
      changed.catch(() => undefined);
    });
    expect(await world.read(pool, c1)).toBe('mine');
    // It waited until the volume was in use, or until it was so no more.
    await changed.catch((error: unknown) => expect(error).toMatchObject({ code: 'conflict' }));
  },
);

test('what is asked how much it holds is not switched off under who begins to use it', async () => {
  await using world = simulated();
  const { pool } = await world.create();
  await pool.createVolume(c1, put('mine'), world.wait);
  let opening: Promise<VolumeUse> = Promise.reject(new Error('it never began'));
  opening.catch(() => undefined);
  duringTool(world, ['lvchange', 'n'], () => {
    opening = pool.useVolume(c1, world.wait);
    opening.catch(() => undefined);
  });
  expect(await pool.volumeUsage(c1, world.wait)).toBeDefined();
  await using use = await opening;
  expect(readFileSync(join(use.path, 'text'), 'utf8')).toBe('mine');
});

test('what is made in the place of one volume is not taken for another in the making', async () => {
  await using world = simulated();
  const { pool } = await world.create();
  for (const volume of [c1, c2]) await pool.createVolume(volume, put(volume.name), world.wait);
  const meanwhile: Fill = async (directory, options) => {
    await pool.replaceVolume(c2, c1, options);
    await put('mine')(directory, options);
  };
  const alike: VolumeRef = { ...c1, name: 'new-c1' };
  await pool.createVolume(alike, meanwhile, world.wait);
  expect([await world.read(pool, c1), await world.read(pool, alike)]).toEqual(['c2', 'mine']);
});

test('a volume that cannot be put in the place of another leaves that one where it was', async () => {
  await using world = simulated();
  const { pool } = await world.create();
  await pool.createVolume(c1, put('old'), world.wait);
  await pool.createVolume(c2, put('new'), world.wait);
  const { run } = world.host;
  let renames = 0;
  world.host.run = (argv, options) => {
    if (argv[0] === 'lvrename' && (renames += 1) === 2) return Promise.reject(new Error('no more'));
    return run(argv, options);
  };
  await expect(pool.replaceVolume(c2, c1, world.wait)).rejects.toThrow('no more');
  expect(await world.read(pool, c1)).toBe('old');
  expect((await pool.volumes('container')).map(({ name }) => name).sort()).toEqual(['c1', 'c2']);
  await pool.replaceVolume(c2, c1, world.wait);
  expect(await world.read(pool, c1)).toBe('new');
});
