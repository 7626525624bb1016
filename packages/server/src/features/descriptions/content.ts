import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { describeForPeers } from '../migration/index-header.ts';
import { snapshotsToSend } from '../migration/snapshots.ts';

/** What `backup.yaml` of an instance says, in LXD's words: all that its records can be made from again. */
export function descriptionOf(
  services: Services,
  record: InstanceRecord,
  snapshots = snapshotsToSend(services, record.project, record.name),
): Record<string, unknown> {
  const described = describeForPeers(services, record, snapshots);
  return {
    // Whether it runs is not written down: that changes with no change of the instance.
    container: { ...described.Container, status: 'Stopped', status_code: 102 },
    ...(snapshots.length > 0 ? { snapshots: described.Snapshots } : {}),
    pool: described.Pool && { ...described.Pool, used_by: [] },
    profiles: described.Profiles.map((profile) => ({ ...profile, used_by: [] })),
    volume: { ...described.Volume, used_by: [] },
    ...(snapshots.length > 0 ? { volume_snapshots: described.VolumeSnapshots } : {}),
  };
}
