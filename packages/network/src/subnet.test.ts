import { defaultRange, freeV4, freeV6, overlaps, parseCidr, stableHwaddr, subnetText } from './subnet.ts';

const cidr = (text: string) => {
  const parsed = parseCidr(text);
  if (!parsed) throw new Error(text);
  return parsed;
};

test('reads addresses with prefixes and refuses the rest', () => {
  expect(cidr('10.1.2.3/24')).toMatchObject({ family: 4, prefix: 24 });
  expect(cidr('fd42::1/64').value >> 64n).toBe(0xfd42000000000000n);
  for (const wrong of ['10.1.2.3', '10.1.2/24', '10.1.2.3/33', 'abc', 'fd42::1/129', '']) {
    expect(parseCidr(wrong)).toBeUndefined();
  }
});

test('knows subnets and their overlap', () => {
  expect(subnetText(cidr('10.1.2.3/24'))).toBe('10.1.2.0/24');
  expect(overlaps(cidr('10.1.2.3/24'), cidr('10.1.0.0/16'))).toBe(true);
  expect(overlaps(cidr('10.1.2.3/24'), cidr('10.1.3.0/24'))).toBe(false);
  expect(overlaps(cidr('10.1.2.3/24'), cidr('fd42::1/64'))).toBe(false);
});

test('leaves the bridge out of the default range', () => {
  expect(defaultRange(cidr('10.1.2.1/24'))).toEqual(['10.1.2.2', '10.1.2.254']);
  expect(defaultRange(cidr('10.1.2.254/24'))).toEqual(['10.1.2.1', '10.1.2.253']);
});

test('free subnets avoid what is used', () => {
  const first = freeV4('seed', [])!;
  expect(freeV4('seed', [])).toBe(first);
  expect(freeV4('seed', [cidr(first)])).not.toBe(first);
  expect(freeV4('seed', [cidr('10.0.0.0/8')])).toBeUndefined();
  expect(freeV6('seed', [])).toMatch(/^fd42(:[1-9a-f][0-9a-f]{0,3}){3}::1\/64$/);
  expect(stableHwaddr('a')).toMatch(/^00:16:3e(:[0-9a-f]{2}){3}$/);
});
