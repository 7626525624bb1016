import { LxdError } from './errors.ts';

const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

/** Suffix → factor, as LXD reads them: `kB` is 1000, `KiB` 1024; a number alone is bytes. */
const factors = new Map<string, number>([
  ['', 1],
  ['B', 1],
  ...prefixes.slice(1).flatMap((unit, index): [string, number][] => [
    [`${unit}B`, 1000 ** (index + 1)],
    [`${unit.toUpperCase()}iB`, 1024 ** (index + 1)],
  ]),
]);

/** LXD counts bytes in 63 bits. */
const most = 2 ** 63;

/**
 * `512MiB` → bytes. Above 2^53 to the nearest number there is.
 * @throws LxdError `invalid`
 */
export function parseSize(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = factors.get(unit);
  if (digits === '' || factor === undefined) {
    throw new LxdError(
      'invalid',
      `Invalid value: ${text} (a size is a whole number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB)`,
    );
  }
  const bytes = Number(digits) * factor;
  if (bytes >= most) throw new LxdError('invalid', `Invalid value: ${text} (too large)`);
  return bytes;
}

/**
 * `25%` of a total, rounded down, or a size.
 * @throws LxdError `invalid`
 */
export function parseSizeOf(text: string, totalBytes: number): number {
  const [, percent] = /^(\d+)%$/.exec(text) ?? [];
  return percent === undefined ? parseSize(text) : Math.floor((totalBytes / 100) * Number(percent));
}

/** Bytes → `1.50GiB`, in the largest unit that leaves at least 1. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  let value = bytes;
  let step = 0;
  // By what will be printed: 1023.999 KiB is 1.00MiB.
  while (Number(value.toFixed(2)) >= 1024 && step < prefixes.length - 1) {
    value /= 1024;
    step++;
  }
  return `${value.toFixed(2)}${(prefixes[step] ?? '').toUpperCase()}iB`;
}

const bitFactors = new Map<string, number>([
  ['', 1],
  ['bit', 1],
  ...prefixes.slice(1).flatMap((unit, index): [string, number][] => [
    [`${unit}bit`, 1000 ** (index + 1)],
    [`${unit.toUpperCase()}ibit`, 1024 ** (index + 1)],
  ]),
]);

/**
 * `10Mbit` → bits a second.
 * @throws LxdError `invalid`
 */
export function parseBits(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = bitFactors.get(unit);
  if (digits === '' || factor === undefined) {
    throw new LxdError(
      'invalid',
      `Invalid value: ${text} (a rate is a whole number with bit, kbit, Mbit, Gbit, Kibit, Mibit or Gibit)`,
    );
  }
  return Number(digits) * factor;
}
