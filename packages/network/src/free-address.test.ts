import { freeAddress } from './free-address.ts';

const ranges = [
  ['10.0.0.2', '10.0.0.3'],
  ['10.0.0.250', '10.0.1.1'],
] as const;

test('every address of the ranges is given once, then none', () => {
  const used = new Set<string>();
  for (let found = freeAddress(ranges, used, 'a'); found; found = freeAddress(ranges, used, 'a')) {
    expect(used.has(found)).toBe(false);
    used.add(found);
  }
  expect([...used].sort()).toEqual(
    ['10.0.0.2', '10.0.0.250', '10.0.0.251', '10.0.0.252', '10.0.0.253', '10.0.0.254', '10.0.0.255']
      .concat('10.0.0.3', '10.0.1.0', '10.0.1.1')
      .sort(),
  );
});

test('the same seed gives the same address, others are spread', () => {
  const wide = [['10.0.0.2', '10.0.0.254']] as const;
  expect(freeAddress(wide, new Set(), 'a')).toBe(freeAddress(wide, new Set(), 'a'));
  const found = Array.from({ length: 50 }, (_, i) => freeAddress(wide, new Set(), String(i)));
  expect(new Set(found).size).toBeGreaterThan(30);
  expect(freeAddress([['10.0.0.9', '10.0.0.8']], new Set(), 'a')).toBeUndefined();
});
