import { Readable } from 'node:stream';
import { LxdError, type VolumeSpec } from '@lxd-ts/core';
import type { BackupRequest, BackupSource } from '@lxd-ts/rpc';
import { InFlight } from '../shared/in-flight.ts';
import { drivers, fakeAgent, harness } from '../testing/harness.ts';
import type { VolumesContext } from '../volumes/context.ts';
import { createVolume, deleteVolume, renameVolume } from '../volumes/service.ts';
import { startSnapshot } from '../volumes/snapshots.ts';
import {
  recoverVolumeBackups,
  startVolumeBackup,
  startVolumeBackupRename,
  volumeBackupDuties,
} from './backups.ts';
import { importVolume } from './import.ts';

const caller = { protocol: 'unix' as const, username: 'root', trusted: true };
const place = { pool: 'default', project: 'default', name: 'v1', member: 'm1' };

/** A member that keeps what it was told instead of files. */
async function setUp(received: Record<string, unknown> = {}) {
  const files = new Map<string, BackupRequest | undefined>();
  const restored: { volume: string; source: BackupSource }[] = [];
  const state: { full: boolean; meanwhile?: () => Promise<void> } = { full: false };
  const fake = fakeAgent({
    createVolumeBackup: async (_volume: VolumeSpec, request: BackupRequest) => {
      await state.meanwhile?.();
      if (state.full) throw new LxdError('internal', 'no space');
      files.set(request.id, request);
      return { size: 1 };
    },
    deleteBackup: async (id: string) => void files.delete(id),
    receiveBackup: async (id: string) => {
      files.set(id, undefined);
      return { index: received };
    },
    restoreVolumeBackup: async ({ name: volume }: VolumeSpec, source: BackupSource) => {
      if (state.full) throw new LxdError('internal', 'no space');
      restored.push({ volume, source });
    },
  });
  const h = await harness({ m1: fake.agent });
  const context: VolumesContext = { services: h.services, working: new InFlight(), drivers };
  await createVolume(context, place, { description: 'd', config: { 'user.a': 'b' } }, caller);
  const find = (name = 'v1') => {
    const found = h.records.get('volumes', 'default', 'default', name, 'm1');
    if (!found) throw new Error(`no volume ${name}`);
    return found;
  };
  const input = (headers: Record<string, string> = {}) => ({
    ...{ pool: 'default', project: 'default', member: 'm1', caller, headers },
    body: Readable.from([Buffer.from('x')]),
  });
  return {
    h,
    files,
    restored,
    state,
    context,
    find,
    names: () => h.records.list('volumeBackups').map(({ value }) => `${value.volume}/${value.name}`),
    backUp: (body = {}) => h.finish(startVolumeBackup(h.services, find(), body, caller)),
    take: (headers?: Record<string, string>) =>
      h.finish(importVolume(context, input(headers), AbortSignal.timeout(5000))),
    [Symbol.asyncDispose]: () => h[Symbol.asyncDispose](),
  };
}

