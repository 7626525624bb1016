import { setTimeout as sleep } from 'node:timers/promises';
import { drivers, fakeAgent, harness } from '../testing/harness.ts';
import { createInstance } from './create.ts';
import { instancesService } from './service.ts';
import { startStateChange } from './state-change.ts';

const project = 'default';
const signal = AbortSignal.timeout(60_000);

async function ground() {
  const fakes = { m1: fakeAgent(), m2: fakeAgent() };
  const base = await harness({ m1: fakes.m1.agent, m2: fakes.m2.agent });
  const service = instancesService(base.services, drivers);
  const body = { name: 'c1', source: { type: 'none' } };
  await base.finish(createInstance(service.context, { project, body, target: 'm1' }));
  for (const fake of [fakes.m1, fakes.m2]) fake.calls.length = 0;
  const observe = (member: string, ...names: string[]) =>
    service.observe(
      member,
      {
        kind: 'all',
        instances: names.map((name) => ({ project, name, status: 'Running' as const, pid: 7 })),
      },
      { signal },
    );
  return { ...base, service, context: service.context, ...fakes, observe };
}

test('what runs where it is placed is left alone', async () => {
  await using base = await ground();
  await base.observe('m1', 'c1');
  expect(base.m1.calls).toEqual([]);
  expect(base.records.get('statuses', project, 'c1')?.value.status).toBe('Running');
});

test('what came back with a member but is placed elsewhere is stopped, and its files stay', async () => {
  await using base = await ground();
  await base.observe('m2', 'c1');
  expect(base.m2.calls).toEqual(['stopInstance c1']);
  expect(base.m1.calls).toEqual([]);
  expect(base.records.get('statuses', project, 'c1')?.value.status ?? 'Stopped').toBe('Stopped');
  base.m2.calls.length = 0;
  const instance = { project, name: 'c1', status: 'Running' as const, pid: 9 };
  await base.service.observe('m2', { kind: 'instance', instance, cause: 'reboot' }, { signal });
  expect(base.m2.calls).toEqual(['stopInstance c1']);
});

test('what nobody knows is stopped, and its files stay', async () => {
  await using base = await ground();
  await base.observe('m2', 'unknown');
  expect(base.m2.calls).toEqual(['stopInstance unknown']);
});

test('nothing is stopped while the member gets another name, or under a name that it has no more', async () => {
  await using base = await ground();
  const pending = { kind: 'rename' as const, operation: '', server: 'm1', detail: { to: 'two' } };
  await base.records.modify('members', ['m2'], (value) => ({ ...value, pending }), { signal });
  await base.observe('m2', 'c1');
  await base.records.transaction().remove('members', ['m2']).commit({ signal });
  await base.observe('m2', 'c1');
  expect(base.m2.calls).toEqual([]);
});

test('what is being moved is left to whoever moves it', async () => {
  await using base = await ground();
  const pending = { kind: 'update' as const, operation: '', server: 'm1' };
  await base.records.modify('instances', [project, 'c1'], (value) => ({ ...value, pending }), { signal });
  await base.observe('m2', 'c1');
  expect(base.m2.calls).toEqual([]);
});

test('what could not be decided is looked at again', async () => {
  await using base = await ground();
  const pending = { kind: 'update' as const, operation: '', server: 'm1' };
  await base.records.modify('instances', [project, 'c1'], (value) => ({ ...value, pending }), { signal });
  await base.observe('m2', 'c1');
  expect(base.m2.calls).toEqual([]);
  await base.records.modify('instances', [project, 'c1'], ({ pending: _, ...value }) => value, { signal });
  while (base.m2.calls.length === 0) await sleep(50, undefined, { signal });
  expect(base.m2.calls).toEqual(['stopInstance c1']);
});

test('what was placed elsewhere a moment ago, unknown to us yet, is stopped, too', async () => {
  await using base = await ground();
  const get = base.records.get.bind(base.records) as (kind: string, ...id: string[]) => unknown;
  const old = get('placements', project, 'c1');
  await base.records.modify('placements', [project, 'c1'], () => ({ member: 'm2' }), { signal });
  let asked = 0;
  base.services.records.get = ((kind: string, ...id: string[]) =>
    kind === 'placements' && asked++ < 3 ? old : get(kind, ...id)) as typeof base.services.records.get;
  await base.observe('m1', 'c1');
  expect(base.m1.calls).toEqual(['stopInstance c1']);
});

test('only what etcd says now is reason enough to stop anything', async () => {
  await using base = await ground();
  // This server has not heard yet that the instance is placed on m2 by now.
  const get = base.records.get.bind(base.records) as (kind: string, ...id: string[]) => unknown;
  const old = get('placements', project, 'c1');
  await base.records.modify('placements', [project, 'c1'], () => ({ member: 'm2' }), { signal });
  let asked = 0;
  base.services.records.get = ((kind: string, ...id: string[]) =>
    kind === 'placements' && asked++ < 2 ? old : get(kind, ...id)) as typeof base.services.records.get;
  await base.observe('m2', 'c1');
  expect(base.m2.calls).toEqual([]);
});

test('an instance is started only where it is placed now', async () => {
  await using base = await ground();
  const get = base.records.get.bind(base.records) as (kind: string, ...id: string[]) => unknown;
  const old = get('placements', project, 'c1');
  await base.records.modify('placements', [project, 'c1'], () => ({ member: 'm2' }), { signal });
  base.services.records.get = ((kind: string, ...id: string[]) =>
    kind === 'placements' ? old : get(kind, ...id)) as typeof base.services.records.get;
  await expect(
    base.finish(startStateChange(base.context, project, 'c1', { action: 'start' })),
  ).rejects.toThrow('changed by someone else');
  expect(base.m1.calls).toEqual([]);
});
