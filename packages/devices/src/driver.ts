import type { Config, ConfigSchema, InstanceSpec, NetworkSpec } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';

/** What devices ask of the network room; the agent connects the two. */
export interface NicNetworks {
  reserve(
    network: NetworkSpec,
    key: string,
    reservation: { hwaddr: string; hostname: string; ipv4?: string; ipv6?: string },
    options: { signal: AbortSignal },
  ): Promise<void>;
  release(network: NetworkSpec, key: string, options: { signal: AbortSignal }): Promise<void>;
}

export interface DeviceContext {
  host: Host;
  /** The daemon's directory; a device's files are under `<dir>/devices/<instance>`. */
  dir: string;
  instance: InstanceSpec;
  /** Name of the device, e.g. `eth0`. */
  name: string;
  /** Its options. */
  config: Config;
  networks: NicNetworks;
  /** Path of a volume of a pool, for disks. */
  volumePath(pool: string, volume: string): string;
  /** Eight random hex digits or so, for interface names. */
  randomId(): string;
}

export interface DeviceStart {
  /** Lines for the LXC configuration. A NIC uses `lxc.net.{index}.…`: `{index}` is put in by the caller. */
  lxc: (readonly [key: string, value: string])[];
  /** Changes of `volatile.<device>.*`, without that prefix; null removes. */
  volatile: Record<string, string | null>;
}

/** One kind of device. Pure checks, idempotent effects. */
export interface DeviceDriver {
  /** e.g. `nic-bridged`, `disk`, `none`. */
  type: string;
  schema: ConfigSchema;
  capabilities: { hotplug: boolean; coldplug: boolean };
  /** Beyond the schema: what goes together. @throws LxdError `invalid` */
  validate(config: Config, instance: Pick<InstanceSpec, 'name' | 'config' | 'networks' | 'pools'>): void;
  /** Before the container starts. */
  start(context: DeviceContext, options: { signal: AbortSignal }): Promise<DeviceStart>;
  /** After it stopped, or to take back a start that failed. Also finds and removes what a crash left. */
  stop(context: DeviceContext, options: { signal: AbortSignal }): Promise<Record<string, string | null>>;
  /** The device or its instance is being deleted: what outlives a stop (reservations) goes too. */
  remove(context: DeviceContext, options: { signal: AbortSignal }): Promise<void>;
}
