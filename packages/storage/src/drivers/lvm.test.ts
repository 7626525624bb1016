import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fill, VolumeRef } from '../driver.ts';
import { SimulatedLvm } from '../testing/simulated-lvm.ts';
import { SimulatedWorld } from '../testing/simulated-world.ts';
import { crashSuite } from '../testing/crash-suite.ts';
import { storageSuite } from '../testing/storage-suite.ts';
import { lvm } from './lvm.ts';

const simulated = (config: Record<string, string>) =>
  new SimulatedWorld(lvm, config, (disks) => new SimulatedLvm(disks));
const c1: VolumeRef = { type: 'container', project: 'default', name: 'c1' };
const s1: VolumeRef = { ...c1, snapshot: 's1' };
const GiB = 1024 ** 3;
const put =
  (text: string): Fill =>
  (directory) => {
    writeFileSync(join(directory, 'text'), text);
    return Promise.resolve();
  };

describe('in a loop file, by simulated tools', () => {
  storageSuite(() => Promise.resolve(simulated({ size: '6GiB' })));
});

describe("in the user's volume group, by simulated tools", () => {
  storageSuite(() => {
    const world = simulated({ source: 'vg', 'volume.block.filesystem': 'btrfs' });
    world.tools.addGroup('vg');
    return Promise.resolve(world);
  });
});

test('a pool that LXD has made is understood', async () => {
  await using world = simulated({ source: 'vg', 'lvm.vg_name': 'vg', 'lvm.vg.force_reuse': 'true' });
  const { wait, tools } = world;
  const group = tools.addGroup('vg');
  for (const name of ['containers_c1', 'containers_blue_c--1', 'custom_default_data', 'virtual-machines_v1'])
    tools.addVolume(group, name);
  const snapshot = tools.addVolume(group, 'containers_c1-s1', true);
  writeFileSync(join(snapshot.disk!.directory, 'text'), 'old');
  const { pool } = await world.create();
  expect(await pool.volumes('container')).toEqual([c1, { type: 'container', project: 'blue', name: 'c-1' }]);
  expect(await pool.volumes('custom')).toEqual([{ type: 'custom', project: 'default', name: 'data' }]);
  expect(await pool.snapshots(c1)).toEqual(['s1']);
  {
    await using _use = await pool.useVolume(s1, wait);
    // Its device cannot be written to: the journal is left alone.
    const [mount] = await world.host.mounts();
    expect(mount?.options).toEqual(['discard', 'ro', 'noload']);
  }
  await pool.replaceVolume(s1, c1, wait);
  expect(await world.read(pool, c1)).toBe('old');
  // A virtual machine is nothing that this pool would delete.
  for (const volume of [...(await pool.volumes('container')), ...(await pool.volumes('custom'))])
    await pool.deleteVolume(volume, wait);
  await expect(pool.delete(wait)).rejects.toThrow('not empty: virtual-machines_v1');
  expect([...group.volumes.keys()]).toEqual(['virtual-machines_v1', 'LXDThinPool']);
});

test('what cannot be is refused, as LXD refuses it, and left alone', async () => {
  const refused = async (config: Record<string, string>, says: string) => {
    await using world = simulated(config);
    const group = world.tools.addGroup('vg');
    world.tools.addVolume(group, 'root');
    world.tools.addGroup('taken').tags.push('lxd_pool');
    const before = JSON.stringify([...group.volumes]);
    await expect(world.open().create(world.wait)).rejects.toThrow(says);
    // As recovery does it.
    await world.open().delete(world.wait);
    expect(JSON.stringify([...group.volumes])).toBe(before);
    expect(group.tags).toEqual([]);
    expect(existsSync(join(world.dir, 'storage-pools/p1'))).toBe(false);
  };
  await refused({ source: 'absent' }, 'The requested volume group "absent" does not exist');
  await refused({ source: 'vg' }, 'Volume group "vg" is not empty');
  await refused({ source: 'taken' }, 'Volume group "taken" is already used by LXD');
  await refused({ source: '/dev/absent' }, 'Custom loop file locations are not supported');
  await refused({ 'lvm.vg_name': 'vg' }, 'The volume group "vg" exists already');
  await refused(
    { source: 'vg', 'lvm.vg_name': 'other' },
    'Invalid combination of source and lvm.vg_name properties',
  );
  await refused(
    { 'lvm.use_thinpool': 'false', 'lvm.thinpool_name': 'x' },
    'The key lvm.use_thinpool cannot be set to false when lvm.thinpool_name is set',
  );
});

