import { LxdError } from '@lxd-ts/core';
import type { InstanceRecord, Pending, SnapshotRecord } from '@lxd-ts/state';
import { drivers, fakeAgent, harness, type FakeAgent, type Harness } from '../testing/harness.ts';
import { createInstance } from './create.ts';
import { startDelete } from './delete.ts';
import { startRename } from './rename.ts';
import type { InstanceSourceBody, InstanceSnapshotsPost } from './requests.ts';
import { instancesService, type InstancesService } from './service.ts';
import { expiryOf, nextSnapshotName } from './snapshot-names.ts';
import { snapshotsOf } from './snapshot-records.ts';
import { startSnapshot, startSnapshotDelete, startSnapshotRename, startSnapshotUpdate } from './snapshots.ts';
import { snapshotDuties } from './snapshot-duties.ts';
import { startStateChange } from './state-change.ts';
import { patch, startUpdate } from './update.ts';

const signal = AbortSignal.timeout(60_000);
const project = 'default';

let agent: FakeAgent;
let h: Harness;
let service: InstancesService;

const record = (name: string): InstanceRecord => h.records.get('instances', project, name)!.value;
const snapshot = (name: string, of = 'c1'): SnapshotRecord | undefined =>
  h.records.get('snapshots', project, of, name)?.value;
const take = (body: InstanceSnapshotsPost) => h.finish(startSnapshot(service.context, project, 'c1', body));
const copy = (name: string, source: InstanceSourceBody) =>
  h.finish(createInstance(service.context, { project, body: { name, source: { type: 'copy', ...source } } }));
const names = (of: string) => snapshotsOf(h.services, project, of).map(({ name }) => name);

beforeEach(async () => {
  agent = fakeAgent();
  h = await harness({ m1: agent.agent });
  service = instancesService(h.services, drivers);
  await h.finish(
    createInstance(service.context, { project, body: { name: 'c1', source: { type: 'none' } } }),
  );
});
afterEach(() => h[Symbol.asyncDispose]());

test.each([
  ['snap%d', [], 'snap0'],
  ['', ['snap0', 'snap7', 'other'], 'snap8'],
  ['daily', [], 'daily'],
  ['daily', ['daily'], 'daily-0'],
  ['daily', ['daily', 'daily-4'], 'daily-5'],
  ['a-%d-z', ['a-1-z', 'a-x-z'], 'a-2-z'],
  ['{{ creation_date }}', [], '2026-03-04_05-06-07'],
  ["{{creation_date|date:'2006-01-02'}}-%d", [], '2026-03-04-0'],
])('the next name of %p beside %j is %s', (pattern, taken, name) => {
  expect(nextSnapshotName(pattern, taken, new Date('2026-03-04T05:06:07Z'))).toBe(name);
});

test.each([
  [undefined, ''],
  ['30M', '2026-03-04T05:36:07.000Z'],
  ['1w 3d', '2026-03-14T05:06:07.000Z'],
  ['1m 1y 2H', '2027-04-04T07:06:07.000Z'],
])('%p ends at %s', (expression, end) => {
  expect(expiryOf(expression, new Date('2026-03-04T05:06:07Z'))).toBe(end);
});

