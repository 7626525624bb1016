import { expand as expandLayers, type Config, type Devices } from '@lxd-ts/core';
import type { InstanceRecord, ProfileRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';

export interface Expanded {
  config: Config;
  devices: Devices;
}

type Source = Pick<InstanceRecord, 'config' | 'devices' | 'profiles'>;

/** Profiles in their order, then the instance's own: later ones win, devices as a whole. */
export function expand(source: Source, profile: (name: string) => ProfileRecord | undefined): Expanded {
  return expandLayers([...source.profiles.map(profile).filter((found) => found !== undefined), source]);
}

export const expandIn = (services: Services, project: string, source: Source): Expanded =>
  expand(source, (name) => services.records.get('profiles', project, name)?.value);

export const isRootDisk = (device: Config): boolean =>
  device['type'] === 'disk' && device['path'] === '/' && !device['source'];

/** Name and options of the root disk. */
export const rootDisk = (devices: Devices): [name: string, device: Config] | undefined =>
  Object.entries(devices).find(([, device]) => isRootDisk(device));
