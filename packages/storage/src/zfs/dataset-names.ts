import type { VolumeRef } from '../driver.ts';
import { volumeName, volumeOf } from '../layout.ts';

const parents: readonly [string, VolumeRef['type']][] = [
  ['containers', 'container'],
  ['custom', 'custom'],
  ['images', 'image'],
];

/** What LXD begins the names of snapshots with that it shows. */
export const shownSnapshot = 'snapshot-';

const parentOf = (type: VolumeRef['type']): string => parents.find(([, of]) => of === type)?.[0] ?? '';

/**
 * Below the pool's dataset, as LXD names it. Snapshots that are datasets, because they were not made of their volume as it
 * is, are beside them: `containers-snapshots/c1/snap0`.
 */
export function datasetName({ snapshot, ...volume }: VolumeRef): string {
  const name = volumeName(volume);
  const parent = parentOf(volume.type);
  return snapshot === undefined ? `${parent}/${name}` : `${parent}-snapshots/${name}/${snapshot}`;
}

/** A snapshot that is one of ZFS: `containers/c1@snapshot-snap0`. */
export const snapshotName = ({ snapshot = '', ...volume }: VolumeRef): string =>
  `${datasetName(volume)}@${shownSnapshot}${snapshot}`;

/** @param name of a dataset or a snapshot, below the pool's; undefined: not a volume of ours */
export function volumeOfDataset(name: string): { volume: VolumeRef; within: boolean } | undefined {
  const [dataset = '', at] = name.split('@');
  const [parent = '', ...parts] = dataset.split('/');
  const [, type] = parents.find(([of]) => parent === of || parent === `${of}-snapshots`) ?? [];
  const [first, second] = parts;
  if (type === undefined || first === undefined) return undefined;
  const volume = volumeOf(type, first);
  if (parent.endsWith('-snapshots'))
    return second === undefined || at !== undefined || parts.length > 2
      ? undefined
      : { volume: { ...volume, snapshot: second }, within: false };
  if (parts.length > 1) return undefined;
  if (at === undefined) return { volume, within: false };
  return at.startsWith(shownSnapshot)
    ? { volume: { ...volume, snapshot: at.slice(shownSnapshot.length) }, within: true }
    : undefined;
}
