import type { VolumeRef } from '../driver.ts';
import { volumeName, volumeOf } from '../layout.ts';
import { joinDashed, splitDashed } from '../store/dash-names.ts';

/** Logical volume → its kind of volume, in LXD's names. */
const prefixes: readonly [string, VolumeRef['type']][] = [
  ['containers_', 'container'],
  ['custom_', 'custom'],
  ['images_', 'image'],
];

/** Of volumes of content type `block`, after the name of the snapshot. */
const blockSuffix = '.block';

/** `containers_blue_c--1-snap0` is the snapshot `snap0` of the container `c-1` of project `blue`. */
export function lvName(volume: VolumeRef): string {
  const [prefix = ''] = prefixes.find(([, type]) => type === volume.type) ?? [];
  return `${prefix}${joinDashed(volumeName(volume), volume.snapshot)}${volume.block ? blockSuffix : ''}`;
}

/** undefined: not a volume of ours, such as the disk of a virtual machine. */
export function volumeOfLv(name: string): VolumeRef | undefined {
  const [prefix, type] = prefixes.find(([start]) => name.startsWith(start)) ?? [];
  if (prefix === undefined || type === undefined || name.endsWith('.iso')) return undefined;
  const isBlock = name.endsWith(blockSuffix);
  if (isBlock && type !== 'custom') return undefined;
  const parts = splitDashed(name.slice(prefix.length, isBlock ? -blockSuffix.length : undefined));
  if (!parts) return undefined;
  const volume: VolumeRef = { ...volumeOf(type, parts.name), ...(isBlock ? { block: true } : {}) };
  return parts.snapshot === undefined ? volume : { ...volume, snapshot: parts.snapshot };
}
