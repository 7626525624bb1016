import type { VolumeRef } from '../driver.ts';
import { volumeName, volumeOf } from '../layout.ts';
import { joinDashed, splitDashed } from '../store/dash-names.ts';

/** Logical volume → its kind of volume, in LXD's names. */
const prefixes: readonly [string, VolumeRef['type']][] = [
  ['containers_', 'container'],
  ['custom_', 'custom'],
  ['images_', 'image'],
];

/** `containers_blue_c--1-snap0` is the snapshot `snap0` of the container `c-1` of project `blue`. */
export function lvName(volume: VolumeRef): string {
  const [prefix = ''] = prefixes.find(([, type]) => type === volume.type) ?? [];
  return `${prefix}${joinDashed(volumeName(volume), volume.snapshot)}`;
}

/** undefined: not a volume of ours; those that end in `.block` hold no files. */
export function volumeOfLv(name: string): VolumeRef | undefined {
  const [prefix, type] = prefixes.find(([start]) => name.startsWith(start)) ?? [];
  if (prefix === undefined || type === undefined || /\.(block|iso)$/.test(name)) return undefined;
  const parts = splitDashed(name.slice(prefix.length));
  if (!parts) return undefined;
  const volume = volumeOf(type, parts.name);
  return parts.snapshot === undefined ? volume : { ...volume, snapshot: parts.snapshot };
}
