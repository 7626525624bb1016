import type { InstanceSpec, PoolSpec } from '@lxd-ts/core';
import type { FoundVolume, ShiftedFiles } from '@lxd-ts/rpc';
import { allDrivers as drivers } from '../shared/drivers.ts';
import { fakeAgent, harness } from '../testing/harness.ts';
import { adopt } from './adopt.ts';
import { scan, validateView } from './scan.ts';

const described = (name: string, more: object = {}): FoundVolume => ({
  type: 'container',
  project: 'default',
  name,
  snapshots: ['s1', 's0'],
  description: {
    container: {
      ...{ name, project: 'default', architecture: 'x86_64', description: 'd', ephemeral: false },
      config: { 'user.x': 'y', 'volatile.last_state.idmap': '[1]', 'volatile.eth0.host_name': 'veth1' },
      devices: { root: { type: 'disk', path: '/', pool: 'was' } },
      profiles: ['default'],
      created_at: '2024-01-02T03:04:05Z',
      ...more,
    },
    snapshots: [
      {
        name: 's0',
        config: { 'user.x': 'then', 'volatile.last_state.idmap': '[2]' },
        profiles: [],
        devices: {},
      },
    ],
    pool: { driver: 'btrfs', config: { size: '5GiB', 'volatile.initial_source': '/x' } },
  },
});
const volume: FoundVolume = { type: 'custom', project: 'default', name: 'v', snapshots: ['vs'] };
const pool = { name: 'lost', driver: 'btrfs', config: { source: '/lost.img' } };

async function setUp(found: FoundVolume[]) {
  const adopted: { spec: InstanceSpec; shifted: readonly ShiftedFiles[] }[] = [];
  const scanned: PoolSpec[] = [];
  const fake = fakeAgent({
    scanPool: async (spec: PoolSpec) => {
      scanned.push(spec);
      return structuredClone(found);
    },
    adoptInstance: async (spec: InstanceSpec, shifted: readonly ShiftedFiles[]) => {
      adopted.push({ spec, shifted });
    },
  });
  const h = await harness({ m1: fake.agent });
  const context = { services: h.services, drivers };
  const look = (pools: object[] = [pool]) => scan(context, { pools }, 'm1', AbortSignal.timeout(5_000));
  return {
    h,
    adopted,
    scanned,
    look,
    view: async (pools?: object[]) => validateView(h.services, await look(pools)),
    take: async () => adopt(context, await look(), 'm1'),
    [Symbol.asyncDispose]: () => h[Symbol.asyncDispose](),
  };
}

describe('what is found', () => {
  it('is told as LXD does, and nothing of it is on record', async () => {
    await using at = await setUp([volume, described('c1')]);
    expect(await at.view()).toEqual({
      UnknownVolumes: [
        { name: 'v', type: 'volume', project: 'default', snapshotCount: 1, pool: 'lost' },
        { name: 'c1', type: 'container', project: 'default', snapshotCount: 2, pool: 'lost' },
      ],
      DependencyErrors: null,
    });
    expect(at.h.records.get('pools', 'lost')).toBeUndefined();
    expect(at.adopted).toEqual([]);
  });

  it('needs its profiles and its project', async () => {
    await using at = await setUp([
      described('c1', { profiles: ['default', 'p'] }),
      { ...volume, project: 'other' },
    ]);
    expect((await at.view())['DependencyErrors']).toEqual([
      'Profile "p" in project "default"',
      'Project "other"',
    ]);
  });

  it('of a pool on record is what its record says, whatever is sent', async () => {
    await using at = await setUp([]);
    const sent = { name: 'default', driver: 'zfs', config: { source: '/evil' } };
    expect(await at.view([sent])).toEqual({ UnknownVolumes: null, DependencyErrors: null });
    expect(at.scanned[0]?.config['source']).not.toBe('/evil');
  });

  it.each<[string, FoundVolume, string]>([
    [
      'no description',
      { ...described('c1'), description: undefined, problem: 'no such file' },
      'no such file',
    ],
    ['the description of another', { ...described('c2'), name: 'c1' }, 'has a backup file of "c2"'],
    ['one of another project', described('c1', { project: 'x' }), 'in project "x"'],
    ['one that is none', { ...described('c1'), description: 'hello' }, 'has a backup file of ""'],
  ])('is refused with %s', async (_what, found, message) => {
    await using at = await setUp([found]);
    await expect(at.look()).rejects.toThrow(message);
  });

  it.each<[object, string]>([
    [{ name: 'x', driver: 'nope' }, 'Failed to initialise unknown pool "x": Unknown driver'],
    [{ name: '../x', driver: 'btrfs' }, 'name'],
    [{ ...pool, config: { wat: '1' } }, 'Invalid option "wat"'],
  ])('is not looked for in %j', async (wrong, message) => {
    await using at = await setUp([]);
    await expect(at.look([wrong])).rejects.toThrow(message);
    expect(at.scanned).toEqual([]);
  });
});

