import type { MigratedSnapshot } from '@lxd-ts/rpc';
import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { memberOf } from '../instances/context.ts';
import { expandIn, rootDisk } from '../instances/expand.ts';
import { poolSpec } from '../instances/spec.ts';
import { instanceView, type InstanceView } from '../instances/view.ts';

const never = '0001-01-01T00:00:00Z';

export interface PeerDescription {
  Container: InstanceView;
  Snapshots: unknown[];
  Pool: object | undefined;
  Profiles: object[];
  Volume: object;
  VolumeSnapshots: unknown[];
}

function expandedOf(services: Services, project: string, snapshot: MigratedSnapshot) {
  const { config, devices } = expandIn(services, project, { ...snapshot, profiles: [...snapshot.profiles] });
  return { expanded_config: config, expanded_devices: devices };
}

/** What LXD writes into `backup.yaml` and sends before the files: it reads from it what the files do not say. */
export function describeForPeers(
  services: Services,
  record: InstanceRecord,
  snapshots: readonly MigratedSnapshot[],
): PeerDescription {
  const { project, name } = record;
  const container = instanceView(services, record);
  const root = rootDisk(expandIn(services, project, record).devices)?.[1];
  const pool = services.records.get('pools', root?.['pool'] ?? '')?.value;
  const profiles = record.profiles.flatMap((profile) => {
    const found = services.records.get('profiles', project, profile)?.value;
    return found ? [{ ...found, used_by: null }] : [];
  });
  return {
    Container: container,
    Snapshots: snapshots.map((snapshot) => ({
      name: snapshot.name,
      architecture: snapshot.architecture,
      config: snapshot.config,
      devices: snapshot.devices,
      ephemeral: snapshot.ephemeral,
      profiles: snapshot.profiles,
      stateful: snapshot.stateful,
      created_at: snapshot.createdAt || never,
      last_used_at: snapshot.lastUsedAt || never,
      expires_at: snapshot.expiresAt || never,
      ...expandedOf(services, project, snapshot),
      size: -1,
    })),
    Pool: pool && {
      name: pool.name,
      driver: pool.driver,
      description: pool.description,
      config: poolSpec(pool, memberOf(services, project, name)).config,
      status: 'Created',
      locations: [container.location],
      used_by: null,
    },
    Profiles: profiles.map(({ name: of, description, config, devices, used_by }) => ({
      name: of,
      description,
      config,
      devices,
      used_by,
    })),
    Volume: {
      name,
      type: 'container',
      content_type: 'filesystem',
      project,
      description: '',
      config: {},
      location: container.location,
      created_at: never,
      used_by: null,
    },
    VolumeSnapshots: snapshots.map((snapshot) => ({
      name: snapshot.name,
      description: '',
      config: {},
      content_type: 'filesystem',
      created_at: snapshot.createdAt || never,
      expires_at: snapshot.expiresAt || never,
    })),
  };
}
