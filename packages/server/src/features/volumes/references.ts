import type { Devices } from '@lxd-ts/core';
import type { Transaction, VolumeRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { isUp, memberOf, statusOf } from '../instances/context.ts';
import { expandIn } from '../instances/expand.ts';

type Place = Pick<VolumeRecord, 'pool' | 'name'>;

const names = (devices: Devices, { pool, name }: Place): boolean =>
  Object.values(devices).some(
    ({ type, pool: of, source }) => type === 'disk' && of === pool && source === name,
  );

function renamed(devices: Devices, from: Place, to: Place): Devices {
  return Object.fromEntries(
    Object.entries(devices).map(([device, options]) => [
      device,
      names({ device: options }, from) ? { ...options, pool: to.pool, source: to.name } : options,
    ]),
  );
}

/** Whether an instance that has it runs. */
export function isRunningWith(services: Services, volume: VolumeRecord): boolean {
  return services.records
    .list('instances', volume.project)
    .filter(({ value }) => names(expandIn(services, value.project, value).devices, volume))
    .some(
      ({ value: { project, name } }) =>
        memberOf(services, project, name) === volume.member && isUp(statusOf(services, project, name)),
    );
}

/**
 * Whoever has the volume has it under its new name, or in its new pool, in the same transaction. Profiles stay as they are
 * where another member has a volume of that name, too.
 */
export function moveReferences(
  services: Services,
  transaction: Transaction,
  volume: VolumeRecord,
  to: Place,
): void {
  const { records } = services;
  const { pool, project, name, member } = volume;
  for (const { value, revision } of records.list('instances', project)) {
    if (!names(value.devices, volume) || memberOf(services, project, value.name) !== member) continue;
    const devices = renamed(value.devices, volume, to);
    transaction.update('instances', [value.project, value.name], revision, { ...value, devices });
  }
  if (records.list('volumes', pool, project, name).length > 1) return;
  for (const { value, revision } of records.list('profiles', project)) {
    if (!names(value.devices, volume)) continue;
    const devices = renamed(value.devices, volume, to);
    transaction.update('profiles', [value.project, value.name], revision, { ...value, devices });
  }
}