describe('what is taken in', () => {
  it('is on record: pool, volumes, instances and snapshots, with owners to be put right', async () => {
    await using at = await setUp([volume, described('c1')]);
    await at.take();
    const { records } = at.h;
    expect(records.get('pools', 'lost')?.value).toMatchObject({
      driver: 'btrfs',
      status: 'Created',
      memberConfig: { m1: { source: '/lost.img', size: '5GiB' } },
    });
    const record = records.get('instances', 'default', 'c1')?.value;
    expect(record).toMatchObject({
      description: 'd',
      createdAt: '2024-01-02T03:04:05.000Z',
      config: { 'user.x': 'y' },
      // Whatever the pool was called before.
      devices: { root: { type: 'disk', path: '/', pool: 'lost' } },
    });
    expect(record?.config['volatile.eth0.host_name']).toBeUndefined();
    expect(records.get('placements', 'default', 'c1')?.value.member).toBe('m1');
    const snapshots = records.list('snapshots').map(({ value }) => [value.name, value.config['user.x']]);
    // Of one that nothing is said of, what the instance is.
    expect(snapshots).toEqual([
      ['s0', 'then'],
      ['s1', 'y'],
    ]);
    expect(at.adopted[0]?.shifted).toEqual([
      { idmap: '[1]' },
      { snapshot: 's1', idmap: '[1]' },
      { snapshot: 's0', idmap: '[2]' },
    ]);
    expect(records.list('volumeSnapshots').map(({ value }) => value.name)).toEqual(['vs']);
  });

  it('is what is left, when it is done again', async () => {
    await using at = await setUp([volume, described('c1')]);
    await at.take();
    const { revision } = at.h.records.get('instances', 'default', 'c1') ?? {};
    await at.take();
    expect(at.adopted).toHaveLength(1);
    expect(at.h.records.get('instances', 'default', 'c1')?.revision).toBe(revision);
    expect((await at.view())['UnknownVolumes']).toBeNull();
  });

  it('is a part of a pool that other members have, where its own source is told', async () => {
    await using at = await setUp([volume]);
    const { records } = at.h;
    const signal = AbortSignal.timeout(1_000);
    await records
      .transaction()
      .create('pools', ['lost'], {
        ...{ name: 'lost', driver: 'btrfs', description: '', status: 'Created' as const },
        ...{ config: { 'rsync.bwlimit': '1MB' }, memberConfig: { m2: { source: '/theirs.img' } } },
      })
      .commit({ signal });
    // Those that a client only repeats from the list.
    expect(await at.look([{ ...pool, config: { 'rsync.bwlimit': '1MB' } }])).toEqual([]);
    await expect(at.look([{ ...pool, driver: 'dir' }])).rejects.toThrow(
      '"btrfs" on other members, not "dir"',
    );
    await expect(at.look([{ ...pool, config: { source: '/x', size: 'big' } }])).rejects.toThrow('"size"');
    expect(at.scanned).toEqual([]);
    await at.take();
    expect(at.scanned.at(-1)?.config).toEqual({ 'rsync.bwlimit': '1MB', source: '/lost.img' });
    expect(records.get('pools', 'lost')?.value.memberConfig).toEqual({
      m1: { source: '/lost.img' },
      m2: { source: '/theirs.img' },
    });
    expect(records.get('volumes', 'lost', 'default', 'v', 'm1')).toBeDefined();
  });

  it('is nothing of a pool that holds nothing unknown', async () => {
    await using at = await setUp([]);
    await at.take();
    expect(at.h.records.get('pools', 'lost')).toBeUndefined();
  });
});

it.each([
  ['cephfs', []],
  ['btrfs', ['v']],
])('a volume that is on record as that of another member of a pool of %s', async (driver, unknown) => {
  await using at = await setUp([volume]);
  const { records } = at.h;
  const signal = AbortSignal.timeout(5_000);
  await records
    .transaction()
    .create('pools', ['lost'], {
      ...{ name: 'lost', driver, description: '', status: 'Created', config: {} },
      memberConfig: { m1: {}, m2: {} },
    })
    .create('volumes', ['lost', 'default', 'v', 'm2'], {
      ...{ pool: 'lost', project: 'default', name: 'v', member: 'm2' },
      ...{ description: '', config: {}, createdAt: '' },
    })
    .commit({ signal });
  const [scanned] = await at.look();
  expect(scanned?.volumes.map(({ name }) => name)).toEqual(unknown);
});
