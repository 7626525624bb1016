const everyMs = 1000;

const megabytes = (bytes: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(2)}${units[unit] ?? ''}`;
};

/** Counts bytes and says so once a second in LXD's words: `c1: 12.34MB (45.67MB/s)`. */
export function progress(
  name: string,
  now: () => number,
  tell: ((progress: Record<string, string>) => void) | undefined,
): (bytes: number) => void {
  const begun = now();
  let total = 0;
  let told = begun;
  return (bytes) => {
    total += bytes;
    const time = now();
    if (time - told < everyMs) return;
    told = time;
    const rate = (total * 1000) / Math.max(1, time - begun);
    tell?.({ fs_progress: `${name}: ${megabytes(total)} (${megabytes(rate)}/s)` });
  };
}

/** Waits so long after each piece that no more than this goes through in a second. */
export function pace(
  bytesPerSecond: number,
  now: () => number,
  sleep: (ms: number) => Promise<void>,
): (bytes: number) => Promise<void> {
  const begun = now();
  let total = 0;
  return async (bytes) => {
    total += bytes;
    const due = begun + (total * 1000) / bytesPerSecond;
    const wait = due - now();
    if (wait > 5) await sleep(wait);
  };
}
