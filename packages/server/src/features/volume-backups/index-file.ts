import type { VolumeRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { snapshotsOf } from '../volumes/snapshots.ts';
import { snapshotView, volumeView } from '../volumes/view.ts';

/** LXD's `index.yaml` of a volume, all but how its files are packed; its snapshots, oldest first. */
export function volumeIndex(services: Services, volume: VolumeRecord, volumeOnly: boolean) {
  const pool = services.records.get('pools', volume.pool)?.value;
  const snapshots = volumeOnly
    ? []
    : snapshotsOf(services, volume)
        .map(({ value }) => value)
        .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  const names = snapshots.map(({ name }) => name);
  return {
    snapshots: names,
    index: {
      name: volume.name,
      backend: pool?.driver ?? '',
      pool: volume.pool,
      ...(names.length > 0 ? { snapshots: names } : {}),
      optimized: false,
      optimized_header: false,
      type: 'custom',
      config: {
        // Who has it here is nothing to whoever takes it in.
        volume: volumeView(services, volume, () => null),
        ...(names.length > 0
          ? { volume_snapshots: snapshots.map((one) => snapshotView(volume, one, false)) }
          : {}),
      },
    },
  };
}
