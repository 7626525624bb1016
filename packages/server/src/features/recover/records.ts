import type { Config, Devices } from '@lxd-ts/core';
import type { FoundVolume, ShiftedFiles } from '@lxd-ts/rpc';
import type { InstanceRecord, SnapshotRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { configIn, devicesIn, fields, list, text, texts, time } from '../backups/fields.ts';
import { expandIn, rootDisk } from '../instances/expand.ts';

const idmapKey = 'volatile.last_state.idmap';

/** What only holds where it was: how ids were mapped, and names of interfaces of the host. */
const withoutPlace = (config: Config): Config =>
  Object.fromEntries(
    Object.entries(config).filter(
      ([key]) => !/^volatile\.(last_state\.idmap|idmap\..*|.+\.host_name)$/.test(key),
    ),
  );

/** Its root is in the pool in which it was found, whatever that was called before. */
function inPool(
  services: Services,
  record: Pick<InstanceRecord, 'project' | 'config' | 'devices' | 'profiles'>,
  pool: string,
): Devices {
  const root = rootDisk(expandIn(services, record.project, record).devices);
  if (root?.[1]['pool'] === pool) return record.devices;
  const [name, device] = root ?? ['root', { type: 'disk', path: '/' }];
  return { ...record.devices, [name]: { ...device, pool } };
}

export interface FoundInstance {
  record: InstanceRecord;
  snapshots: SnapshotRecord[];
  shifted: ShiftedFiles[];
}

/**
 * The records of an instance that was found, made from what is beside its root, looked at piece by piece. A snapshot that is
 * there and of which nothing is said is one of the instance as it is.
 */
export function recordsOf(services: Services, pool: string, volume: FoundVolume): FoundInstance {
  const { project, name } = volume;
  const described = fields(volume.description);
  const was = fields(described['container'] ?? described['instance']);
  const now = services.clock.now().toISOString();
  const config = configIn(was['config']);
  const own = {
    project,
    name,
    type: 'container' as const,
    architecture: text(was['architecture']),
    description: text(was['description']),
    ephemeral: was['ephemeral'] === true,
    stateful: false,
    config: withoutPlace(config),
    devices: devicesIn(was['devices']),
    profiles: texts(was['profiles']),
    createdAt: time(was['created_at']) || now,
    lastUsedAt: time(was['last_used_at']),
  };
  const record: InstanceRecord = { ...own, devices: inPool(services, own, pool) };
  const shifted: ShiftedFiles[] = [{ idmap: config[idmapKey] ?? '' }];
  const said = list(described['snapshots']).map(fields);
  const snapshots = volume.snapshots.map((snapshot): SnapshotRecord => {
    const one = said.find((each) => text(each['name']) === snapshot) ?? was;
    const its = configIn(one['config']);
    shifted.push({ snapshot, idmap: its[idmapKey] ?? '' });
    return {
      project,
      instance: name,
      name: snapshot,
      architecture: text(one['architecture']) || record.architecture,
      ephemeral: one['ephemeral'] === true,
      stateful: false,
      config: { ...its, [idmapKey]: '[]' },
      devices: devicesIn(one['devices']),
      profiles: texts(one['profiles']),
      createdAt: time(one['created_at']) || now,
      lastUsedAt: time(one['last_used_at']),
      expiresAt: one === was ? '' : time(one['expires_at']),
    };
  });
  return { record, snapshots, shifted };
}