describe('a backup of a volume', () => {
  it('tells of the volume and of its snapshots as LXD does', async () => {
    await using at = await setUp();
    await at.h.finish(startSnapshot(at.context, at.find(), { name: 's1' }, caller));
    await at.backUp({ name: 'b1' });
    const [request] = [...at.files.values()];
    expect(request).toMatchObject({ snapshots: ['s1'], compression: 'gzip', optimized: false });
    expect(request?.index).toMatchObject({
      name: 'v1',
      type: 'custom',
      snapshots: ['s1'],
      config: { volume: { name: 'v1', config: { 'user.a': 'b' } }, volume_snapshots: [{ name: 's1' }] },
    });
    await at.backUp({ volume_only: true });
    expect([...at.files.values()][1]).toMatchObject({ snapshots: [] });
    expect(at.names()).toEqual(['v1/b1', 'v1/backup0']);
  });

  it('that cannot be written leaves nothing', async () => {
    await using at = await setUp();
    at.state.full = true;
    await expect(at.backUp()).rejects.toThrow('no space');
    expect([at.names(), at.files.size]).toEqual([[], 0]);
  });

  it('is refused under a name that is taken, and renamed only to a free one', async () => {
    await using at = await setUp();
    await at.backUp({ name: 'a' });
    await at.backUp({ name: 'b' });
    await expect(at.backUp({ name: 'a' })).rejects.toThrow('Backup "v1/a" already exists');
    const rename = (from: string, to: string) =>
      at.h.finish(startVolumeBackupRename(at.h.services, at.find().value, [from, to], caller));
    await expect(rename('a', 'b')).rejects.toThrow('Backup "v1/b" already exists');
    await rename('a', 'c');
    expect(at.names()).toEqual(['v1/b', 'v1/c']);
    expect(at.files.size).toBe(2);
  });

  it('follows its volume to another name, and ends with it', async () => {
    await using at = await setUp();
    await at.backUp({ name: 'b1' });
    await renameVolume(at.context, at.find(), 'v2', caller);
    expect(at.names()).toEqual(['v2/b1']);
    await deleteVolume(at.context, at.find('v2'), caller);
    expect([at.names(), at.files.size]).toEqual([[], 0]);
  });

  it.each([
    [false, ['v2/b1'], 1],
    [true, [], 0],
  ])('follows its volume also while it is made (which fails: %s)', async (full, names, files) => {
    await using at = await setUp();
    at.state.meanwhile = () => renameVolume(at.context, at.find(), 'v2', caller);
    at.state.full = full;
    const work = at.backUp({ name: 'b1' });
    if (full) await expect(work).rejects.toThrow('no space');
    else await work;
    expect([at.names(), at.files.size]).toEqual([names, files]);
    expect(at.h.records.list('volumeBackups').filter(({ value }) => value.pending)).toEqual([]);
  });

  it('goes when its time is over, or when its server ended before it was whole', async () => {
    await using at = await setUp();
    await at.backUp({ name: 'old', expires_at: '2020-01-01T00:00:00Z' });
    await at.backUp({ name: 'new', expires_at: '2100-01-01T00:00:00Z' });
    for (const duty of volumeBackupDuties(at.h.services))
      await duty.run({ signal: AbortSignal.timeout(5000) } as Parameters<typeof duty.run>[0]);
    for (let tries = 0; at.names().length > 1 && tries < 100; tries++)
      await new Promise((done) => setTimeout(done, 10));
    expect(at.names()).toEqual(['v1/new']);
    const id: [string, string, string, string, string] = ['default', 'default', 'v1', 'm1', 'new'];
    const pending = { operation: 'gone', server: 'm1' };
    await at.h.records.modify('volumeBackups', id, (value) => ({ ...value, pending }), {
      signal: AbortSignal.timeout(5000),
    });
    await recoverVolumeBackups(at.h.services, ['other']);
    expect(at.names()).toEqual(['v1/new']);
    await recoverVolumeBackups(at.h.services, ['m1']);
    expect([at.names(), at.files.size]).toEqual([[], 0]);
  });
});

const described = {
  name: 'data',
  backend: 'btrfs',
  pool: 'elsewhere',
  snapshots: ['s0', 's1'],
  type: 'custom',
  config: {
    volume: {
      name: 'data',
      description: 'd',
      config: { 'user.x': 'y', 'volatile.idmap.last': '[{"Isuid":true,"Hostid":1000000,"Maprange":9}]' },
    },
    volume_snapshots: [
      { name: 's1', description: 'one', expires_at: '2040-01-01T00:00:00Z' },
      { name: 's0' },
    ],
  },
};

describe('a volume from a backup', () => {
  it('has the snapshots of it in their order, and no word of the owners that its files had there', async () => {
    await using at = await setUp(described);
    await at.take();
    expect(at.restored[0]?.volume).toBe('data');
    expect(at.restored[0]?.source).toMatchObject({
      backend: 'btrfs',
      optimized: false,
      snapshots: [{ name: 's0' }, { name: 's1' }],
      config: { 'volatile.idmap.last': expect.stringContaining('1000000') as string },
    });
    expect(at.find('data').value).toMatchObject({ description: 'd', config: { 'user.x': 'y' } });
    const snapshots = at.h.records.list('volumeSnapshots').map(({ value }) => value);
    expect(snapshots).toMatchObject([
      { name: 's0', description: '', expiresAt: '' },
      { name: 's1', description: 'one', expiresAt: '2040-01-01T00:00:00.000Z' },
    ]);
    expect(at.files.size).toBe(0);
  });

  it.each([
    ['one of an instance', { ...described, type: 'container', config: { container: { name: 'c1' } } }, {}],
    ['what is no description', {}, {}],
    ['a name that cannot be', described, { 'x-lxd-name': 'a/b' }],
    ['a name that is taken', described, { 'x-lxd-name': 'v1' }],
    [
      'keys that there are not',
      { ...described, config: { volume: { name: 'x', config: { wat: '1' } } } },
      {},
    ],
  ])('is not made of %s', async (_what, index, headers) => {
    await using at = await setUp(index);
    await expect(at.take(headers)).rejects.toThrow();
    expect([at.restored, at.files.size, at.h.records.list('volumes').length]).toEqual([[], 0, 1]);
  });

  it('leaves nothing when its files do not come to their place', async () => {
    await using at = await setUp(described);
    at.state.full = true;
    await expect(at.take()).rejects.toThrow('no space');
    expect([at.files.size, at.h.records.list('volumes').length]).toEqual([0, 1]);
  });
});
