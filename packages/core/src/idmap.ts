import { LxdError } from './errors.ts';
import { isTrue } from './schema.ts';
import type { Config } from './spec.ts';

/** One range as LXD writes it in `volatile.idmap.*`. */
export interface IdmapEntry {
  Isuid: boolean;
  Isgid: boolean;
  Hostid: number;
  Nsid: number;
  Maprange: number;
}

/** Ids of the host, next to each other. */
export interface IdRange {
  base: number;
  size: number;
}

/** Root's range in /etc/subuid and /etc/subgid as set up. */
export const hostIds: IdRange = { base: 1_000_000, size: 1_000_000_000 };

const isolatedSize = 65_536;

const overlap = (a: IdRange, b: IdRange): boolean => a.base < b.base + b.size && b.base < a.base + a.size;

/** How many ids an instance wants for itself alone; undefined: it shares the host's whole range, or needs no map. */
export const isolatedIds = (config: Config): number | undefined =>
  isTrue(config['security.idmap.isolated']) && !isTrue(config['security.privileged'])
    ? Number(config['security.idmap.size'] || isolatedSize)
    : undefined;

/**
 * A range that overlaps none of those in use. The last first: an id as high is hardly in use in an instance that shares
 * the range.
 * @param wanted taken when it is free
 * @throws LxdError `invalid` when there is none
 */
export function freeIds(size: number, used: readonly IdRange[], wanted?: number): IdRange {
  const end = hostIds.base + hostIds.size;
  const fits = (range: IdRange) => range.base >= hostIds.base && range.base + range.size <= end;
  const isFree = (range: IdRange) => !used.some((other) => overlap(range, other));
  if (wanted !== undefined && fits({ base: wanted, size }) && isFree({ base: wanted, size }))
    return { base: wanted, size };
  const candidates = [end, ...used.map(({ base }) => base)].map((base) => ({ base: base - size, size }));
  const free = candidates.filter((range) => fits(range) && isFree(range)).sort((a, b) => b.base - a.base)[0];
  if (!free)
    throw new LxdError('invalid', `There are no ${size} host ids left for "security.idmap.isolated"`);
  return free;
}

/** `1000` or `1000-1003`. */
function range(text: string): IdRange {
  const [base = 0, last = base] = text.split('-').map(Number);
  return { base, size: last - base + 1 };
}

type Kind = 'Isuid' | 'Isgid';

/** One kind's map with a hole in it for what is mapped elsewhere. */
function punch(entries: readonly IdmapEntry[], entry: IdmapEntry): IdmapEntry[] {
  const [start, end] = [entry.Nsid, entry.Nsid + entry.Maprange];
  const rest = entries.flatMap((one): IdmapEntry[] => {
    const stop = one.Nsid + one.Maprange;
    if (stop <= start || one.Nsid >= end) return [one];
    const before = { ...one, Maprange: start - one.Nsid };
    const skipped = end - one.Nsid;
    const after = { ...one, Nsid: end, Hostid: one.Hostid + skipped, Maprange: one.Maprange - skipped };
    return [before, after].filter(({ Maprange }) => Maprange > 0);
  });
  return [...rest, entry].sort((a, b) => a.Nsid - b.Nsid);
}

/** Lines of `both|uid|gid HOST INSIDE`, checked before. */
function rawEntries(raw: string): { kinds: Kind[]; host: IdRange; inside: IdRange }[] {
  const kindsOf: Record<string, Kind[]> = { uid: ['Isuid'], gid: ['Isgid'], both: ['Isuid', 'Isgid'] };
  return raw
    .split('\n')
    .filter((line) => line.trim())
    .map((line) => {
      const [kind = '', host = '', inside = ''] = line.trim().split(/\s+/);
      return { kinds: kindsOf[kind] ?? [], host: range(host), inside: range(inside) };
    });
}

/**
 * The map that an instance starts with; empty when it is privileged.
 * @param base first host id of one that is isolated
 */
export function idmapFor(config: Config, base: number): IdmapEntry[] {
  if (isTrue(config['security.privileged'])) return [];
  const size = isolatedIds(config);
  const all = size === undefined ? hostIds : { base, size };
  return (['Isuid', 'Isgid'] as const).flatMap((kind) => {
    const entry = (host: number, inside: number, count: number): IdmapEntry => ({
      Isuid: kind === 'Isuid',
      Isgid: kind === 'Isgid',
      Hostid: host,
      Nsid: inside,
      Maprange: count,
    });
    return rawEntries(config['raw.idmap'] ?? '')
      .filter(({ kinds }) => kinds.includes(kind))
      .reduce(
        (entries, { host, inside }) => punch(entries, entry(host.base, inside.base, inside.size)),
        [entry(all.base, 0, all.size)],
      );
  });
}
