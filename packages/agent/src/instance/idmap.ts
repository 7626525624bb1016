import { isTrue, LxdError, type Config } from '@lxd-ts/core';

/** One range as LXD writes it in `volatile.idmap.*`. */
export interface IdmapEntry {
  Isuid: boolean;
  Isgid: boolean;
  Hostid: number;
  Nsid: number;
  Maprange: number;
}

/** Root's range in /etc/subuid as set up; LXD's default too. */
export const defaultIdmap: readonly IdmapEntry[] = [
  { Isuid: true, Isgid: false, Hostid: 1_000_000, Nsid: 0, Maprange: 1_000_000_000 },
  { Isuid: false, Isgid: true, Hostid: 1_000_000, Nsid: 0, Maprange: 1_000_000_000 },
];

const isEntry = (value: unknown): value is IdmapEntry => {
  const entry = value as Partial<IdmapEntry> | null;
  return (
    typeof entry === 'object' &&
    entry !== null &&
    [entry.Hostid, entry.Nsid, entry.Maprange].every((n) => Number.isSafeInteger(n) && Number(n) >= 0)
  );
};

/** The map an instance runs with; empty when it is privileged. */
export function idmapOf(config: Config): readonly IdmapEntry[] {
  if (isTrue(config['security.privileged'])) return [];
  const text = config['volatile.idmap.next'] ?? config['volatile.idmap.current'];
  if (!text) return defaultIdmap;
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch {
    entries = undefined;
  }
  if (!Array.isArray(entries) || !entries.every(isEntry)) {
    throw new LxdError('invalid', `"volatile.idmap.next" is not a list of id ranges: ${text}`);
  }
  return entries.length > 0 ? entries : defaultIdmap;
}

/** `lxc.idmap` values: `u 0 1000000 1000000000`. */
export const idmapLines = (entries: readonly IdmapEntry[]): string[] =>
  entries.flatMap((entry) => {
    const range = `${entry.Nsid} ${entry.Hostid} ${entry.Maprange}`;
    return [...(entry.Isuid ? [`u ${range}`] : []), ...(entry.Isgid ? [`g ${range}`] : [])];
  });
