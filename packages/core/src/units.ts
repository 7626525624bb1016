import { LxdError } from './errors.ts';

const decimal = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

/** Suffix → factor: `kB` is 1000, `KiB` 1024, as LXD reads them; a number alone is bytes. */
const factors = new Map<string, number>([
  ['', 1],
  ['B', 1],
  ...decimal.slice(1).flatMap((unit, i): [string, number][] => [
    [`${unit}B`, 1000 ** (i + 1)],
    [`${unit.toUpperCase()}iB`, 1024 ** (i + 1)],
  ]),
]);

/**
 * `512MiB` → bytes.
 * @throws LxdError `invalid`
 */
export function parseSize(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
  const factor = factors.get(unit);
  const bytes = Number(digits) * (factor ?? NaN);
  if (digits === '' || factor === undefined || !Number.isSafeInteger(bytes)) {
    throw new LxdError(
      'invalid',
      `Invalid value: ${text} (a size is a number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB)`,
    );
  }
  return bytes;
}

/** Bytes → `1.50GiB`, in the largest unit that leaves at least 1. */
export function formatSize(bytes: number): string {
  const steps = Math.min(decimal.length - 1, bytes < 1024 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return steps === 0
    ? `${bytes}B`
    : `${(bytes / 1024 ** steps).toFixed(2)}${(decimal[steps] ?? '').toUpperCase()}iB`;
}
