import { LxdError } from '@lxd-ts/core';
import type { Kind } from './collections.ts';

/** The only place that spells a key. Everything of ours is below one versioned prefix. */
const root = '/lxd-ts/v1/';

/** Everything the watch cache holds. */
export const recordsPrefix = `${root}records/`;

/** Written to make a revision of our own visible in the watch; never read. */
export const barrierKey = `${recordsPrefix}barrier`;

/** Who leads what. */
export const electionKey = (name: string): string => `${root}elections/${escape(name)}`;

/** One per commit in flight: tells a store whether a commit that got no answer was applied. */
export const markerKey = (writer: string, slot: number): string => `${root}markers/${escape(writer)}/${slot}`;

export const recordKey = (kind: Kind, id: readonly string[]): string =>
  `${recordsPrefix}${kind}/${id.map(escape).join('/')}`;

/** Of all records of a kind whose id starts with these parts. */
export const recordPrefix = (kind: Kind, id: readonly string[]): string =>
  `${recordsPrefix}${kind}/${id.map((part) => `${escape(part)}/`).join('')}`;

/** The reverse of `recordKey`; undefined for keys that are not records. */
export function parseRecordKey(key: string): { kind: string; id: string[] } | undefined {
  const slash = key.indexOf('/', recordsPrefix.length);
  if (!key.startsWith(recordsPrefix) || slash < 0) return undefined;
  const id = key.slice(slash + 1);
  return {
    kind: key.slice(recordsPrefix.length, slash),
    id: id ? id.split('/').map(decodeURIComponent) : [],
  };
}

/** ASCII without '/': keys sort the same in etcd (bytes) and here (UTF-16), and no part can forge another. */
function escape(part: string): string {
  if (!part.isWellFormed()) throw new LxdError('invalid', 'A name must be valid Unicode');
  return encodeURIComponent(part);
}
