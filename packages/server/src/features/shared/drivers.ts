import { LxdError, type Config, type ConfigSchema, type InstanceSpec } from '@lxd-ts/core';
import { driverFor } from '@lxd-ts/devices';
import { networkDriver } from '@lxd-ts/network';
import { storageDriver } from '@lxd-ts/storage';

/** What a kind of device is checked by. */
export interface DeviceSchema {
  schema: ConfigSchema;
  validate(config: Config, instance: Pick<InstanceSpec, 'name' | 'config' | 'networks' | 'pools'>): void;
}

/** What the server knows of drivers: how their options are checked, and what they can. undefined: there is no such driver. */
export interface Drivers {
  pool(driver: string): ConfigSchema | undefined;
  /** Whether images are unpacked once in such pools, and cloned from then on. */
  unpacksImages(driver: string): boolean;
  /** Whether pools of a driver have custom volumes of content type `block`. */
  blockVolumes(driver: string): boolean;
  network(type: string): ConfigSchema | undefined;
  device(config: Config, spec: InstanceSpec): DeviceSchema | undefined;
}

function deviceSchema(config: Config, { networks }: InstanceSpec): DeviceSchema | undefined {
  if (config['type'] === 'nic' && !config['nictype'] && !config['network']) return undefined;
  try {
    return driverFor(config, networks);
  } catch (error) {
    if (error instanceof LxdError && error.code === 'invalid') return undefined;
    throw error;
  }
}

/** Those that there are. */
export const allDrivers: Drivers = {
  pool: (driver) => storageDriver(driver)?.schema,
  unpacksImages: (driver) => storageDriver(driver)?.capabilities.optimizedImages ?? false,
  blockVolumes: (driver) => (storageDriver(driver)?.capabilities.blockVolumes ?? false) !== false,
  network: (type) => networkDriver(type)?.schema,
  device: deviceSchema,
};