describe('snapshots', () => {
  it('are taken of what the instance is then, named by its pattern, with its expiry', async () => {
    await patch(
      service.context,
      { project, name: 'c1', body: { config: { 'snapshots.pattern': 's%d', 'snapshots.expiry': '1d' } } },
      signal,
    );
    await take({});
    await take({ name: 'mine', expires_at: '2030-01-01T00:00:00Z' });
    await take({ name: 'kept', expires_at: '0001-01-01T00:00:00Z' });
    expect(agent.volumes).toEqual(new Set(['c1', 'c1/s0', 'c1/mine', 'c1/kept']));
    expect(snapshot('s0')).toMatchObject({ expiresAt: '2026-01-03T03:04:05.000Z', profiles: ['default'] });
    expect(snapshot('mine')?.expiresAt).toBe('2030-01-01T00:00:00.000Z');
    expect(snapshot('kept')?.expiresAt).toBe('');
    expect(snapshot('s0')?.config).toMatchObject({ 'snapshots.pattern': 's%d' });
    expect(record('c1').pending).toBeUndefined();
    expect(h.events.at(-1)).toMatchObject({
      action: 'instance-snapshot-created',
      source: '/1.0/instances/c1/snapshots/kept',
    });
  });

  it('are refused with names that cannot be, and leave nothing when they fail', async () => {
    await take({ name: 's1' });
    await expect(take({ name: 's1' })).rejects.toThrow(
      'Failed creating instance snapshot record "s1": Add snapshot info to the database: This "instances_snapshots" entry already exists',
    );
    await expect(take({ name: 'a b' })).rejects.toThrow(/Cannot contain space/);
    expect(() => take({ name: '../x' })).toThrow('Invalid snapshot name: Cannot contain "/"');
    await expect(take({ name: '..' })).rejects.toThrow(/begin with a dot/);
    await expect(take({ name: 's2', stateful: true })).rejects.toThrow(/isn't running/);
    agent.fail.set('createSnapshot', new LxdError('internal', 'no space'));
    await expect(take({ name: 's3' })).rejects.toThrow('no space');
    expect(names('c1')).toEqual(['s1']);
    expect(agent.volumes).toEqual(new Set(['c1', 'c1/s1']));
    expect(record('c1').pending).toBeUndefined();
  });

  it('are renamed, changed and deleted', async () => {
    await take({ name: 's1' });
    await take({ name: 's2' });
    const ref = { project, name: 'c1', snapshot: 's1' };
    expect(() => startSnapshotRename(service.context, ref, { name: 's2' })).toThrow(
      "Name 'c1/s2' already in use",
    );
    await h.finish(startSnapshotRename(service.context, ref, { name: 'r1' }));
    expect(agent.volumes).toEqual(new Set(['c1', 'c1/r1', 'c1/s2']));
    const renamed = { ...ref, snapshot: 'r1' };
    await h.finish(
      startSnapshotUpdate(service.context, renamed, { expires_at: '2031-01-01T00:00:00Z' }, 'replace'),
    );
    await h.finish(startSnapshotUpdate(service.context, renamed, {}, 'merge'));
    expect(snapshot('r1')?.expiresAt).toBe('2031-01-01T00:00:00.000Z');
    await h.finish(startSnapshotUpdate(service.context, renamed, {}, 'replace'));
    expect(snapshot('r1')?.expiresAt).toBe('');
    await h.finish(startSnapshotDelete(service.context, renamed));
    expect(names('c1')).toEqual(['s2']);
    expect(() => startSnapshotDelete(service.context, renamed)).toThrow(
      'Failed to fetch snapshot "r1" of instance "c1" in project "default": InstanceSnapshot not found',
    );
  });

  it('follow their instance: renamed with it, copied with it, gone with it', async () => {
    await take({ name: 's1' });
    await take({ name: 's2' });
    await h.finish(startRename(service.context, project, 'c1', 'c2'));
    expect([names('c1'), names('c2')]).toEqual([[], ['s1', 's2']]);
    await copy('all', { source: 'c2' });
    await copy('alone', { source: 'c2', instance_only: true });
    await copy('then', { source: 'c2/s1' });
    expect([names('all'), names('alone'), names('then')]).toEqual([['s1', 's2'], [], []]);
    expect(snapshot('s1', 'all')?.createdAt).toBe(snapshot('s1', 'c2')?.createdAt);
    expect(snapshot('s1', 'all')?.config['volatile.uuid']).toBeUndefined();
    await h.finish(startDelete(service.context, project, 'c2'));
    expect([names('c2'), names('all')]).toEqual([[], ['s1', 's2']]);
    await expect(copy('x', { source: 'all/nope' })).rejects.toThrow(/InstanceSnapshot not found/);
  });

  it('give back configuration and files, with a stop and a start where it runs', async () => {
    await patch(service.context, { project, name: 'c1', body: { config: { 'user.a': 'then' } } }, signal);
    await take({ name: 's1' });
    await patch(
      service.context,
      { project, name: 'c1', body: { config: { 'user.a': 'now', 'user.b': '1' }, ephemeral: true } },
      signal,
    );
    await h.finish(startStateChange(service.context, project, 'c1', { action: 'start' }));
    agent.calls.length = 0;
    await h.finish(startUpdate(service.context, { project, name: 'c1', body: { restore: 'c1/s1' } }));
    expect(agent.calls).toEqual(['stopInstance c1', 'restoreSnapshot c1 s1', 'startInstance c1']);
    expect(record('c1')).toMatchObject({ ephemeral: false, config: { 'user.a': 'then' } });
    expect(record('c1').config['user.b']).toBeUndefined();
    await expect(
      h.finish(startUpdate(service.context, { project, name: 'c1', body: { restore: 'nope' } })),
    ).rejects.toThrow('Snapshot c1/nope does not exist');
  });

  it('that differ are all that a refresh copies', async () => {
    await take({ name: 's1' });
    await take({ name: 's2' });
    await copy('k', { source: 'c1' });
    await h.finish(startSnapshotDelete(service.context, { project, name: 'c1', snapshot: 's1' }));
    await take({ name: 's3' });
    agent.calls.length = 0;
    await copy('k', { source: 'c1', refresh: true });
    expect(names('k')).toEqual(['s2', 's3']);
    expect(agent.calls).toEqual(['deleteSnapshot k s1', 'refreshInstance k c1 s2,s3']);
    await copy('new', { source: 'c1', refresh: true });
    expect(names('new')).toEqual(['s2', 's3']);
    await expect(copy('c1', { source: 'c1', refresh: true })).rejects.toThrow(/from itself/);
  });

  it('are left alone by a refresh without snapshots', async () => {
    await take({ name: 's1' });
    await copy('k', { source: 'c1' });
    await take({ name: 's2' });
    await copy('k', { source: 'c1', refresh: true, instance_only: true });
    expect(names('k')).toEqual(['s1']);
  });

  it('of a refresh that fails are not there', async () => {
    await copy('k', { source: 'c1' });
    await take({ name: 's1' });
    agent.fail.set('refreshInstance', new LxdError('internal', 'no space'));
    await expect(copy('k', { source: 'c1', refresh: true })).rejects.toThrow('no space');
    expect([names('k'), agent.volumes.has('k/s1')]).toEqual([[], false]);
    expect(record('k').pending).toBeUndefined();
  });
});

describe('the leader', () => {
  const term = { guard: { key: '', revision: 0 } as never, signal };
  const run = async (name: string) => {
    const duty = snapshotDuties(service.context).find((one) => one.name === name);
    await duty?.run(term);
    await duty?.run(term);
  };
  const until = async (done: () => boolean) => {
    for (let tries = 0; tries < 500 && !done(); tries++) await new Promise((next) => setTimeout(next, 5));
  };

  it('deletes snapshots whose time is over, and no others', async () => {
    await take({ name: 'old', expires_at: '2025-01-01T00:00:00Z' });
    await take({ name: 'new', expires_at: '2030-01-01T00:00:00Z' });
    await take({ name: 'kept' });
    await run('expired snapshots');
    await until(() => !names('c1').includes('old'));
    expect(names('c1').sort()).toEqual(['kept', 'new']);
  });

  it('takes those that are due, once, of what runs or is said to be taken stopped', async () => {
    const config = { 'snapshots.schedule': '* * * * *' };
    await patch(service.context, { project, name: 'c1', body: { config } }, signal);
    await run('scheduled snapshots');
    expect(names('c1')).toEqual([]);
    const stopped = { ...config, 'snapshots.schedule.stopped': 'true' };
    await patch(service.context, { project, name: 'c1', body: { config: stopped } }, signal);
    await run('scheduled snapshots');
    await until(() => names('c1').length > 0 && !record('c1').pending);
    expect(names('c1')).toEqual(['snap0']);
  });
});

describe('recovery', () => {
  const leave = (pending: Pick<Pending, 'kind' | 'detail'>) =>
    h.records.modify(
      'instances',
      [project, 'c1'],
      (value) => ({ ...value, pending: { operation: 'o', server: 'm1', ...pending } }),
      { signal },
    );
  const recover = () => service.recover(['m1'], { signal });

  it('takes back a snapshot that is not on record, whether or not the files are there', async () => {
    agent.volumes.add('c1/s1');
    await leave({ kind: 'snapshot', detail: { snapshot: 's1' } });
    await expect(recover()).resolves.toBe(0);
    expect(agent.volumes).toEqual(new Set(['c1']));
    expect(record('c1').pending).toBeUndefined();
  });

  it.each([
    ['snapshot-delete', {}, []],
    ['snapshot-rename', { to: 's2' }, ['s2']],
    ['restore', {}, ['s1']],
  ] as const)('finishes %s', async (kind, more, left) => {
    await take({ name: 's1' });
    await leave({ kind, detail: { snapshot: 's1', ...more } });
    await expect(recover()).resolves.toBe(0);
    expect(names('c1')).toEqual(left);
    expect(record('c1').pending).toBeUndefined();
  });

  it('finishes a refresh, or leaves nothing of it when its source is gone', async () => {
    await copy('k', { source: 'c1' });
    await h.finish(startDelete(service.context, project, 'k'));
    await copy('src', { source: 'c1' });
    await h.finish(startSnapshot(service.context, project, 'src', { name: 's1' }));
    const detail = { source: JSON.stringify({ source: 'src' }), snapshots: '["s1"]' };
    await leave({ kind: 'refresh', detail });
    await expect(recover()).resolves.toBe(0);
    expect(names('c1')).toEqual(['s1']);
    agent.volumes.add('c1/s9');
    await leave({
      kind: 'refresh',
      detail: { source: JSON.stringify({ source: 'nope' }), snapshots: '["s1","s9"]' },
    });
    await expect(recover()).resolves.toBe(0);
    expect([names('c1'), agent.volumes.has('c1/s9')]).toEqual([['s1'], false]);
  });

  it('has on record what there is after a refresh from another server was cut off', async () => {
    await take({ name: 's1' });
    await take({ name: 's2' });
    agent.volumes.delete('c1/s1');
    agent.volumes.add('c1/s3');
    await leave({ kind: 'refresh' });
    await expect(recover()).resolves.toBe(0);
    expect(names('c1')).toEqual(['s2']);
    expect(agent.volumes.has('c1/s3')).toBe(false);
    expect(record('c1').pending).toBeUndefined();
  });
});
