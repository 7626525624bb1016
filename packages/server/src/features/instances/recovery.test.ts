import { LxdError } from '@lxd-ts/core';
import type { InstanceRecord, Pending } from '@lxd-ts/state';
import { drivers, fakeAgent, harness, type FakeAgent, type Harness } from '../testing/harness.ts';
import { createInstance } from './create.ts';
import type { InstancesPost } from './requests.ts';
import { instancesService, type InstancesService } from './service.ts';
import { startStateChange } from './state-change.ts';

const signal = AbortSignal.timeout(60_000);

let first: FakeAgent;
let h: Harness;
let service: InstancesService;

async function setUp(): Promise<void> {
  first = fakeAgent();
  h = await harness({ m1: first.agent });
  service = instancesService(h.services, drivers);
}

const create = (body: InstancesPost) =>
  h.finish(
    createInstance(service.context, { project: 'default', body: { source: { type: 'none' }, ...body } }),
  );
const record = (name: string): InstanceRecord => h.records.get('instances', 'default', name)!.value;
const exists = (name: string) => h.records.get('instances', 'default', name) !== undefined;
const status = (name: string) => h.records.get('statuses', 'default', name)?.value.status;
const state = (name: string, action: string, more = {}) =>
  h.finish(startStateChange(service.context, 'default', name, { action, ...more }));

afterEach(() => h[Symbol.asyncDispose]());

describe('recovery', () => {
  beforeEach(async () => {
    await setUp();
    await create({ name: 'c1' });
  });

  const leave = (pending: Omit<Pending, 'operation' | 'server'>) =>
    h.records.modify(
      'instances',
      ['default', 'c1'],
      (value) => ({ ...value, pending: { operation: 'o', server: 'm1', ...pending } }),
      { signal },
    );

  it.each(['create', 'delete'] as const)('removes what was left in %s', async (kind) => {
    await leave({ kind });
    await service.recover(['m1'], { signal });
    expect(exists('c1')).toBe(false);
    expect(first.volumes.size).toBe(0);
  });

  it('leaves alone what this server is at, however far it is by its turn', async () => {
    // As soon as the intent is there to be seen.
    let recovering: Promise<number> | undefined;
    using _heard = h.records.onChange('instances', ([, name]) => {
      if (name === 'c2') recovering ??= service.recover(['m1'], { signal });
    });
    await create({ name: 'c2' });
    await recovering;
    await service.recover(['m1'], { signal });
    expect(record('c2').pending).toBeUndefined();
    expect(first.volumes.has('c2')).toBe(true);
  });

  it('finishes a rename, whether or not the agent had done it', async () => {
    first.volumes.delete('c1');
    first.volumes.add('c2');
    await leave({ kind: 'rename', detail: { to: 'c2' } });
    await service.recover(['m1'], { signal });
    expect(exists('c1')).toBe(false);
    expect(record('c2').pending).toBeUndefined();
    expect(first.volumes).toEqual(new Set(['c2']));
  });

  it('puts a change into effect again', async () => {
    await leave({ kind: 'update', detail: { before: JSON.stringify(record('c1')) } });
    await service.recover(['m1'], { signal });
    expect(record('c1').pending).toBeUndefined();
    expect(first.calls).toContain('updateInstance c1');
  });

  it('leaves alone what another server still does', async () => {
    await leave({ kind: 'delete' });
    await service.recover(['m9'], { signal });
    expect(record('c1').pending?.kind).toBe('delete');
  });

  it('counts what it cannot reach', async () => {
    await leave({ kind: 'delete' });
    first.fail.set('deleteInstance', new LxdError('unavailable', 'offline'));
    await expect(service.recover(['m1'], { signal })).resolves.toBe(1);
    expect(exists('c1')).toBe(true);
  });
});

describe('what happens by itself', () => {
  beforeEach(async () => {
    await setUp();
    await create({ name: 'c1' });
    await create({ name: 'c2', config: { 'boot.autostart': 'true', 'boot.autostart.priority': '5' } });
    await create({ name: 'c3', config: { 'boot.autostart': 'false' } });
  });

  const seen = (name: string, what: 'Running' | 'Stopped', cause?: 'shutdown') =>
    service.observe(
      'm1',
      {
        kind: 'instance',
        instance: { project: 'default', name, status: what, pid: what === 'Running' ? 9 : 0 },
        ...(cause ? { cause } : {}),
      },
      { signal },
    );

  it('records an end that nobody asked for', async () => {
    await state('c1', 'start');
    await seen('c1', 'Stopped', 'shutdown');
    expect(status('c1')).toBe('Stopped');
    expect(record('c1').config['volatile.last_state.power']).toBe('STOPPED');
    expect(record('c1').config).not.toHaveProperty(['volatile.eth0.host_name']);
    expect(h.events.at(-1)?.action).toBe('instance-shutdown');
  });

  it('deletes an ephemeral one that ended', async () => {
    await create({ name: 'e1', ephemeral: true });
    await state('e1', 'start');
    await seen('e1', 'Stopped', 'shutdown');
    expect(exists('e1')).toBe(false);
  });

  it('takes what a member does not name as stopped', async () => {
    await state('c1', 'start');
    await service.observe(
      'm1',
      { kind: 'all', instances: [{ project: 'default', name: 'c2', status: 'Running', pid: 3 }] },
      { signal },
    );
    expect([status('c1'), status('c2'), status('c3')]).toEqual(['Stopped', 'Running', 'Stopped']);
  });

  it('starts what should run, the highest priority first', async () => {
    await state('c1', 'start');
    await service.observe('m1', { kind: 'all', instances: [] }, { signal });
    first.calls.length = 0;
    await service.bringUp('m1', { signal });
    expect(first.calls.filter((call) => call.startsWith('start'))).toEqual([
      'startInstance c2',
      'startInstance c1',
    ]);
  });

  it('stops all for a shutdown, to run again at the next start', async () => {
    await state('c1', 'start');
    await state('c3', 'start');
    first.fail.set('stopInstance', new LxdError('timeout', 'too slow'));
    await service.stopAll('m1', 5000, { signal });
    expect([status('c1'), status('c3')]).toEqual(['Stopped', 'Stopped']);
    expect(record('c1').config['volatile.last_state.power']).toBe('RUNNING');
  });
});