test('a creation that fails leaves nothing, and one that was cut off does not stand in the way', async () => {
  await using world = simulated({ size: '6GiB' });
  const { disks, tools, wait } = world;
  // Cut off after the volume group was made.
  mkdirSync(join(world.dir, 'disks'));
  const file = join(world.dir, 'disks/p1.img.partial-new');
  writeFileSync(file, '');
  const { stdout } = await world.host.run(['losetup', '--find', '--show', '--', file], wait);
  await world.host.run(['pvcreate', '--', stdout.trim()], wait);
  await world.host.run(['vgcreate', '--', 'p1', stdout.trim()], wait);
  const without = (await world.open().create(wait), world.open());
  expect(readdirSync(join(world.dir, 'disks'))).toEqual(['p1.img']);
  await without.delete(wait);
  expect(tools.groups.size).toBe(0);
  disks.tool('lvcreate', () => ({ status: 5, stderr: '  Insufficient free space\n' }));
  await expect(world.open().create(wait)).rejects.toThrow('Insufficient free space');
  expect(tools.groups.size).toBe(0);
  expect(readdirSync(join(world.dir, 'disks'))).toEqual([]);
});

test('without tools, or without a device mapper, it says so', async () => {
  await using world = simulated({});
  world.disks.tool('lvm', () => ({ stdout: '  LVM version:     2.03.16(2)\n  Library version: 1.02.185\n' }));
  expect(await lvm.probe(world.host, world.wait)).toBeUndefined();
  await expect(world.open().create(world.wait)).rejects.toMatchObject({ code: 'unsupported' });
  world.disks.tool('lvm', () => {
    throw new Error('Cannot run lvm: it is not installed');
  });
  expect(await lvm.probe(world.host, world.wait)).toBeUndefined();
  await expect(world.open().create(world.wait)).rejects.toThrow('Required tool "lvm" is missing');
});

test('an image is unpacked anew when volumes are to have another filesystem or size', async () => {
  await using world = simulated({ size: '6GiB' });
  const { pool, config } = await world.create();
  const fingerprint = 'f'.repeat(64);
  await pool.createFromImage(c1, fingerprint, put('one'), world.wait);
  const next = world.open({ ...config, 'volume.block.filesystem': 'xfs' });
  await next.createFromImage({ ...c1, name: 'c2' }, fingerprint, put('two'), world.wait);
  await next.createFromImage({ ...c1, name: 'c3' }, fingerprint, put('three'), world.wait);
  expect(await world.read(pool, { ...c1, name: 'c3' })).toBe('two');
  const larger = world.open({ ...config, 'volume.size': '20GiB' });
  await larger.createFromImage({ ...c1, name: 'c4' }, fingerprint, put('four'), world.wait);
  expect(world.tools.groups.get('p1')?.volumes.get('containers_c4')?.size).toBe(20 * GiB);
  expect(await world.read(pool, c1)).toBe('one');
});

test('a volume grows while it is used, and is made smaller at rest only', async () => {
  await using world = simulated({ size: '6GiB' });
  const { pool } = await world.create();
  await pool.createVolume(c1, put('text'), world.wait);
  const size = () => world.tools.groups.get('p1')?.volumes.get('containers_c1')?.size;
  await pool.holdVolume(c1, [], world.wait);
  await pool.setQuota(c1, 12 * GiB, world.wait);
  expect(size()).toBe(12 * GiB);
  await expect(pool.setQuota(c1, GiB, world.wait)).rejects.toMatchObject({ code: 'conflict' });
  await expect(pool.deleteVolume(c1, world.wait)).rejects.toThrow('in use');
  await pool.releaseVolume(c1, world.wait);
  await pool.setQuota(c1, GiB, world.wait);
  await pool.setQuota(c1, undefined, world.wait);
  expect(size()).toBe(GiB);
  expect(await world.read(pool, c1)).toBe('text');
});

test('what a crash left half made is gone after the next mount, and no more', async () => {
  await using world = simulated({ size: '6GiB' });
  const { pool } = await world.create();
  await pool.createVolume(c1, undefined, world.wait);
  const group = world.tools.groups.get('p1')!;
  for (const name of ['containers_.partial--c9', 'containers_.partial--new.c1', 'containers_c1-.partial--s9'])
    world.tools.addVolume(group, name);
  expect(await pool.volumes('container')).toEqual([c1]);
  expect(await pool.snapshots(c1)).toEqual([]);
  await pool.unmount(world.wait);
  await pool.mount(world.wait);
  expect([...group.volumes.keys()]).toEqual(['LXDThinPool', 'containers_c1']);
});

test('volumes that are not thin are copied file by file, while what writes to them stands still', async () => {
  await using world = simulated({ size: '6GiB', 'lvm.use_thinpool': 'false' });
  const { pool, config } = await world.create();
  expect(config['lvm.thinpool_name']).toBeUndefined();
  await pool.createVolume(c1, put('one'), world.wait);
  let stood = 0;
  const still = async (work: () => Promise<void>) => {
    stood += 1;
    await work();
  };
  await pool.copyVolume(c1, s1, { ...world.wait, still });
  await world.write(pool, c1, 'two');
  await pool.replaceVolume(s1, c1, world.wait);
  expect([stood, await world.read(pool, c1)]).toEqual([1, 'one']);
  await pool.deleteVolume(c1, world.wait);
  await pool.delete(world.wait);
  expect(world.tools.groups.size).toBe(0);
});

crashSuite(
  () => simulated({ size: '6GiB' }),
  (world) => [...world.tools.groups.values()].flatMap(({ volumes }) => [...volumes.keys()]),
);
