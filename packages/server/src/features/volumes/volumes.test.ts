import { LxdError } from '@lxd-ts/core';
import type { Pending, VolumeRecord } from '@lxd-ts/state';
import { InFlight } from '../shared/in-flight.ts';
import { drivers, fakeAgent, harness } from '../testing/harness.ts';
import { idOf, type VolumesContext } from './context.ts';
import { startCopy, startMove } from './copy.ts';
import { volumeDuties } from './duties.ts';
import { recoverVolumes } from './recover.ts';
import { refreshVolume } from './refresh.ts';
import { createVolume, deleteVolume, renameVolume, updateVolume } from './service.ts';
import { restoreVolume, startSnapshot, startSnapshotRename } from './snapshots.ts';
import { volumeUsers } from './view.ts';

const caller = { protocol: 'unix' as const, username: 'root', trusted: true };
const signal = AbortSignal.timeout(60_000);
const place = { pool: 'default', project: 'default', name: 'v1', member: 'm1' };

async function setUp() {
  const fake = fakeAgent();
  const h = await harness({ m1: fake.agent });
  const context: VolumesContext = { services: h.services, working: new InFlight(), drivers };
  const find = (name: string, pool = 'default') => {
    const found = h.records.get('volumes', pool, 'default', name, 'm1');
    if (!found) throw new Error(`no volume ${name}`);
    return found;
  };
  const pool = h.records.get('pools', 'default')?.value;
  if (!pool) throw new Error('no pool');
  await h.records
    .transaction()
    .create('pools', ['big'], { ...pool, name: 'big' })
    .commit({ signal });
  await createVolume(context, place, { description: 'd', config: { size: '1MiB' } }, caller);
  return {
    fake,
    h,
    context,
    find,
    names: () => h.records.list('volumes').map(({ value }) => `${value.pool}:${value.name}`),
    snapshots: () => h.records.list('volumeSnapshots').map(({ value }) => `${value.volume}/${value.name}`),
    snapshot: (name: string) => h.finish(startSnapshot(context, find('v1'), { name }, caller)),
    /** The default profile has it. */
    use: () =>
      h.records.modify(
        'profiles',
        ['default', 'default'],
        (value) => ({
          ...value,
          devices: { ...value.devices, data: { type: 'disk', pool: 'default', source: 'v1', path: '/data' } },
        }),
        { signal },
      ),
    profileDisk: () => h.records.get('profiles', 'default', 'default')?.value.devices['data'],
    /** As a server leaves it that is killed in the middle. */
    cutOff: async (pending: Pick<Pending, 'kind' | 'detail'>, change: Partial<VolumeRecord> = {}) => {
      const { value } = find('v1');
      const whole = { ...pending, operation: '', server: 'm1' };
      await h.records.modify('volumes', idOf(value), () => ({ ...value, ...change, pending: whole }), {
        signal,
      });
      fake.calls.length = 0;
      await recoverVolumes(context, ['m1'], { signal });
    },
    [Symbol.asyncDispose]: () => h[Symbol.asyncDispose](),
  };
}

