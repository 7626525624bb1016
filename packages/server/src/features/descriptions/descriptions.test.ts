import { LxdError, type InstanceRef } from '@lxd-ts/core';
import type { InstanceDescription } from '@lxd-ts/rpc';
import { fakeAgent, harness } from '../testing/harness.ts';
import { describedOperations, type DescribedRequest } from './described-operations.ts';
import { Descriptions } from './descriptions.ts';

const signal = AbortSignal.timeout(60_000);

async function setUp(names: string[] = ['c1']) {
  const written: { name: string; config: Record<string, string>; snapshots: number }[] = [];
  const state: { fail: 'call' | 'one' | undefined } = { fail: undefined };
  const fake = fakeAgent({
    describeInstances: async (all: InstanceDescription[]): Promise<InstanceRef[]> => {
      if (state.fail === 'call') throw new LxdError('unavailable', 'away');
      if (state.fail === 'one') return all;
      for (const { name, content } of all) {
        const { container, snapshots = [] } = content as {
          container: { config: Record<string, string> };
          snapshots?: unknown[];
        };
        written.push({ name, config: container.config, snapshots: snapshots.length });
      }
      return [];
    },
  });
  const h = await harness({ m1: fake.agent });
  const descriptions = new Descriptions(h.services);
  const create = (name: string) =>
    h.records
      .transaction()
      .create('instances', ['default', name], {
        ...{ project: 'default', name, type: 'container', architecture: 'x86_64', description: '' },
        ...{ ephemeral: false, stateful: false, profiles: ['default'], createdAt: '', lastUsedAt: '' },
        config: { 'user.x': '1' },
        devices: { root: { type: 'disk', path: '/', pool: 'default' } },
      })
      .create('placements', ['default', name], { member: 'm1' })
      .commit({ signal });
  for (const name of names) await create(name);
  const duty = descriptions.duty();
  return {
    h,
    written,
    state,
    descriptions,
    create,
    set: (name: string, value: string) =>
      h.records.modify('instances', ['default', name], (old) => ({ ...old, config: { 'user.x': value } }), {
        signal,
      }),
    /** What the leader does, to its end. */
    look: async () => {
      await duty.run({} as Parameters<typeof duty.run>[0]);
      await new Promise((done) => setTimeout(done, 20));
    },
    [Symbol.asyncDispose]: async () => {
      descriptions[Symbol.dispose]();
      await h[Symbol.asyncDispose]();
    },
  };
}

it('is written when the operation that changed it is over, with what it has come to', async () => {
  await using at = await setUp(['c1', 'c2']);
  const operations = describedOperations(at.h.services.operations, () => at.descriptions);
  const run = (changed: string, value: string, described?: DescribedRequest['described']) =>
    at.h.finish(
      operations.start({
        class: 'task',
        description: 'Doing something',
        project: 'default',
        resources: { instances: ['c1'] },
        ...(described ? { described } : {}),
        run: () => at.set(changed, value),
      }),
    );
  await run('c1', 'updated');
  expect(at.written).toEqual([{ name: 'c1', config: { 'user.x': 'updated' }, snapshots: 0 }]);
  // Another than it names.
  await run('c2', 'renamed', 'all');
  expect(at.written.slice(1).map((one) => one.name)).toEqual(['c2']);
  await run('c2', 'again');
  // What only runs another way is the leader's to write.
  await run('c1', 'started', 'later');
  expect(at.written).toHaveLength(2);
});

it('is looked after by the leader: all at first, then what changes, once each', async () => {
  await using at = await setUp(['c1', 'c2']);
  await at.look();
  expect(at.written.map(({ name }) => name).sort()).toEqual(['c1', 'c2']);
  await at.look();
  expect(at.written).toHaveLength(2);
  await at.set('c2', '2');
  await at.set('c2', '3');
  await at.look();
  expect(at.written.slice(2)).toEqual([{ name: 'c2', config: { 'user.x': '3' }, snapshots: 0 }]);
  await at.h.records.modify('profiles', ['default', 'default'], (old) => ({ ...old, description: 'x' }), {
    signal,
  });
  await at.look();
  expect(
    at.written
      .slice(3)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['c1', 'c2']);
});

it('is looked after by one who comes to lead late, or again, from the beginning', async () => {
  await using at = await setUp(['c1', 'c2']);
  const now = jest.spyOn(performance, 'now').mockReturnValue(1_000_000);
  try {
    await at.look();
    expect(at.written).toHaveLength(2);
    now.mockReturnValue(2_000_000);
    await at.set('c1', '2');
    await at.look();
    expect(
      at.written
        .slice(2)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['c1', 'c2']);
  } finally {
    now.mockRestore();
  }
});

it.each(['call', 'one'] as const)(
  'that cannot be written (%s) fails nothing, and is not forgotten',
  async (how) => {
    await using at = await setUp();
    at.state.fail = how;
    await at.set('c1', '2');
    await at.descriptions.settle('default', { instances: ['/1.0/instances/c1'] });
    expect(at.written).toEqual([]);
    at.state.fail = undefined;
    await at.set('c1', '3');
    await at.descriptions.settle('default', { instances: ['/1.0/instances/c1'] });
    expect(at.written).toEqual([{ name: 'c1', config: { 'user.x': '3' }, snapshots: 0 }]);
  },
);

it('is of what there is: none of one that is gone or in the making', async () => {
  await using at = await setUp();
  await at.look();
  await at.create('c3');
  const pending = { kind: 'create' as const, operation: 'x', server: 'm1' };
  await at.h.records.modify('instances', ['default', 'c3'], (old) => ({ ...old, pending }), { signal });
  await at.h.records.transaction().remove('instances', ['default', 'c1']).commit({ signal });
  await at.look();
  expect(at.written.map(({ name }) => name)).toEqual(['c1']);
});
