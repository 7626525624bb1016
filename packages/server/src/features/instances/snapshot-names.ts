import { LxdError } from '@lxd-ts/core';

const invalid = (message: string): LxdError => new LxdError('invalid', message);

/** It becomes a directory. @throws LxdError `invalid` */
export function checkSnapshotName(name: string): void {
  if (/[\s/]/.test(name))
    throw invalid('Invalid instance snapshot name: Cannot contain space or / characters');
  if (name === '' || name.startsWith('.'))
    throw invalid('Invalid instance snapshot name: Cannot be empty or begin with a dot');
  if (Buffer.byteLength(name) > 200)
    throw invalid('Invalid instance snapshot name: Cannot be longer than 200 bytes');
}

const pad = (value: number): string => String(value).padStart(2, '0');

/** Parts of a time (UTC) by the letters that a pattern may name. */
const formats: Readonly<Record<string, (time: Date) => string>> = {
  Y: (time) => String(time.getUTCFullYear()),
  m: (time) => pad(time.getUTCMonth() + 1),
  d: (time) => pad(time.getUTCDate()),
  H: (time) => pad(time.getUTCHours()),
  M: (time) => pad(time.getUTCMinutes()),
  S: (time) => pad(time.getUTCSeconds()),
};

/** Words of a date in the notation that LXD's templates use, in the order in which they are looked for. */
const reference: readonly [string, string][] = [
  ['2006', 'Y'],
  ['01', 'm'],
  ['02', 'd'],
  ['15', 'H'],
  ['04', 'M'],
  ['05', 'S'],
];

const dated = (layout: string, time: Date): string =>
  layout.replace(/2006|01|02|15|04|05/g, (word) => {
    const letter = reference.find(([known]) => known === word)?.[1] ?? '';
    return formats[letter]?.(time) ?? word;
  });

/**
 * The next name by `snapshots.pattern`: `%d` is the first number that is higher than those in use, `{{ creation_date }}`
 * the time, also as `{{ creation_date|date:'2006-01-02' }}`. A name without a number that is taken gets one.
 */
export function nextSnapshotName(pattern: string, taken: readonly string[], now: Date): string {
  const text = (pattern || 'snap%d').replace(
    /\{\{\s*creation_date\s*(?:\|\s*date:\s*['"]([^'"]*)['"]\s*)?\}\}/g,
    (_, layout: string | undefined) => dated(layout ?? '2006-01-02_15-04-05', now),
  );
  if (!text.includes('%d') && !taken.includes(text)) return text;
  const numbered = text.includes('%d') ? text : `${text}-%d`;
  const [before = '', after = ''] = numbered.split('%d', 2);
  const used = taken.flatMap((name) => {
    if (!name.startsWith(before) || !name.endsWith(after)) return [];
    const number = name.slice(before.length, name.length - after.length);
    return /^\d+$/.test(number) ? [Number(number)] : [];
  });
  return `${before}${Math.max(-1, ...used) + 1}${after}`;
}

const unitMs: Readonly<Record<string, (time: Date, count: number) => void>> = {
  M: (time, count) => void time.setUTCMinutes(time.getUTCMinutes() + count),
  H: (time, count) => void time.setUTCHours(time.getUTCHours() + count),
  d: (time, count) => void time.setUTCDate(time.getUTCDate() + count),
  w: (time, count) => void time.setUTCDate(time.getUTCDate() + 7 * count),
  m: (time, count) => void time.setUTCMonth(time.getUTCMonth() + count),
  y: (time, count) => void time.setUTCFullYear(time.getUTCFullYear() + count),
};

/** When a snapshot of now ends by `snapshots.expiry`, e.g. `1w 3d`; '' when it does not. */
export function expiryOf(expression: string | undefined, now: Date): string {
  if (!expression) return '';
  const time = new Date(now);
  for (const [, count = '', unit = ''] of expression.matchAll(/(\d+)\s*([MHdwmy])/g))
    unitMs[unit]?.(time, Number(count));
  return time.toISOString();
}
