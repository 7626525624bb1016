import { LxdError } from '@lxd-ts/core';
import type { InstanceRecord } from '@lxd-ts/state';
import { drivers, fakeAgent, harness, type FakeAgent, type Harness } from '../testing/harness.ts';
import { createInstance } from './create.ts';
import { startDelete } from './delete.ts';
import { listInstances, withStates } from './list.ts';
import { startRename } from './rename.ts';
import type { InstancesPost } from './requests.ts';
import { instancesService, type InstancesService } from './service.ts';
import { startBulkStateChange, startStateChange } from './state-change.ts';
import { patch, startUpdate } from './update.ts';

const signal = AbortSignal.timeout(60_000);
const fingerprint = 'ab'.repeat(32);

let first: FakeAgent;
let second: FakeAgent;
let h: Harness;
let service: InstancesService;

const image = (members: string[]) =>
  h.records
    .transaction()
    .create('images', ['default', fingerprint], {
      project: 'default',
      fingerprint,
      filename: 'x.tar.xz',
      size: 1,
      architecture: 'x86_64',
      type: 'container',
      public: false,
      autoUpdate: false,
      cached: false,
      properties: { os: 'Busy' },
      profiles: ['default'],
      createdAt: '',
      expiresAt: '',
      lastUsedAt: '',
      uploadedAt: '',
      members,
    })
    .commit({ signal });

async function setUp(members: 1 | 2 = 1): Promise<void> {
  first = fakeAgent();
  second = fakeAgent();
  h = await harness(members === 1 ? { m1: first.agent } : { m1: first.agent, m2: second.agent });
  service = instancesService(h.services, drivers);
}

const create = (body: InstancesPost, target?: string) =>
  h.finish(
    createInstance(service.context, {
      project: 'default',
      body: { source: { type: 'none' }, ...body },
      ...(target === undefined ? {} : { target }),
    }),
  );
const record = (name: string): InstanceRecord => h.records.get('instances', 'default', name)!.value;
const exists = (name: string) => h.records.get('instances', 'default', name) !== undefined;
const status = (name: string) => h.records.get('statuses', 'default', name)?.value.status;
const state = (name: string, action: string, more = {}) =>
  h.finish(startStateChange(service.context, 'default', name, { action, ...more }));

afterEach(() => h[Symbol.asyncDispose]());

