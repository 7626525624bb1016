function scaled(value: number, base: number, units: readonly string[]): string {
  if (value < base) return `${value}B`;
  let size = value;
  let unit = -1;
  while (size >= base && unit < units.length - 1) {
    size /= base;
    unit++;
  }
  return `${size.toFixed(2)}${units[unit] ?? ''}`;
}

/** e.g. `3.50kB` */
export const decimalSize = (bytes: number): string =>
  scaled(bytes, 1000, ['kB', 'MB', 'GB', 'TB', 'PB', 'EB']);
/** e.g. `2.12MiB` */
export const binarySize = (bytes: number): string =>
  scaled(bytes, 1024, ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']);
/** How LXD shows the size of an image. */
export const imageSize = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(2)}MB`;

/** LXD's "never": before or at the start of 1970. */
export const isUnsetTime = (text: string | undefined): boolean => !text || !(Date.parse(text) > 0);

function zoneName(date: Date): string {
  if (date.getTimezoneOffset() === 0) return 'UTC';
  const parts = new Intl.DateTimeFormat('en', { timeZoneName: 'short' }).formatToParts(date);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}

const two = (value: number): string => String(value).padStart(2, '0');

/** e.g. `2026/11/23 03:55 UTC`, in the local zone. */
export function shortTime(text: string): string {
  const date = new Date(text);
  const day = `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())} ${zoneName(date)}`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** e.g. `Nov 23, 2026 at 3:55am (UTC)`. */
export function longTime(text: string): string {
  const date = new Date(text);
  const hour = date.getHours();
  const clock = `${hour % 12 || 12}:${two(date.getMinutes())}${hour < 12 ? 'am' : 'pm'}`;
  return `${months[date.getMonth()] ?? ''} ${date.getDate()}, ${date.getFullYear()} at ${clock} (${zoneName(date)})`;
}

/** Numbers inside names count as numbers: c2 comes before c10. */
export function naturalCompare(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x, y] = [left[i] as string, right[i] as string];
    if (x === y) continue;
    const difference = /^\d/.test(x) && /^\d/.test(y) ? Number(x) - Number(y) : 0;
    return difference || (x < y ? -1 : 1);
  }
  return left.length - right.length;
}

/** Rows in the order of their first column, then the second, and so on. */
export function sortRows<T extends readonly string[]>(rows: readonly T[]): T[] {
  return [...rows].sort((a, b) => {
    for (let i = 0; i < a.length; i++) {
      const order = naturalCompare(a[i] ?? '', b[i] ?? '');
      if (order !== 0) return order;
    }
    return 0;
  });
}
