import fc from 'fast-check';
import { freeIds, hostIds, idmapFor, isolatedIds } from './idmap.ts';

const lines = (config: Record<string, string>, base = 0) =>
  idmapFor(config, base).map(
    ({ Isuid, Nsid, Hostid, Maprange }) => `${Isuid ? 'u' : 'g'} ${Nsid} ${Hostid} ${Maprange}`,
  );

test('all of the host, a part of its own, or no map at all', () => {
  expect(lines({})).toEqual(['u 0 1000000 1000000000', 'g 0 1000000 1000000000']);
  const isolated = { 'security.idmap.isolated': 'true' };
  expect(lines(isolated, 5_000_000)).toEqual(['u 0 5000000 65536', 'g 0 5000000 65536']);
  expect(lines({ ...isolated, 'security.idmap.size': '100' }, 5_000_000)).toEqual([
    'u 0 5000000 100',
    'g 0 5000000 100',
  ]);
  expect(lines({ ...isolated, 'security.privileged': 'true' })).toEqual([]);
  expect(isolatedIds({ ...isolated, 'security.privileged': 'true' })).toBeUndefined();
});

test('ids of the host that are the same inside', () => {
  const raw = { 'security.idmap.isolated': 'true', 'raw.idmap': 'both 1000 1000\nuid 50-51 0-1\n' };
  expect(lines(raw, 2_000_000)).toEqual([
    'u 0 50 2',
    'u 2 2000002 998',
    'u 1000 1000 1',
    'u 1001 2001001 64535',
    'g 0 2000000 1000',
    'g 1000 1000 1',
    'g 1001 2001001 64535',
  ]);
});

test('a range of its own is where it was, or the last that is free', () => {
  const end = hostIds.base + hostIds.size;
  expect(freeIds(10, [], 2_000_000)).toEqual({ base: 2_000_000, size: 10 });
  expect(freeIds(10, [{ base: 2_000_005, size: 10 }], 2_000_000)).toEqual({ base: end - 10, size: 10 });
  expect(freeIds(10, [{ base: end - 10, size: 10 }])).toEqual({ base: end - 20, size: 10 });
  expect(() => freeIds(hostIds.size, [{ base: 2_000_000, size: 1 }])).toThrow(/no 1000000000 host ids left/);
  // What is not of this host's is never taken.
  expect(freeIds(10, [], 5)).toEqual({ base: end - 10, size: 10 });
});

test('ranges never overlap, and there is one as long as there is room', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200_000 }), { maxLength: 60 }), (sizes) => {
      const used: { base: number; size: number }[] = [];
      for (const size of sizes) used.push(freeIds(size, used));
      const sorted = [...used].sort((a, b) => a.base - b.base);
      for (const [index, { base, size }] of sorted.entries())
        expect(base + size).toBeLessThanOrEqual(sorted[index + 1]?.base ?? Infinity);
    }),
  );
});