describe('creating', () => {
  beforeEach(() => setUp());

  it('keeps the record, the place and the keys the server decides', async () => {
    await image(['m1']);
    await create({ name: 'c1', source: { type: 'image', fingerprint: fingerprint.slice(0, 6) } });
    const { config, pending } = record('c1');
    expect(pending).toBeUndefined();
    expect(config).toMatchObject({
      'image.os': 'Busy',
      'volatile.base_image': fingerprint,
      'volatile.apply_template': 'create',
      'volatile.idmap.base': '0',
      'volatile.last_state.idmap': '[]',
    });
    expect(config['volatile.eth0.hwaddr']).toMatch(/^00:16:3e(:[0-9a-f]{2}){3}$/);
    expect(JSON.parse(config['volatile.idmap.next']!)).toHaveLength(2);
    expect(h.records.get('placements', 'default', 'c1')?.value).toEqual({ member: 'm1' });
    expect(h.events.map(({ action }) => action)).toEqual(['instance-created']);
    expect(first.calls).toEqual(['createInstance c1 image']);
  });

  it('gives every NIC an address of its own', async () => {
    await create({ name: 'c1' });
    await create({ name: 'c2' });
    expect(record('c1').config['volatile.eth0.hwaddr']).not.toBe(record('c2').config['volatile.eth0.hwaddr']);
  });

  it('makes up a name', async () => {
    const { resources } = await create({});
    expect(resources?.['instances']?.[0]).toMatch(/^[a-z]+-[a-z]+$/);
  });

  // What LXD 5.0.2 answers to each, at once or by the operation's failure.
  it.each<[InstancesPost, string]>([
    [{ name: 'c_1' }, 'Invalid instance name: Name can only contain alphanumeric and hyphen characters'],
    [{ name: '1c' }, 'Invalid instance name: Name must not start with a number'],
    [{ name: 'a'.repeat(64) }, 'Invalid instance name: Name must be 1-63 characters long'],
    [{ name: 'a/b' }, 'The character "/" is reserved for snapshots'],
    [{ name: 'x', type: 'foo' }, 'Invalid instance type'],
    [{ name: 'x', source: {} }, 'Unknown source type '],
    [{ name: 'x', source: { type: 'image', alias: 'nope' } }, 'Image alias not found'],
    [
      { name: 'x', source: { type: 'image', fingerprint: 'nope' } },
      'Image not provided for instance creation',
    ],
    [
      { name: 'x', source: { type: 'image' } },
      'Must specify one of alias, fingerprint or properties for init from image',
    ],
    [{ name: 'x', source: { type: 'copy' } }, 'Must specify a source instance'],
    [
      { name: 'x', source: { type: 'copy', source: 'nope' } },
      'Failed to fetch instance "nope" in project "default": Instance not found',
    ],
    [{ name: 'x', profiles: ['nope'] }, 'Requested profile "nope" doesn\'t exist'],
    [
      { name: 'x', profiles: ['default', 'default'] },
      'Failed creating instance record: Duplicate profile found in request',
    ],
    [
      { name: 'x', config: { foo: 'bar' } },
      'Failed creating instance record: Unknown configuration key: foo',
    ],
    [
      { name: 'x', devices: { e: { type: 'wat' } } },
      'Failed creating instance record: Invalid device type wat',
    ],
    [
      { name: 'x', profiles: [] },
      'Failed creating instance record: Failed initialising instance: Failed getting root disk: No root device could be found',
    ],
    [
      { name: 'x', devices: { root: { type: 'none' } } },
      'Failed creating instance record: Failed initialising instance: Invalid devices: Failed detecting root disk device: No root device could be found',
    ],
    [
      { name: 'x', devices: { root: { type: 'disk', path: '/', pool: 'nope' } } },
      'Failed creating instance record: Failed initialising instance: Failed loading storage pool: Storage pool not found',
    ],
    [
      { name: 'x', devices: { eth0: { type: 'nic', network: 'nope' } } },
      'Failed creating instance record: Failed initialising instance: Invalid devices: Device validation failed for "eth0": Failed loading device "eth0": Failed to load network "nope" for project "default": Network not found',
    ],
    [
      { name: 'x', devices: { eth0: { type: 'nic', network: 'br0', wat: '1' } } },
      'Failed creating instance record: Failed initialising instance: Invalid devices: Device validation failed for "eth0": Invalid device option "wat"',
    ],
    [
      { name: 'x', devices: { e0: { type: 'nic', network: 'br0', name: 'eth0' } } },
      'Failed creating instance record: Failed initialising instance: Invalid devices: Device validation failed for "e0": Invalid value for device option "name": Duplicate NIC name detected "eth0"',
    ],
  ])('refuses %j', async (body, message) => {
    await expect(create(body)).rejects.toThrow(message);
    await expect(create(body)).rejects.toMatchObject({ message });
    expect(h.records.list('instances')).toEqual([]);
    expect(first.calls).toEqual([]);
  });

  it('refuses a name that is taken', async () => {
    await create({ name: 'c1' });
    await expect(create({ name: 'c1' })).rejects.toThrow(
      'Failed creating instance record: Add instance info to the database: This "instances" entry already exists',
    );
    expect(exists('c1')).toBe(true);
  });

  it('lets one of two that race for a name win', async () => {
    const results = await Promise.allSettled([create({ name: 'c1' }), create({ name: 'c1' })]);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(record('c1').pending).toBeUndefined();
  });

  it('takes back what failed', async () => {
    first.fail.set('createInstance', new LxdError('internal', 'no space left'));
    await expect(create({ name: 'c1' })).rejects.toThrow('no space left');
    expect(exists('c1')).toBe(false);
    expect(h.records.get('placements', 'default', 'c1')).toBeUndefined();
    expect(first.volumes.size).toBe(0);
    expect(h.events).toEqual([]);
  });

  it('leaves what cannot be taken back on record for recovery', async () => {
    first.fail.set('createInstance', new LxdError('internal', 'no space left'));
    first.fail.set('deleteInstance', new LxdError('unavailable', 'gone'));
    await expect(create({ name: 'c1' })).rejects.toThrow('no space left');
    expect(record('c1').pending?.kind).toBe('create');
    await expect(service.recover(['m1'], { signal })).resolves.toBe(0);
    expect(exists('c1')).toBe(false);
    expect(first.volumes.size).toBe(0);
  });

  it('copies, with what is the source’s own left out and overrides put over it', async () => {
    await create({ name: 'c1', config: { 'user.a': '1', 'user.b': '1' }, devices: { d: { type: 'none' } } });
    await create({ name: 'c2', source: { type: 'copy', source: 'c1' }, config: { 'user.b': '2' } });
    const { config, devices } = record('c2');
    expect(config).toMatchObject({ 'user.a': '1', 'user.b': '2', 'volatile.apply_template': 'copy' });
    expect(config['volatile.uuid']).not.toBe(record('c1').config['volatile.uuid']);
    expect(config['volatile.eth0.hwaddr']).not.toBe(record('c1').config['volatile.eth0.hwaddr']);
    expect(devices).toEqual({ d: { type: 'none' } });
    expect(first.calls.at(-1)).toBe('createInstance c2 copy');
  });
});

