import { binarySize, decimalSize, imageSize, isUnsetTime, naturalCompare, sortRows } from './units.ts';

describe('sizes', () => {
  it.each([
    [0, '0B', '0B'],
    [999, '999B', '999B'],
    [3500, '3.50kB', '3.42KiB'],
    [2_222_000, '2.22MB', '2.12MiB'],
  ])('%d bytes', (bytes, decimal, binary) => {
    expect(decimalSize(bytes)).toBe(decimal);
    expect(binarySize(bytes)).toBe(binary);
  });

  it('shows images as LXD does', () => {
    expect(imageSize(1_036_880)).toBe('0.99MB');
  });
});

describe('times', () => {
  it.each([
    ['1970-01-01T00:00:00Z', true],
    ['0001-01-01T00:00:00Z', true],
    ['', true],
    ['2026-11-23T03:55:22.441174476Z', false],
  ])('%s', (text, unset) => {
    expect(isUnsetTime(text)).toBe(unset);
  });
});

describe('order', () => {
  it('counts', () => {
    expect(['c10', 'c2', 'c1', 'b'].sort(naturalCompare)).toEqual(['b', 'c1', 'c2', 'c10']);
  });

  it('goes on with the next column', () => {
    expect(
      sortRows([
        ['a', '2'],
        ['a', '1'],
      ]),
    ).toEqual([
      ['a', '1'],
      ['a', '2'],
    ]);
  });
});
