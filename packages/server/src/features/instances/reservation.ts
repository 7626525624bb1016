import { parseSize, type Devices } from '@lxd-ts/core';
import { nothing, type PlaceRequest, type Reservation } from '@lxd-ts/scheduler';
import type { PlacementRecord } from '@lxd-ts/state';
import { rootDisk, type Expanded } from './expand.ts';

/** A share of the host's is no amount: it sets nothing aside. */
const bytesOf = (text: string | undefined): number => {
  if (!text || text.endsWith('%')) return 0;
  try {
    return parseSize(text.replaceAll(' ', ''));
  } catch {
    return 0;
  }
};

/** A set of CPUs is shared with others: only a number sets some aside. */
const cpusOf = (text: string | undefined): number => (/^\d+$/.test(text ?? '') ? Number(text) : 0);

const labelsOf = (text: string | undefined): string[] =>
  [...new Set((text ?? '').split(',').map((label) => label.trim()))].filter(Boolean).sort();

/** What its limits set aside for an instance. */
export function reservationOf({ config, devices }: Expanded): Reservation {
  const root = rootDisk(devices)?.[1];
  const size = bytesOf(root?.['size']);
  return {
    ...nothing,
    cpus: cpusOf(config['limits.cpu']),
    memoryBytes: bytesOf(config['limits.memory']),
    disk: root?.['pool'] && size > 0 ? { [root['pool']]: size } : {},
  };
}

const named = (devices: Devices, key: string): string[] => [
  ...new Set(Object.values(devices).flatMap((device) => (device[key] ? [device[key]] : []))),
];

/** Custom volumes, `POOL/NAME`. */
const volumesOf = (devices: Devices): string[] => [
  ...new Set(
    Object.values(devices).flatMap(({ type, pool, source }) =>
      type === 'disk' && pool && source ? [`${pool}/${source}`] : [],
    ),
  ),
];

/** What an instance asks of a member. */
export const placeRequest = (
  expanded: Expanded,
  architecture: string,
  target: PlaceRequest['target'],
): PlaceRequest => ({
  architecture,
  reserve: reservationOf(expanded),
  pools: named(expanded.devices, 'pool'),
  networks: named(expanded.devices, 'network'),
  volumes: volumesOf(expanded.devices),
  ...(target ? { target } : {}),
  labels: labelsOf(expanded.config['placement.labels']),
  affinity: labelsOf(expanded.config['placement.affinity']),
  antiAffinity: labelsOf(expanded.config['placement.anti_affinity']),
});

/** What is on record of an instance that is placed on `member`. */
export function placementRecord(expanded: Expanded, member: string): PlacementRecord {
  const { cpus, memoryBytes, disk } = reservationOf(expanded);
  const labels = labelsOf(expanded.config['placement.labels']);
  const avoids = labelsOf(expanded.config['placement.anti_affinity']);
  const reserves = cpus > 0 || memoryBytes > 0 || Object.keys(disk).length > 0;
  return {
    member,
    ...(reserves ? { reserved: { cpus, memoryBytes, disk } } : {}),
    ...(labels.length > 0 ? { labels } : {}),
    ...(avoids.length > 0 ? { avoids } : {}),
  };
}

/** Whether others could be in its way or it in theirs: then it takes its turn at the member's fence. */
export const takesRoom = ({ reserved, labels, avoids }: PlacementRecord): boolean =>
  reserved !== undefined || labels !== undefined || avoids !== undefined;

/** Whether `after` wants something on its member that `before` did not have there. */
export function takesMore(before: PlacementRecord | undefined, after: PlacementRecord): boolean {
  if (before?.member !== after.member) return takesRoom(after);
  const more = (now: readonly string[] = [], then: readonly string[] = []) =>
    now.some((label) => !then.includes(label));
  const { reserved } = after;
  return (
    (reserved?.cpus ?? 0) > (before.reserved?.cpus ?? 0) ||
    (reserved?.memoryBytes ?? 0) > (before.reserved?.memoryBytes ?? 0) ||
    Object.entries(reserved?.disk ?? {}).some(
      ([pool, bytes]) => bytes > (before.reserved?.disk[pool] ?? 0),
    ) ||
    more(after.labels, before.labels) ||
    more(after.avoids, before.avoids)
  );
}