describe('a copy that is there', () => {
  const refreshed = async (at: Awaited<ReturnType<typeof setUp>>, source: object) =>
    at.h.finish(
      startCopy(
        at.context,
        { ...place, name: 'v2' },
        { name: 'v1', pool: 'default', refresh: true, ...source },
        {},
        caller,
      ),
    );

  it('is brought up to date: snapshots come and go with those of its source', async () => {
    await using at = await setUp();
    await at.snapshot('s1');
    await refreshed(at, {});
    expect(at.snapshots()).toEqual(['v1/s1', 'v2/s1']);
    await at.snapshot('s2');
    await at.h.records
      .transaction()
      .remove('volumeSnapshots', ['default', 'default', 'v1', 'm1', 's1'])
      .commit({ signal });
    at.fake.calls.length = 0;
    await refreshed(at, {});
    expect(at.fake.calls).toEqual(['deleteVolume default:v2/s1', 'copyVolume default:v1 default:v2']);
    expect(at.snapshots()).toEqual(['v1/s2', 'v2/s2']);
    expect(at.find('v2').value).not.toHaveProperty('pending');
  });

  it('keeps what it is when that fails, and has no snapshot that is not on record', async () => {
    await using at = await setUp();
    await refreshed(at, {});
    await at.snapshot('s1');
    at.fake.fail.set('copyVolume', new LxdError('internal', 'no space'));
    at.fake.volumes.add('default:v2/s1');
    await expect(refreshed(at, {})).rejects.toThrow('no space');
    expect(at.snapshots()).toEqual(['v1/s1']);
    expect([...at.fake.volumes]).not.toContain('default:v2/s1');
    expect(at.find('v2').value).not.toHaveProperty('pending');
  });

  it('keeps its snapshots when only files are wanted, and is never its own source', async () => {
    await using at = await setUp();
    await at.snapshot('s1');
    await refreshed(at, {});
    await at.h.records
      .transaction()
      .remove('volumeSnapshots', ['default', 'default', 'v1', 'm1', 's1'])
      .commit({ signal });
    await refreshed(at, { volume_only: true });
    await at.snapshot('s2');
    await refreshed(at, { name: 'v1/s2' });
    expect(at.snapshots()).toEqual(['v1/s2', 'v2/s1']);
    await expect(refreshed(at, { name: 'v2' })).rejects.toThrow('from itself');
  });

  it('has another snapshot in the place of one of the same name, written once', async () => {
    await using at = await setUp();
    await at.snapshot('s1');
    await at.snapshot('s2');
    const { records } = at.h;
    const { transaction } = records;
    const removed: unknown[] = [];
    records.transaction = (...guards) => {
      const made = transaction.apply(records, guards);
      const { remove } = made;
      made.remove = (kind, id) => {
        removed.push(id.at(-1));
        return remove.call(made, kind, id);
      };
      return made;
    };
    const createdAt = '2030-01-01T00:00:00.000Z';
    const came = [{ name: 's1', description: 'another', config: {}, createdAt, expiresAt: '' }];
    const bring = () => Promise.resolve({ came, gone: ['s1', 's2'] });
    await refreshVolume(at.context, at.find('v1'), bring, signal);
    expect(removed).toEqual(['s2']);
    expect(records.list('volumeSnapshots').map(({ value }) => value.description)).toEqual(['another']);
  });

  it('is not touched when it is not meant', async () => {
    await using at = await setUp();
    await refreshed(at, {});
    await expect(refreshed(at, { refresh: false })).rejects.toThrow('already exists');
  });
});

