import type { InstanceSpec, PoolSpec } from '@lxd-ts/core';
import type { StorageDriver, StoragePool, VolumeRef } from '@lxd-ts/storage';
import { fakeHost } from '@lxd-ts/host';
import { Pools } from './pools.ts';
import { holdsOf, VolumeHolds } from './volume-holds.ts';

const call = { signal: AbortSignal.timeout(5_000) };
const pool: PoolSpec = { name: 'p', driver: 'told', config: {} };
const spec: InstanceSpec = {
  project: 'blue',
  name: 'c1',
  type: 'container',
  architecture: 'x86_64',
  ephemeral: false,
  config: {},
  devices: {
    root: { type: 'disk', path: '/', pool: 'p' },
    data: { type: 'disk', path: '/data', pool: 'p', source: 'v1' },
    host: { type: 'disk', path: '/srv', source: '/srv' },
    eth0: { type: 'nic' },
  },
  pools: { p: pool },
  networks: {},
};
const volume: VolumeRef = { type: 'custom', project: 'blue', name: 'v1' };

/** Pools whose only driver tells what is asked of it. */
function told() {
  const asked: string[] = [];
  const tell = (what: string) => (of?: unknown) => {
    asked.push(`${what} ${(of as { name?: string } | undefined)?.name ?? ''}`.trim());
    return Promise.resolve({ mapped: false });
  };
  const opened = {
    mount: ({ held }: { held?: VolumeRef[] }) => {
      asked.push(`mount ${(held ?? []).map(({ name }) => name).join()}`.trim());
      return Promise.resolve();
    },
    volumePath: ({ name }: VolumeRef) => `/p/${name}`,
    holdVolume: tell('hold'),
    releaseVolume: tell('release'),
  };
  const driver = { type: 'told', open: () => opened as unknown as StoragePool } as unknown as StorageDriver;
  const pools = (before: ReturnType<typeof holdsOf> = []) =>
    new Pools([driver], { host: fakeHost(), dir: '/', overlayProgram: '', quotaProgram: '' }, before);
  return { asked, pools };
}

test('an instance holds its root, and the volumes of its pools', () => {
  expect(holdsOf(spec)).toEqual([
    { pool, volume: { type: 'container', project: 'blue', name: 'c1' }, holder: 'blue_c1/root' },
    { pool, volume, holder: 'blue_c1/data' },
  ]);
});

test('a volume is released with its last holder', async () => {
  const { asked, pools } = told();
  const holds = new VolumeHolds(pools(), []);
  const hold = (holder: string) => ({ pool, volume, holder });
  expect(await holds.hold(hold('a'), call)).toBe('/p/v1');
  await holds.hold(hold('b'), call);
  await holds.release(hold('a'), call);
  await holds.release(hold('a'), call);
  expect(asked).toEqual(['mount', 'hold v1', 'hold v1']);
  await holds.release(hold('b'), call);
  expect(asked.at(-1)).toBe('release v1');
});

test('what was held before a restart is told to its pool once, and kept for those that run', async () => {
  const { asked, pools } = told();
  const before = holdsOf(spec);
  const mine = pools(before);
  const holds = new VolumeHolds(
    mine,
    before.filter((one) => one.volume.type === 'custom'),
  );
  await holds.hold({ pool, volume, holder: 'other' }, call);
  await holds.release({ pool, volume, holder: 'other' }, call);
  expect(asked).toEqual(['mount c1,v1', 'hold v1']);
  await mine.close(pool, call).catch(() => undefined);
  await mine.open(pool, call);
  await holds.release({ pool, volume, holder: 'blue_c1/data' }, call);
  expect(asked.at(-1)).toBe('release v1');
});
