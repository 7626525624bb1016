import type { Config, Devices } from '@lxd-ts/core';
import type { Services } from '../../services.ts';
import { expandIn } from '../instances/expand.ts';

const inProject = (project: string): string =>
  project === 'default' ? '' : `?project=${encodeURIComponent(project)}`;

/** REST paths of the instances and profiles that have a device `uses` says yes to; null when there is none, as LXD. */
export function usedBy(
  services: Services,
  uses: (device: Config, project: string, instance?: string) => boolean,
): string[] | null {
  const { records } = services;
  const some = (devices: Devices, project: string, instance?: string) =>
    Object.values(devices).some((device) => uses(device, project, instance));
  const instances = records
    .list('instances')
    .filter(({ value }) => some(expandIn(services, value.project, value).devices, value.project, value.name))
    .map(({ value }) => `/1.0/instances/${value.name}${inProject(value.project)}`);
  const profiles = records
    .list('profiles')
    .filter(({ value }) => some(value.devices, value.project))
    .map(({ value }) => `/1.0/profiles/${value.name}${inProject(value.project)}`);
  const all = [...instances, ...profiles].sort();
  return all.length > 0 ? all : null;
}
