import type { VolumeRef } from '../driver.ts';
import { volumeName, volumeOf } from '../layout.ts';
import { joinDashed, splitDashed } from '../store/dash-names.ts';

/** Image → its kind of volume, in LXD's names. */
const types: readonly [string, VolumeRef['type']][] = [
  ['container', 'container'],
  ['custom', 'custom'],
  ['image', 'image'],
];
/** What LXD begins the names of snapshots with that it shows. */
export const shownSnapshot = 'snapshot_';

/** Of volumes of content type `block`. */
const blockSuffix = '.block';

const typeOf = (type: VolumeRef['type']): string => types.find(([, of]) => of === type)?.[0] ?? '';

/**
 * `container_blue_c1`; of an unpacked image with its filesystem: `image_<fingerprint>_ext4`. Snapshots that are images,
 * because they were not made of their volume as it is, are `container-snapshot_c1-snap0`.
 */
export function imageName({ snapshot, ...volume }: VolumeRef, filesystem: string): string {
  const name = volumeName(volume);
  const end = volume.block ? blockSuffix : '';
  if (snapshot !== undefined) return `${typeOf(volume.type)}-snapshot_${joinDashed(name, snapshot)}${end}`;
  return volume.type === 'image' ? `image_${name}_${filesystem}` : `${typeOf(volume.type)}_${name}${end}`;
}

/** undefined: not a volume of ours, such as the disk of a virtual machine. */
export function volumeOfImage(name: string): { volume: VolumeRef; filesystem?: string } | undefined {
  if (name.endsWith(blockSuffix)) {
    const found = volumeOfImage(name.slice(0, -blockSuffix.length));
    return found?.volume.type === 'custom' ? { volume: { ...found.volume, block: true } } : undefined;
  }
  const [, prefix = '', apart, rest = ''] = /^([a-z]+)(-snapshot)?_(.+)$/.exec(name) ?? [];
  const [, type] = types.find(([of]) => of === prefix) ?? [];
  if (type === undefined || name.endsWith('.iso')) return undefined;
  if (apart !== undefined) {
    const { name: of, snapshot } = splitDashed(rest) ?? {};
    return of === undefined || snapshot === undefined
      ? undefined
      : { volume: { ...volumeOf(type, of), snapshot } };
  }
  if (type !== 'image') return { volume: volumeOf(type, rest) };
  const [, fingerprint, filesystem] = /^(.+)_(btrfs|ext4|xfs)$/.exec(rest) ?? [];
  return fingerprint === undefined || filesystem === undefined
    ? undefined
    : { volume: volumeOf(type, fingerprint), filesystem };
}