describe('several members', () => {
  beforeEach(() => setUp(2));

  it('spreads instances, or follows the target', async () => {
    await create({ name: 'c1' }, 'm2');
    await create({ name: 'c2' });
    expect(h.records.get('placements', 'default', 'c1')?.value.member).toBe('m2');
    expect(h.records.get('placements', 'default', 'c2')?.value.member).toBe('m1');
    await expect(create({ name: 'c3' }, 'm9')).rejects.toThrow('Cluster member not found');
  });

  it('brings the image to the member first', async () => {
    await image(['m1']);
    const received: string[] = [];
    Object.assign(first.agent, { sendImage: async () => [] });
    Object.assign(second.agent, {
      receiveImage: async (_parts: unknown, { expected }: { expected: string }) => received.push(expected),
    });
    await create({ name: 'c1', source: { type: 'image', fingerprint } }, 'm2');
    expect(received).toEqual([fingerprint]);
    expect(h.records.get('images', 'default', fingerprint)?.value.members).toEqual(['m1', 'm2']);
  });

  it('asks every member once for all states', async () => {
    await create({ name: 'c1' }, 'm1');
    await create({ name: 'c2' }, 'm2');
    await create({ name: 'c3' }, 'm2');
    await state('c3', 'start');
    const views = listInstances(h.services, {
      project: 'default',
      allProjects: false,
      type: null,
      keep: () => true,
    });
    const full = await withStates(h.services, views, signal);
    expect(second.calls.filter((call) => call.startsWith('instanceStates'))).toEqual(['instanceStates 2']);
    expect(full.map((view) => [view['name'], view['status'], view['location']])).toEqual([
      ['c1', 'Stopped', 'm1'],
      ['c2', 'Stopped', 'm2'],
      ['c3', 'Running', 'm2'],
    ]);
    expect(full[2]).toMatchObject({ snapshots: null, backups: null, state: { pid: 42, status: 'Running' } });
  });
});

describe('changing state', () => {
  beforeEach(async () => {
    await setUp();
    await create({ name: 'c1' });
    h.events.length = 0;
  });

  it('starts and stops', async () => {
    await state('c1', 'start');
    expect(status('c1')).toBe('Running');
    expect(record('c1').config).toMatchObject({
      'volatile.last_state.power': 'RUNNING',
      'volatile.eth0.host_name': 'veth1',
    });
    expect(record('c1').config['volatile.apply_template']).toBeUndefined();
    expect(record('c1').lastUsedAt).toBe('2026-01-02T03:04:05.000Z');
    await state('c1', 'stop', { force: true });
    expect(status('c1')).toBe('Stopped');
    expect(record('c1').config['volatile.last_state.power']).toBe('STOPPED');
    expect(record('c1').config['volatile.eth0.host_name']).toBeUndefined();
    expect(h.events.map(({ action }) => action)).toEqual(['instance-started', 'instance-stopped']);
  });

  it.each([
    ['stop', 'The instance is already stopped'],
    ['restart', 'The instance is already stopped'],
    ['freeze', "The container isn't running"],
    ['unfreeze', "The container isn't running"],
    ['wat', "Unknown action: 'wat'"],
  ])('refuses %s of a stopped one', async (action, message) => {
    await expect((async () => state('c1', action))()).rejects.toMatchObject({ message });
  });

  it('refuses what does not fit a running one', async () => {
    await state('c1', 'start');
    await expect(state('c1', 'start')).rejects.toThrow('The instance is already running');
    expect(() => startDelete(service.context, 'default', 'c1')).toThrow('Instance is running');
    await expect(h.finish(startRename(service.context, 'default', 'c1', 'c2'))).rejects.toThrow(
      'Renaming of running container not allowed',
    );
    await state('c1', 'freeze');
    expect(status('c1')).toBe('Frozen');
    await expect(state('c1', 'freeze')).rejects.toThrow('The container is already frozen');
    await state('c1', 'unfreeze');
    await state('c1', 'restart', { force: true });
    expect(status('c1')).toBe('Running');
  });

  it('lets only one of two changes happen', async () => {
    const gate = Promise.withResolvers<undefined>();
    const { startInstance } = first.agent;
    Object.assign(first.agent, {
      startInstance: async (...args: Parameters<typeof startInstance>) => {
        await gate.promise;
        return startInstance(...args);
      },
    });
    const one = state('c1', 'start');
    const two = state('c1', 'start');
    await expect(two).rejects.toThrow(
      'Failed to create instance start operation: Instance is busy running a "start" operation',
    );
    gate.resolve(undefined);
    await one;
  });

  it('leaves a stopped one that did not start stopped', async () => {
    first.fail.set('startInstance', new LxdError('internal', 'no bridge'));
    await expect(state('c1', 'start')).rejects.toThrow('no bridge');
    expect(status('c1') ?? 'Stopped').toBe('Stopped');
  });

  it('deletes an ephemeral one once it has stopped', async () => {
    await create({ name: 'e1', ephemeral: true });
    await state('e1', 'start');
    await state('e1', 'stop', { force: true });
    expect(exists('e1')).toBe(false);
    expect(first.volumes.has('e1')).toBe(false);
  });

  it('changes all that it can concern, and names those that failed', async () => {
    await create({ name: 'c2' });
    await state('c2', 'start');
    const bulk = (action: string) =>
      h.finish(startBulkStateChange(service.context, 'default', { action, force: true }));
    expect((await bulk('stop')).resources).toEqual({ instances: ['c2'] });
    first.fail.set('startInstance', new LxdError('internal', 'no bridge'));
    await expect(bulk('start')).rejects.toThrow(
      /^The following instances failed to update state:\n - Instance: c\d: no bridge\n$/,
    );
  });
});

