import type { Route } from '../../http/route.ts';
import { explainRoutes } from '../cluster/explain.ts';
import { drivers, fakeAgent, harness } from '../testing/harness.ts';
import { createInstance } from './create.ts';
import type { InstancesContext } from './context.ts';
import { instancesService } from './service.ts';
import { startDelete } from './delete.ts';
import { startUpdate } from './update.ts';

const project = 'default';
const signal = AbortSignal.timeout(60_000);

/** Pools of 10 GiB with 1 GiB in use. */
const poolUsage = () =>
  Promise.resolve({ space: { used: 1024 ** 3, total: 10 * 1024 ** 3 }, inodes: { used: 1, total: 10 } });

async function ground(...names: string[]) {
  const fakes = Object.fromEntries(names.map((name) => [name, fakeAgent({ poolUsage })]));
  const agents = Object.fromEntries(names.map((name) => [name, fakes[name]!.agent]));
  const base = await harness(agents);
  const { context } = instancesService(base.services, drivers);
  const create = (name: string, config: Record<string, string> = {}, target?: string) =>
    base.finish(
      createInstance(context, {
        project,
        body: { name, source: { type: 'none' }, config },
        ...(target === undefined ? {} : { target }),
      }),
    );
  const on = (name: string) => base.records.get('placements', project, name)?.value.member;
  return { ...base, context, fakes, create, on };
}

const explainIt = async (context: InstancesContext, query: string, body?: object) => {
  const wanted = body ? 'clusterExplainPost' : 'clusterExplainGet';
  const route = explainRoutes(context).find(({ operationId }) => operationId === wanted) as Route<object>;
  const reply = await route.handle({ project, signal, query: new URLSearchParams(query), body } as never);
  return (reply as { metadata: Record<string, unknown> & { members: Record<string, unknown>[] } }).metadata;
};

test('many at once are spread, as if they had come one after the other', async () => {
  await using base = await ground('m1', 'm2', 'm3');
  await Promise.all(Array.from({ length: 30 }, (_, n) => base.create(`c${n}`)));
  const count = Object.keys(base.fakes).map((member) => base.context.placer.loads.of(member).instances);
  expect(count).toEqual([10, 10, 10]);
});

test('no member is given more than it has, and what is deleted is there again', async () => {
  await using base = await ground('m1', 'm2');
  // Members have 8 GiB.
  const three = { 'limits.memory': '3GiB' };
  const results = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => base.create(`c${n}`, three)));
  const placed = results.flatMap(({ status }, n) => (status === 'fulfilled' ? [`c${n}`] : []));
  expect(placed).toHaveLength(4);
  expect(placed.map(base.on).sort()).toEqual(['m1', 'm1', 'm2', 'm2']);
  await expect(base.create('more', three)).rejects.toThrow(
    'm1 has 2.00GiB of 8.00GiB memory left, 3.00GiB are asked for; m2 has 2.00GiB',
  );
  const [first = ''] = placed;
  const free = base.on(first);
  await base.finish(startDelete(base.context, project, first));
  await base.create('more', three);
  expect(base.on('more')).toBe(free);
  // Without limits there is always room.
  await base.create('small');
});

test('an instance takes more where it is, if that is there', async () => {
  await using base = await ground('m1', 'm2');
  await base.create('a', { 'limits.memory': '4GiB' }, 'm1');
  await base.create('b', { 'limits.memory': '2GiB' }, 'm1');
  const limit = (size: string) =>
    base.finish(
      startUpdate(base.context, {
        project,
        name: 'b',
        revision: undefined,
        body: {
          profiles: ['default'],
          config: { ...base.records.get('instances', project, 'b')?.value.config, 'limits.memory': size },
        },
      }),
    );
  await expect(limit('5GiB')).rejects.toThrow('Cluster member "m1" has 4.00GiB of 8.00GiB memory left');
  expect(base.records.get('instances', project, 'b')?.value.config['limits.memory']).toBe('2GiB');
  await limit('4GiB');
  expect(base.records.get('placements', project, 'b')?.value.reserved?.memoryBytes).toBe(4 * 1024 ** 3);
  expect(base.context.placer.loads.of('m1').memoryBytes).toBe(8 * 1024 ** 3);
  await limit('1GiB');
  expect(base.context.placer.loads.of('m1').memoryBytes).toBe(5 * 1024 ** 3);
  base.fakes['m1']!.fail.set('updateInstance', new Error('broken'));
  await expect(limit('2GiB')).rejects.toThrow('broken');
  expect(base.context.placer.loads.of('m1').memoryBytes).toBe(5 * 1024 ** 3);
});

test('a pool gives away what it has, less what is in use already', async () => {
  await using base = await ground('m1', 'm2');
  const sized = (name: string, size: string) =>
    base.finish(
      createInstance(base.context, {
        project,
        body: {
          name,
          source: { type: 'none' },
          devices: { root: { type: 'disk', path: '/', pool: 'default', size } },
        },
      }),
    );
  await expect(sized('a', '9500MiB')).rejects.toThrow('9.00GiB of 10.00GiB storage pool "default" left');
  await sized('a', '6GiB');
  await sized('b', '6GiB');
  expect([base.on('a'), base.on('b')].sort()).toEqual(['m1', 'm2']);
  await expect(sized('c', '6GiB')).rejects.toThrow('4.00GiB of 10.00GiB storage pool "default" left');
  await sized('c', '4GiB');
});

test('more is given away than there is where the cluster says so', async () => {
  await using base = await ground('m1', 'm2');
  const config = { 'scheduler.overcommit.memory': '1.5' };
  await base.records.transaction().create('serverConfig', [], { config }).commit({ signal });
  await base.create('a', { 'limits.memory': '8GiB' }, 'm1');
  await base.create('b', { 'limits.memory': '4GiB' }, 'm1');
  await expect(base.create('c', { 'limits.memory': '1GiB' }, 'm1')).rejects.toThrow(
    '0B of 12.00GiB memory left',
  );
});

test('labels keep instances apart', async () => {
  await using base = await ground('m1', 'm2');
  const db = { 'placement.labels': 'db', 'placement.anti_affinity': 'db' };
  const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => base.create(name, db)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  await expect(base.create('d', db)).rejects.toThrow('holds an instance labelled "db"');
  await expect(base.create('e', { 'placement.labels': 'not one' })).rejects.toThrow('labels are letters');
});

test('explains', async () => {
  await using base = await ground('m1', 'm2');
  await base.create('a', { 'limits.memory': '6GiB' }, 'm1');
  const here = await explainIt(base.context, 'instance=a');
  expect(here).toMatchObject({ instance: 'a', placed: true, location: 'm1' });
  expect(here['message']).toBe('It is on m1; no other would be better');
  const would = await explainIt(base.context, '', {
    source: { type: 'none' },
    config: { 'limits.memory': '6GiB' },
  });
  expect(would).toMatchObject({
    placed: false,
    location: 'm2',
    message: 'm2 would be chosen',
    members: [
      { server_name: 'm2', chosen: true, possible: true, reasons: [], fullness: 75 },
      {
        server_name: 'm1',
        chosen: false,
        possible: false,
        reasons: ['has 2.00GiB of 8.00GiB memory left, 6.00GiB are asked for'],
        memory: { total: 8 * 1024 ** 3, reserved: 6 * 1024 ** 3 },
      },
    ],
  });
  await expect(explainIt(base.context, 'instance=none')).rejects.toThrow('not found');
  await expect(explainIt(base.context, 'target=none', { source: { type: 'none' } })).rejects.toThrow(
    'Cluster member not found',
  );
});