describe('a custom volume', () => {
  it('is made on its member, with its limit', async () => {
    await using at = await setUp();
    expect(at.fake.calls).toEqual(['createVolume default:v1', `limitVolume default:v1 ${2 ** 20}`]);
    expect(at.find('v1').value).toMatchObject({ description: 'd', config: { size: '1MiB' }, member: 'm1' });
    expect(at.find('v1').value).not.toHaveProperty('pending');
    expect(at.h.events.at(-1)).toMatchObject({
      action: 'storage-volume-created',
      source: '/1.0/storage-pools/default/volumes/custom/v1',
    });
  });

  it('has what its pool says of new volumes, but for what is the driver’s', async () => {
    await using at = await setUp();
    const config = {
      'volume.size': '2MiB',
      'volume.block.filesystem': 'xfs',
      'volume.zfs.blocksize': '64KiB',
    };
    await at.h.records.modify('pools', ['big'], (value) => ({ ...value, config }), { signal });
    await createVolume(at.context, { ...place, pool: 'big' }, { description: '', config: {} }, caller);
    expect(at.find('v1', 'big').value.config).toEqual({ size: '2MiB' });
  });

  it.each<[string, Record<string, string>, string]>([
    ['v1', {}, 'Volume by that name already exists'],
    ['..', {}, 'Storage volume name ".." is not allowed'],
    ['a\nb', {}, 'Storage volume names may not contain control characters'],
    ['x'.repeat(201), {}, 'Storage volume names may have 200 bytes at most'],
    ['v2', { wat: '1' }, 'Invalid option for volume "default_v2" option "wat"'],
  ])('is refused as %j with %j', async (name, config, message) => {
    await using at = await setUp();
    at.fake.calls.length = 0;
    await expect(
      createVolume(at.context, { ...place, name }, { description: '', config }, caller),
    ).rejects.toThrow(message);
    expect(at.fake.calls).toEqual([]);
    expect(at.names()).toEqual(['default:v1']);
  });

  it('that cannot be made leaves nothing', async () => {
    await using at = await setUp();
    at.fake.fail.set('createVolume', new LxdError('internal', 'no space'));
    await expect(
      createVolume(at.context, { ...place, name: 'v2' }, { description: '', config: {} }, caller),
    ).rejects.toThrow('no space');
    expect(at.names()).toEqual(['default:v1']);
    expect(at.fake.calls).toContain('deleteVolume default:v2');
  });

  it('whose outcome etcd does not tell keeps its files for recovery', async () => {
    await using at = await setUp();
    const { records } = at.h;
    const { transaction } = records;
    let commits = 0;
    records.transaction = (...guards) => {
      const real = transaction(...guards);
      const { commit } = real;
      // The second one is the outcome: it is committed, and nobody hears of it.
      real.commit = async (options) => {
        await commit(options);
        if (++commits === 2) throw new LxdError('unavailable', 'no answer');
      };
      return real;
    };
    await expect(
      createVolume(at.context, { ...place, name: 'v2' }, { description: '', config: {} }, caller),
    ).rejects.toThrow('no answer');
    records.transaction = transaction;
    expect([...at.fake.volumes]).toContain('default:v2');
    await recoverVolumes(at.context, ['m1'], { signal });
    expect(at.names()).toEqual(['default:v1', 'default:v2']);
    expect([...at.fake.volumes]).toContain('default:v2');
  });

  it('stays as it was when its new limit cannot be set', async () => {
    await using at = await setUp();
    at.fake.fail.set('limitVolume', new LxdError('internal', 'too small'));
    const next = { config: { size: '1B' }, description: 'e' };
    await expect(updateVolume(at.context, at.find('v1'), next, caller)).rejects.toThrow('too small');
    expect(at.find('v1').value).toMatchObject({ description: 'd', config: { size: '1MiB' } });
    expect(at.find('v1').value).not.toHaveProperty('pending');
  });

  it('is not deleted while somebody has it, and takes its users along to another name or pool', async () => {
    await using at = await setUp();
    await at.snapshot('s1');
    await at.use();
    expect(volumeUsers(at.h.services, at.find('v1').value)).toEqual(['/1.0/profiles/default']);
    await expect(deleteVolume(at.context, at.find('v1'), caller)).rejects.toThrow('still in use');
    await renameVolume(at.context, at.find('v1'), 'w1', caller);
    expect(at.names()).toEqual(['default:w1']);
    expect(at.snapshots()).toEqual(['w1/s1']);
    expect(at.profileDisk()).toMatchObject({ source: 'w1', pool: 'default' });
    await at.h.finish(startMove(at.context, at.find('w1'), { pool: 'big', name: 'x1' }, caller));
    expect(at.names()).toEqual(['big:x1']);
    expect(at.snapshots()).toEqual(['x1/s1']);
    expect(at.profileDisk()).toMatchObject({ source: 'x1', pool: 'big' });
    expect([...at.fake.volumes].sort()).toEqual(['big:x1', 'big:x1/s1']);
  });

  it('leaves to others what they have of the same name', async () => {
    await using at = await setUp();
    await at.use();
    const { value } = at.find('v1');
    await at.h.records
      .transaction()
      .create('volumes', ['default', 'default', 'v1', 'm2'], { ...value, member: 'm2' })
      .commit({ signal });
    await renameVolume(at.context, at.find('v1'), 'w1', caller);
    expect(at.profileDisk()).toMatchObject({ source: 'v1' });
    expect(at.names()).toEqual(['default:v1', 'default:w1']);
  });

  it('that cannot be renamed keeps its name', async () => {
    await using at = await setUp();
    at.fake.fail.set('renameVolume', new LxdError('internal', 'busy'));
    await expect(renameVolume(at.context, at.find('v1'), 'w1', caller)).rejects.toThrow('busy');
    expect(at.names()).toEqual(['default:v1']);
    expect(at.find('v1').value).not.toHaveProperty('pending');
    expect([...at.fake.volumes]).toEqual(['default:v1']);
  });

  it('is copied with its snapshots, one of them, or alone', async () => {
    await using at = await setUp();
    await at.snapshot('s1');
    const copy = (name: string, source: object) =>
      at.h.finish(
        startCopy(at.context, { ...place, name }, { pool: 'default', ...source }, { config: null }, caller),
      );
    await copy('c1', { name: 'v1' });
    await copy('c2', { name: 'v1/s1' });
    await copy('c3', { name: 'v1', volume_only: true });
    expect(at.snapshots()).toEqual(['c1/s1', 'v1/s1']);
    expect(at.find('c2').value).toMatchObject({ description: 'd', config: { size: '1MiB' } });
    expect(at.fake.calls).toEqual(
      expect.arrayContaining(['copyVolume default:v1 default:c1', 'copyVolume default:v1/s1 default:c2']),
    );
    await expect(copy('c4', { name: 'nope' })).rejects.toThrow('Storage volume not found');
    await expect(copy('c4', { name: 'v1/nope' })).rejects.toThrow('Storage pool volume not found');
    expect(at.names()).toHaveLength(4);
  });

  it('is restored, and its snapshots have names and ends', async () => {
    await using at = await setUp();
    await updateVolume(
      at.context,
      at.find('v1'),
      { config: { 'snapshots.expiry': '1d', 'snapshots.schedule': '* * * * *' }, description: '' },
      caller,
    );
    await at.h.finish(startSnapshot(at.context, at.find('v1'), {}, caller));
    expect(at.h.records.list('volumeSnapshots')[0]?.value).toMatchObject({
      name: 'snap0',
      expiresAt: '2026-01-03T03:04:05.000Z',
    });
    await at.h.finish(startSnapshotRename(at.context, at.find('v1'), ['snap0', 'old'], caller));
    expect(at.snapshots()).toEqual(['v1/old']);
    await restoreVolume(at.context, at.find('v1'), 'old', caller);
    expect(at.fake.calls.at(-1)).toBe('restoreVolume default:v1 old');
    await expect(restoreVolume(at.context, at.find('v1'), 'nope', caller)).rejects.toThrow('not found');
  });

  it('gets snapshots by its schedule, and loses those whose time is over', async () => {
    await using at = await setUp();
    const [expired, scheduled] = volumeDuties(at.context);
    const term = { guard: { key: '', modRevision: 0 }, signal };
    const config = { 'snapshots.schedule': '* * * * *' };
    await updateVolume(at.context, at.find('v1'), { config, description: '' }, caller);
    const one = { name: 'gone', expires_at: '2026-01-01T00:00:00Z' };
    await at.h.finish(startSnapshot(at.context, at.find('v1'), one, caller));
    await expired?.run(term);
    while (at.snapshots().length > 0) await new Promise(setImmediate);
    await scheduled?.run(term);
    await scheduled?.run(term);
    while (at.snapshots().length === 0) await new Promise(setImmediate);
    expect(at.snapshots()).toEqual(['v1/snap0']);
  });
});

