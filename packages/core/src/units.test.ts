import fc from 'fast-check';
import { formatSize, parseSize, parseSizeOf } from './units.ts';

test.each([
  ['0', 0],
  ['10', 10],
  ['10B', 10],
  ['10kB', 10_000],
  ['10KiB', 10_240],
  ['3MB', 3_000_000],
  ['3MiB', 3 * 1024 ** 2],
  ['2GB', 2e9],
  ['2GiB', 2 * 1024 ** 3],
  ['1TiB', 1024 ** 4],
  ['1EiB', 2 ** 60],
])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

test.each([
  '',
  'MB',
  '10M',
  '10mb',
  '10Mib',
  '10KB',
  '1.5GB',
  '-1MB',
  '10 MB',
  ' 10',
  '10\n',
  '0x10',
  '1e3',
  '50%',
  '10EB',
])('%j is not a size', (text) => expect(() => parseSize(text)).toThrow(`Invalid value: ${text}`));

test('takes a part of the whole', () => {
  expect(parseSizeOf('50%', 1001)).toBe(500);
  expect(parseSizeOf('150%', 1000)).toBe(1500);
  expect(parseSizeOf('5kB', 1000)).toBe(5000);
  expect(() => parseSizeOf('5.5%', 1000)).toThrow('Invalid value: 5.5%');
});

test.each([
  [0, '0B'],
  [1023, '1023B'],
  [1024, '1.00KiB'],
  [1536 * 1024 ** 2, '1.50GiB'],
  [1024 ** 2 - 1, '1.00MiB'],
  [2 ** 62, '4.00EiB'],
])('%d bytes read %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));

test('what is printed is within half a hundredth of a unit', () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => {
      const [, number = '', unit = ''] = /^([\d.]+)(\w+)$/.exec(formatSize(bytes)) ?? [];
      const size = parseSize(`1${unit}`);
      expect(Math.abs(Number(number) * size - bytes)).toBeLessThanOrEqual(size * 0.0051);
      expect(Number(number)).toBeLessThan(1024);
    }),
  );
});

test('a parsed size grows with its number, whatever the unit', () => {
  const units = fc.constantFrom('', 'B', 'kB', 'MB', 'GB', 'KiB', 'MiB', 'GiB');
  fc.assert(
    fc.property(fc.nat({ max: 1e6 }), fc.nat({ max: 1e6 }), units, (a, b, unit) => {
      expect(Math.sign(parseSize(`${a}${unit}`) - parseSize(`${b}${unit}`))).toBe(Math.sign(a - b));
    }),
  );
});