describe('changing, renaming, deleting', () => {
  beforeEach(async () => {
    await setUp();
    await create({ name: 'c1', description: 'old' });
  });

  const put = (body: object) =>
    h.finish(startUpdate(service.context, { project: 'default', name: 'c1', body }));
  const patchC1 = (body: object) => patch(service.context, { project: 'default', name: 'c1', body }, signal);

  it('patches', async () => {
    await patchC1({ config: { 'user.a': '1' } });
    expect(record('c1').config['user.a']).toBe('1');
    expect(record('c1').description).toBe('old');
    await patchC1({ config: { 'user.a': '' } });
    expect(record('c1').config).not.toHaveProperty('user.a');
    expect(record('c1').pending).toBeUndefined();
  });

  it('puts', async () => {
    const { config } = record('c1');
    await put({ config: { ...config, 'limits.memory': '1GB' }, profiles: ['default'], description: 'new' });
    expect(record('c1')).toMatchObject({ description: 'new', config: { 'limits.memory': '1GB' } });
  });

  it.each<[object, string]>([
    [{ profiles: ['default'] }, "Volatile idmap keys can't be deleted by the user"],
    [{ config: { 'limits.memory': 'x' } }, 'Invalid config: Invalid value: x'],
    [
      { devices: { e: { type: 'wat' } } },
      'Invalid devices: Device validation failed for "e": Failed loading device "e": Unsupported device type',
    ],
  ])('refuses to put %j', async (body, message) => {
    const before = record('c1');
    await expect(put(body)).rejects.toMatchObject({ message });
    expect(record('c1')).toEqual(before);
  });

  it('puts the old configuration back when the agent cannot follow', async () => {
    const before = record('c1');
    first.fail.set('updateInstance', new LxdError('internal', 'no such cgroup'));
    await expect(patchC1({ config: { 'limits.memory': '1GB' } })).rejects.toThrow('no such cgroup');
    expect(record('c1')).toEqual(before);
  });

  it('answers a lost race by 412', async () => {
    const { revision } = h.records.get('instances', 'default', 'c1')!;
    await patchC1({ config: { 'user.a': '1' } });
    const late = { project: 'default', name: 'c1', body: { config: { 'user.a': '2' } }, revision };
    await expect(patch(service.context, late, signal)).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(record('c1').config['user.a']).toBe('1');
  });

  it('renames', async () => {
    await h.finish(startRename(service.context, 'default', 'c1', 'c2'));
    expect(exists('c1')).toBe(false);
    expect(record('c2')).toMatchObject({ name: 'c2', description: 'old' });
    expect(h.records.get('placements', 'default', 'c2')?.value.member).toBe('m1');
    expect(first.volumes).toEqual(new Set(['c2']));
    expect(() => startRename(service.context, 'default', 'c2', 'c2')).toThrow('Name "c2" already in use');
  });

  it('keeps the old name when the agent cannot rename', async () => {
    first.fail.set('renameInstance', new LxdError('internal', 'busy'));
    await expect(h.finish(startRename(service.context, 'default', 'c1', 'c2'))).rejects.toThrow('busy');
    expect(record('c1').pending).toBeUndefined();
    expect(exists('c2')).toBe(false);
    expect(first.volumes).toEqual(new Set(['c1']));
  });

  it('deletes, unless it is protected', async () => {
    await patchC1({ config: { 'security.protection.delete': 'true' } });
    const remove = () => h.finish(startDelete(service.context, 'default', 'c1'));
    await expect(remove()).rejects.toThrow('Container is protected');
    await patchC1({ config: { 'security.protection.delete': '' } });
    await remove();
    expect(h.records.list('instances')).toEqual([]);
    expect(h.records.list('placements')).toEqual([]);
    expect(first.volumes.size).toBe(0);
  });
});
