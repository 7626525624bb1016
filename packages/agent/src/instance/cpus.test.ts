import fc from 'fast-check';
import { balanceCpus, cpuWish, parseCpuList, type CpuWish } from './cpus.ts';

test('how many, or which', () => {
  expect(cpuWish({})).toBeUndefined();
  expect(cpuWish({ 'limits.cpu': '0' })).toBeUndefined();
  expect(cpuWish({ 'limits.cpu': '2' })).toBe(2);
  expect(cpuWish({ 'limits.cpu': '0-2,5' })).toEqual([0, 1, 2, 5]);
  expect(parseCpuList('3\n')).toEqual([3]);
});

test('those that want certain ones get them, the others go where there is least', () => {
  const wishes = new Map<string, CpuWish>([
    ['pinned', [0]],
    ['one', 1],
    ['other', 1],
    ['two', 2],
    ['many', 9],
    ['gone', [7]],
  ]);
  const found = balanceCpus(wishes, [0, 1, 2, 3]);
  expect(Object.fromEntries(found)).toEqual({
    pinned: [0],
    two: [1, 2],
    one: [3],
    other: [0],
    many: [0, 1, 2, 3],
    gone: [0, 1, 2, 3],
  });
});

const wish = fc.oneof(
  fc.integer({ min: 1, max: 10 }),
  fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 4 }),
);
const many = fc
  .dictionary(fc.string({ minLength: 1, maxLength: 4 }), wish, { maxKeys: 30 })
  .map((all) => new Map(Object.entries(all)));
const cpus = fc
  .uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 1 })
  .map((all) => all.sort((a, b) => a - b));

test('everybody gets as many as wanted and as there are; nobody moves without need; the load is even', () => {
  fc.assert(
    fc.property(many, cpus, (wishes, online) => {
      const found = balanceCpus(wishes, online);
      for (const [id, given] of found) {
        const wanted = wishes.get(id);
        expect(new Set(given).size).toBe(given.length);
        for (const cpu of given) expect(online).toContain(cpu);
        if (typeof wanted === 'number') expect(given).toHaveLength(Math.min(wanted, online.length));
      }
      expect([...found.keys()].sort()).toEqual([...wishes.keys()].sort());
      expect(balanceCpus(wishes, online, found)).toEqual(found);
      // Where all may be anywhere, no CPU has two more than another.
      if ([...wishes.values()].some((one) => typeof one !== 'number' || one >= online.length)) return;
      const loads = online.map((cpu) => [...found.values()].filter((given) => given.includes(cpu)).length);
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
    }),
  );
});
