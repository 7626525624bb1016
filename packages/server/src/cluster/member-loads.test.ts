import { memoryStore, openRecords, type PlacementRecord } from '@lxd-ts/state';
import { MemberLoads } from './member-loads.ts';

const signal = AbortSignal.timeout(30_000);
const placement = (member: string, more: Partial<PlacementRecord> = {}): PlacementRecord => ({
  member,
  reserved: { cpus: 2, memoryBytes: 10, disk: { p: 5 } },
  labels: ['web'],
  avoids: ['db'],
  ...more,
});
const one = {
  instances: 1,
  cpus: 2,
  memoryBytes: 10,
  disk: new Map([['p', 5]]),
  labels: new Map([['web', 1]]),
  avoids: new Map([['db', 1]]),
};
const empty = {
  instances: 0,
  cpus: 0,
  memoryBytes: 0,
  disk: new Map(),
  labels: new Map(),
  avoids: new Map(),
};

test('follows what is placed, moved and removed; what is expected counts once', async () => {
  const store = memoryStore();
  await using records = await openRecords(store, { signal });
  await records.transaction().create('placements', ['default', 'old'], { member: 'a' }).commit({ signal });
  using loads = new MemberLoads(records);
  // A placement without an instance is nobody's.
  expect(loads.of('a')).toEqual(empty);
  const id: [string, string] = ['default', 'c1'];

  const wanted = placement('a');
  const given = loads.expect(id, wanted);
  expect(loads.of('a')).toEqual(one);
  await records.transaction().create('placements', id, wanted).commit({ signal });
  expect(loads.of('a')).toEqual(one);
  given[Symbol.dispose]();
  expect(loads.of('a')).toEqual(one);
  expect(loads.without(id)('a')).toEqual(empty);

  // While it is moved it has its room on both.
  await records
    .transaction()
    .put('placements', id, placement('a', { target: 'b' }))
    .commit({ signal });
  expect([loads.of('a'), loads.of('b')]).toEqual([one, one]);
  expect([loads.heldBy('a'), loads.heldBy('b')]).toEqual([[id], []]);
  expect([loads.without(id)('a'), loads.without(id)('b')]).toEqual([empty, empty]);

  await records
    .transaction()
    .put('placements', id, placement('b', { labels: [] }))
    .commit({ signal });
  expect(loads.of('a')).toEqual(empty);
  expect(loads.of('b')).toEqual({ ...one, labels: new Map() });
  await records.transaction().remove('placements', id).commit({ signal });
  expect(loads.of('b')).toEqual(empty);

  const refused = loads.expect(id, wanted);
  refused[Symbol.dispose]();
  expect(loads.of('a')).toEqual(empty);
});

test('begins with what there is', async () => {
  const store = memoryStore();
  await using records = await openRecords(store, { signal });
  const instance = { project: 'default', name: 'c1' } as never;
  await records
    .transaction()
    .create('instances', ['default', 'c1'], instance)
    .create('placements', ['default', 'c1'], placement('a'))
    .commit({ signal });
  using loads = new MemberLoads(records);
  expect(loads.of('a')).toEqual(one);
});
