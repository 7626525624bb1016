import { LxdError } from '@lxd-ts/core';
import type { Agent } from '@lxd-ts/rpc';
import type { InstanceRecord, Pending } from '@lxd-ts/state';
import { drivers, fakeAgent, harness, type FakeAgent, type Harness } from '../testing/harness.ts';
import { createInstance } from './create.ts';
import { startMove } from './move.ts';
import type { InstancePost } from './requests.ts';
import { instancesService, type InstancesService } from './service.ts';
import { snapshotsOf } from './snapshot-records.ts';
import { startSnapshot } from './snapshots.ts';
import { startStateChange } from './state-change.ts';

const signal = AbortSignal.timeout(60_000);
const project = 'default';

let agents: Record<'m1' | 'm2', FakeAgent>;
let h: Harness;
let service: InstancesService;

/** Two agents of which the second gets what the first sends. */
function pair(): Record<'m1' | 'm2', FakeAgent> {
  const make = (): FakeAgent => {
    const fake: FakeAgent = fakeAgent({
      offerMigration: async () => ({ control: { token: '1' }, filesystem: { token: '2' } }) as never,
      sendInstance: async ({ name }, { snapshots, running }) => {
        fake.calls.push(
          `sendInstance ${name} ${snapshots.map((one) => one.name.slice(0, 4)).join()} ${running}`,
        );
        const error = fake.fail.get('sendInstance');
        fake.fail.delete('sendInstance');
        if (error) throw error;
      },
      receiveInstance: async ({ name }, { present }, _streams, options) => {
        fake.calls.push(`receiveInstance ${name} ${present ? 'again' : 'new'}`);
        await new Promise((done) => setTimeout(done, 5));
        options.signal.throwIfAborted();
        fake.volumes.add(name);
        return { snapshots: [], gone: [], index: null };
      },
    } satisfies Partial<Agent>);
    return fake;
  };
  return { m1: make(), m2: make() };
}

const record = (name = 'c1'): InstanceRecord => h.records.get('instances', project, name)!.value;
const member = (name = 'c1') => h.records.get('placements', project, name)?.value.member;
const move = (body: InstancePost, target?: string) =>
  h.finish(startMove(service.context, { project, name: 'c1', body: { migration: true, ...body }, target }));

beforeEach(async () => {
  agents = pair();
  h = await harness({ m1: agents.m1.agent, m2: agents.m2.agent });
  service = instancesService(h.services, drivers);
  await h.finish(
    createInstance(service.context, {
      project,
      body: { name: 'c1', source: { type: 'none' } },
      target: 'm1',
    }),
  );
  await h.finish(startSnapshot(service.context, project, 'c1', { name: 's1' }));
  for (const { calls } of Object.values(agents)) calls.length = 0;
});
afterEach(() => h[Symbol.asyncDispose]());

