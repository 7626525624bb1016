import type { SnapshotRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { expandIn } from './expand.ts';
import { snapshotsOf } from './snapshot-records.ts';

/** How LXD writes a time that is not set. */
const unset = '0001-01-01T00:00:00Z';

/** LXD's InstanceSnapshot. */
export function snapshotView(services: Services, snapshot: SnapshotRecord): Record<string, unknown> {
  const { config, devices } = expandIn(services, snapshot.project, snapshot);
  return {
    name: snapshot.name,
    architecture: snapshot.architecture,
    config: snapshot.config,
    devices: snapshot.devices,
    profiles: snapshot.profiles,
    ephemeral: snapshot.ephemeral,
    stateful: snapshot.stateful,
    created_at: snapshot.createdAt,
    expires_at: snapshot.expiresAt || unset,
    last_used_at: snapshot.lastUsedAt || unset,
    expanded_config: config,
    expanded_devices: devices,
    // Nobody is asked for it.
    size: -1,
  };
}

/** For an InstanceFull; null where there are none, as LXD. */
export function snapshotViews(
  services: Services,
  project: string,
  instance: string,
): Record<string, unknown>[] | null {
  const found = snapshotsOf(services, project, instance);
  return found.length > 0 ? found.map((snapshot) => snapshotView(services, snapshot)) : null;
}

/** What an ETag of a snapshot stands for: all that a PUT can change. */
export const snapshotTag = ({ expiresAt }: SnapshotRecord): unknown => ({ expires_at: expiresAt || unset });
