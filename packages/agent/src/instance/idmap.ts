import { access, readFile } from 'node:fs/promises';
import { hostIds, idmapFor, isTrue, LxdError, type Config, type IdmapEntry } from '@lxd-ts/core';

/** Of an instance that was never started. */
export const defaultIdmap: readonly IdmapEntry[] = idmapFor({}, 0);

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

/** `root:1000:1` and so on, of one file. */
async function delegated(path: string): Promise<[start: number, count: number][]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line): [number, number][] => {
    const [user = '', start, count] = line.split(':');
    return user === 'root' || user === '0' ? [[Number(start), Number(count)]] : [];
  });
}

/**
 * Where the map is written by newuidmap, it writes only what root was given: what `raw.idmap` asks for beyond is refused
 * with a sentence that says where to allow it.
 * @throws LxdError `invalid`
 */
export async function checkDelegated(entries: readonly IdmapEntry[], config: Config): Promise<void> {
  if (!config['raw.idmap'] || entries.length === 0) return;
  const byTool = await access('/usr/bin/newuidmap').then(
    () => true,
    () => false,
  );
  if (!byTool) return;
  for (const [kind, path] of [
    ['Isuid', '/etc/subuid'],
    ['Isgid', '/etc/subgid'],
  ] as const) {
    const given = [...(await delegated(path)), [hostIds.base, hostIds.size] as const];
    for (const entry of entries.filter((one) => one[kind])) {
      const { Hostid: first, Maprange: count } = entry;
      if (given.some(([start, length]) => first >= start && first + count <= start + length)) continue;
      throw new LxdError(
        'invalid',
        `"raw.idmap" maps host ids that root may not give away: add "root:${first}:${count}" to ${path}`,
      );
    }
  }
}
