import type { Config } from '@lxd-ts/core';

/** `limits.cpu`: how many, or which. */
export type CpuWish = number | readonly number[];

/** `0-2,5` → 0, 1, 2, 5. */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .filter(Boolean)
    .flatMap((part) => {
      const [from = 0, to = from] = part.split('-').map(Number);
      return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
    });
}

/** undefined: it may use all. */
export function cpuWish(config: Config): CpuWish | undefined {
  const value = config['limits.cpu'];
  if (!value) return undefined;
  return /^\d+$/.test(value) ? Number(value) || undefined : parseCpuList(value);
}

/**
 * Which CPUs each instance gets: those that want certain ones get these, the others are spread over the CPUs that are
 * used least, and stay where they are as long as that is as good. Who wants more than there is gets all. Pure.
 * @param now where they are
 */
export function balanceCpus(
  wishes: ReadonlyMap<string, CpuWish>,
  online: readonly number[],
  now: ReadonlyMap<string, readonly number[]> = new Map(),
): Map<string, readonly number[]> {
  const result = new Map<string, readonly number[]>();
  const used = new Map(online.map((cpu) => [cpu, 0]));
  const give = (id: string, cpus: readonly number[]): void => {
    result.set(
      id,
      [...cpus].sort((a, b) => a - b),
    );
    for (const cpu of cpus) used.set(cpu, (used.get(cpu) ?? 0) + 1);
  };
  const counted: [string, number][] = [];
  for (const [id, wish] of wishes) {
    const wanted = typeof wish === 'number' ? [] : wish.filter((cpu) => used.has(cpu));
    if (typeof wish === 'number' && wish < online.length) counted.push([id, wish]);
    else if (wanted.length > 0) give(id, wanted);
    else result.set(id, online);
  }
  // The largest first: what is small fills the gaps.
  counted.sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1));
  for (const [id, count] of counted) {
    const has = new Set(now.get(id));
    const order = [...online].sort(
      (a, b) => (used.get(a) ?? 0) - (used.get(b) ?? 0) || Number(has.has(b)) - Number(has.has(a)) || a - b,
    );
    give(id, order.slice(0, count));
  }
  return result;
}