describe('to another member', () => {
  it('goes with its snapshots, and nothing of it stays', async () => {
    await move({ name: 'c1' }, 'm2');
    expect(member()).toBe('m2');
    expect(record().pending).toBeUndefined();
    expect(snapshotsOf(h.services, project, 'c1').map(({ name }) => name)).toEqual(['s1']);
    expect(agents.m1.calls).toEqual(['sendInstance c1 s1 false', 'deleteInstance c1']);
    expect(agents.m2.volumes).toEqual(new Set(['c1']));
  });

  it('is copied while it runs, stopped for the last difference, and started there', async () => {
    await h.finish(startStateChange(service.context, project, 'c1', { action: 'start' }));
    for (const { calls } of Object.values(agents)) calls.length = 0;
    await move({ name: 'c1' }, 'm2');
    expect(agents.m1.calls.map((call) => call.replace(/move-.*/, 'move'))).toEqual([
      'createSnapshot c1 move',
      'sendInstance c1 s1,move true',
      'stopInstance c1',
      'sendInstance c1 s1,move false',
      'deleteInstance c1',
    ]);
    expect(agents.m2.calls.map((call) => call.replace(/move-.*/, 'move'))).toEqual([
      'receiveInstance c1 new',
      'receiveInstance c1 again',
      'startInstance c1',
      'deleteSnapshot c1 move',
    ]);
    expect(member()).toBe('m2');
    expect(h.records.get('statuses', project, 'c1')?.value.status).toBe('Running');
  });

  it('stays where it was when anything fails, and runs again there', async () => {
    await h.finish(startStateChange(service.context, project, 'c1', { action: 'start' }));
    agents.m1.fail.set('sendInstance', new LxdError('internal', 'no link'));
    await expect(move({ name: 'c1' }, 'm2')).rejects.toThrow('no link');
    expect([member(), record().pending]).toEqual(['m1', undefined]);
    expect([...agents.m2.volumes]).toEqual([]);
    expect(agents.m1.running.has('c1')).toBe(true);
  });

  it('is refused where it cannot be', async () => {
    expect(() => move({}, 'm9')).toThrow('Cluster member not found');
    expect(() => move({}, 'm1')).toThrow(/must be different/);
    await h.finish(startStateChange(service.context, project, 'c1', { action: 'start' }));
    expect(() => move({ live: true }, 'm2')).toThrow(/with its memory/);
    await expect(move({ name: 'c2' }, 'm2')).rejects.toThrow(/only to another member/);
  });

  it('is renamed on its way', async () => {
    await move({ name: 'c2' }, 'm2');
    expect([member('c1'), member('c2')]).toEqual([undefined, 'm2']);
    expect(snapshotsOf(h.services, project, 'c2')).toHaveLength(1);
  });

  it.each([
    ['before the commit', 'm1', 'm2'],
    ['after the commit', 'm2', 'm1'],
  ])('cut off %s, it is whole on one side and started again', async (_when, here, there) => {
    const pending: Pending = {
      kind: 'move',
      operation: 'o',
      server: 'm1',
      detail: { from: 'm1', to: 'm2', running: 'true', temporary: 'move-o' },
    };
    const { value: placed } = h.records.get('placements', project, 'c1')!;
    await h.records
      .transaction()
      .put('instances', [project, 'c1'], { ...record(), pending })
      .put('placements', [project, 'c1'], { ...placed, member: here })
      .commit({ signal });
    await expect(service.recover(['m1'], { signal })).resolves.toBe(0);
    expect(agents[there as 'm1'].calls).toEqual(['deleteInstance c1']);
    expect(agents[here as 'm1'].calls).toEqual(['startInstance c1', 'deleteSnapshot c1 move-o']);
    expect(record().pending).toBeUndefined();
  });
});

describe('to another pool', () => {
  beforeEach(async () => {
    const pool = h.records.get('pools', 'default')!.value;
    await h.records
      .transaction()
      .create('pools', ['p2'], { ...pool, name: 'p2' })
      .commit({ signal });
  });

  it('is copied there, committed, and its old files go', async () => {
    await move({ pool: 'p2' });
    expect(agents.m1.calls).toEqual(['createInstance c1 copy', 'deleteRoot c1']);
    expect(record().devices['root']).toMatchObject({ type: 'disk', path: '/', pool: 'p2' });
    expect(record().pending).toBeUndefined();
    await move({ pool: 'p2' });
    await expect(move({ pool: 'nope' })).rejects.toThrow(/Storage pool not found/);
  });

  it('stays in its pool when the copy fails', async () => {
    agents.m1.fail.set('createInstance', new LxdError('internal', 'no space'));
    await expect(move({ pool: 'p2', name: 'c9' })).rejects.toThrow('no space');
    expect(record().devices['root']).toBeUndefined();
    expect(record().pending).toBeUndefined();
  });

  it('cut off, it goes on', async () => {
    await h.records.modify(
      'instances',
      [project, 'c1'],
      (value) => ({
        ...value,
        pending: { kind: 'move', operation: 'o', server: 'm1', detail: { from: 'default', pool: 'p2' } },
      }),
      { signal },
    );
    await expect(service.recover(['m1'], { signal })).resolves.toBe(0);
    expect(record().devices['root']?.['pool']).toBe('p2');
    expect(record().pending).toBeUndefined();
  });
});
