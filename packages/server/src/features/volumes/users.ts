import type { Devices } from '@lxd-ts/core';
import type { VolumeRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { memberOf } from '../instances/context.ts';
import { expandIn } from '../instances/expand.ts';

type OfVolume = Pick<VolumeRecord, 'pool' | 'project' | 'name' | 'member'>;

/** REST paths of the instances on its member, and of the profiles, that have a volume as a disk, sorted; null: none. */
export type VolumeUsers = (volume: OfVolume) => string[] | null;

const inProject = (project: string): string =>
  project === 'default' ? '' : `?project=${encodeURIComponent(project)}`;

const keyOf = (project: string, pool: string, name: string): string =>
  [project, pool, name].map(encodeURIComponent).join('/');

const disksOf = (devices: Devices, project: string): Set<string> =>
  new Set(
    Object.values(devices).flatMap(({ type, pool, source }) =>
      type === 'disk' && pool && source ? [keyOf(project, pool, source)] : [],
    ),
  );

/** For whoever asks of many: every instance is looked at once, when the first is asked for. */
export function volumeUsersOf(services: Services): VolumeUsers {
  const { records } = services;
  let index: Map<string, { url: string; member?: string }[]> | undefined;
  const build = (): NonNullable<typeof index> => {
    const found: NonNullable<typeof index> = new Map();
    const add = (disks: Iterable<string>, user: { url: string; member?: string }) => {
      for (const disk of disks) {
        const users = found.get(disk);
        if (users) users.push(user);
        else found.set(disk, [user]);
      }
    };
    for (const { value } of records.list('instances')) {
      const { project, name } = value;
      const disks = disksOf(expandIn(services, project, value).devices, project);
      if (disks.size === 0) continue;
      add(disks, {
        url: `/1.0/instances/${name}${inProject(project)}`,
        member: memberOf(services, project, name),
      });
    }
    for (const { value } of records.list('profiles'))
      add(disksOf(value.devices, value.project), {
        url: `/1.0/profiles/${value.name}${inProject(value.project)}`,
      });
    return found;
  };
  return ({ pool, project, name, member }) => {
    index ??= build();
    const urls = (index.get(keyOf(project, pool, name)) ?? [])
      .filter((user) => user.member === undefined || user.member === member)
      .map(({ url }) => url);
    return urls.length > 0 ? urls.sort() : null;
  };
}
