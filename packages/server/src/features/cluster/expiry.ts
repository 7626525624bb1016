import { LxdError } from '@lxd-ts/core';

const units: Readonly<Record<string, (date: Date, count: number) => void>> = {
  M: (date, count) => date.setUTCMinutes(date.getUTCMinutes() + count),
  H: (date, count) => date.setUTCHours(date.getUTCHours() + count),
  d: (date, count) => date.setUTCDate(date.getUTCDate() + count),
  w: (date, count) => date.setUTCDate(date.getUTCDate() + 7 * count),
  m: (date, count) => date.setUTCMonth(date.getUTCMonth() + count),
  y: (date, count) => date.setUTCFullYear(date.getUTCFullYear() + count),
};

/**
 * A time after `now`, as LXD writes spans: `3H`, `1d 12H`; minutes are `M`, months `m`.
 * @throws LxdError `invalid`
 */
export function expiryAfter(text: string, now: Date): Date {
  const date = new Date(now);
  const parts = text.trim().split(/\s+/);
  for (const part of parts) {
    const [, count, unit = ''] = /^(\d+)([MHdwmy])$/.exec(part) ?? [];
    const add = units[unit];
    if (count === undefined || !add) throw new LxdError('invalid', 'Invalid expiry expression');
    add(date, Number(count));
  }
  if (Number.isNaN(date.getTime())) throw new LxdError('invalid', 'Invalid expiry expression');
  return date;
}
