import type { Config, ConfigSchema, InstanceSpec } from '@lxd-ts/core';

/** What a kind of device is checked by. */
export interface DeviceSchema {
  schema: ConfigSchema;
  validate(config: Config, instance: Pick<InstanceSpec, 'name' | 'config' | 'networks' | 'pools'>): void;
}

/** What the server knows of drivers: only how their options are checked. undefined: there is no such driver. */
export interface Drivers {
  pool(driver: string): ConfigSchema | undefined;
  network(type: string): ConfigSchema | undefined;
  device(config: Config, spec: InstanceSpec): DeviceSchema | undefined;
}