describe('recovery', () => {
  it('takes back what was being made', async () => {
    await using at = await setUp();
    await at.cutOff({ kind: 'create' });
    expect(at.names()).toEqual([]);
    expect([...at.fake.volumes]).toEqual([]);
  });

  it('finishes what was to go', async () => {
    await using at = await setUp();
    await at.snapshot('s1');
    await at.cutOff({ kind: 'delete' });
    expect([at.names(), at.snapshots(), [...at.fake.volumes]]).toEqual([[], [], []]);
  });

  it('finishes a rename', async () => {
    await using at = await setUp();
    await at.cutOff({ kind: 'rename', detail: { to: 'w1' } });
    expect(at.names()).toEqual(['default:w1']);
    expect(at.find('w1').value).not.toHaveProperty('pending');
  });

  it('takes back a change of its limit', async () => {
    await using at = await setUp();
    const before = JSON.stringify(at.find('v1').value);
    await at.cutOff({ kind: 'update', detail: { before } }, { config: { size: '2MiB' } });
    expect(at.find('v1').value.config).toEqual({ size: '1MiB' });
    expect(at.fake.calls).toEqual([`limitVolume default:v1 ${2 ** 20}`]);
  });

  it('removes the files of a snapshot that is not on record, and keeps one that is', async () => {
    await using at = await setUp();
    await at.snapshot('s1');
    await at.cutOff({ kind: 'snapshot', detail: { snapshot: 's1' } });
    expect(at.fake.calls).toEqual([]);
    at.fake.volumes.add('default:v1/s2');
    await at.cutOff({ kind: 'snapshot', detail: { snapshot: 's2' } });
    expect([...at.fake.volumes]).toEqual(['default:v1', 'default:v1/s1']);
    expect(at.find('v1').value).not.toHaveProperty('pending');
  });

  it('goes on with a snapshot’s new name, its end, and going back to it', async () => {
    await using at = await setUp();
    await at.snapshot('s1');
    await at.cutOff({ kind: 'snapshot-rename', detail: { snapshot: 's1', to: 's2' } });
    expect(at.snapshots()).toEqual(['v1/s2']);
    await at.cutOff({ kind: 'restore', detail: { snapshot: 's2' } });
    expect(at.fake.calls).toEqual(['restoreVolume default:v1 s2']);
    await at.cutOff({ kind: 'snapshot-delete', detail: { snapshot: 's2' } });
    expect(at.snapshots()).toEqual([]);
    expect(at.find('v1').value).not.toHaveProperty('pending');
  });

  it('leaves alone what this server is at, and what others do', async () => {
    await using at = await setUp();
    const { value } = at.find('v1');
    const pending = { kind: 'delete' as const, operation: '', server: 'm2' };
    await at.h.records.modify('volumes', idOf(value), () => ({ ...value, pending }), { signal });
    await recoverVolumes(at.context, ['m1'], { signal });
    expect(at.names()).toEqual(['default:v1']);
  });
});
