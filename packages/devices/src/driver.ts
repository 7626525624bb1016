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
  /** For one that asks nobody for an address; undefined where the network has none to give. */
  assign(
    network: NetworkSpec,
    key: string,
    reservation: { hwaddr: string; hostname: string; ipv4?: string; ipv6?: string },
    options: { signal: AbortSignal },
  ): Promise<{ address: string; gateway: string } | undefined>;
  release(network: NetworkSpec, key: string, options: { signal: AbortSignal }): Promise<void>;
}

/** What disks ask of the storage room, of custom volumes. */
export interface DeviceVolumes {
  /** Where its files are, from now until its release. */
  hold(pool: string, volume: string, options: { signal: AbortSignal }): Promise<string>;
  /** Not held: nothing done. */
  release(pool: string, volume: string, options: { signal: AbortSignal }): Promise<void>;
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
  volumes: DeviceVolumes;
  /** Of a custom volume. */
  volumeConfig(pool: string, volume: string): Config;
  /** Eight random hex digits or so, for interface names. */
  randomId(): string;
  /** Where the host's device nodes are, `/dev` but for tests. */
  devDir: string;
  /** What the kernel tells of them, `/sys` but for tests. */
  sysDir: string;
  /** The program that forwards connections. */
  forwarder: string;
}

/** Something of the host at a path inside. Plain data: it is kept, to be taken back when the device goes. */
export interface InsideMount {
  source: string;
  /** Without its first slash. */
  target: string;
  kind: 'dir' | 'file';
  recursive?: boolean;
  readonly?: boolean;
  /** Owners are seen as inside. */
  shift?: boolean;
  propagation?: string;
  /** More options of `mount`. */
  options?: string;
  /** It is a device node: what the devices cgroup is told (`c 10:200 rwm`). What it is mounted on goes with it. */
  rule?: string;
}

export interface InsideNic {
  type: 'veth' | 'macvlan' | 'phys';
  /** The bridge to join, or the parent on the host. */
  link?: string;
  /** The host side of a pair. */
  hostName?: string;
  name: string;
  hwaddr?: string;
  mtu?: string;
  /** Addresses with their prefix, and where the default routes go. */
  addresses?: readonly string[];
  gateways?: readonly string[];
}

/** What a container gets of a device: by its configuration when it starts, by the agent's hand while it runs. */
export interface DeviceStart {
  mounts?: readonly InsideMount[];
  nic?: InsideNic;
  /** Changes of `volatile.<device>.*`, without that prefix; null removes. */
  volatile: Record<string, string | null>;
}

/** A container that runs, as the host sees it. */
export interface RunningInside {
  /** Of its init. */
  pid: number;
}

/** One kind of device. Pure checks, idempotent effects. */
export interface DeviceDriver {
  /** e.g. `nic-bridged`, `disk`, `none`. */
  type: string;
  /** Options that are `live` change in use, by `update`; any other change is an unplug and a plug. */
  schema: ConfigSchema;
  capabilities: {
    hotplug: boolean;
    coldplug: boolean;
    /** What it gives depends on what the host has at the moment: `start` is asked again when that changes. */
    follows?: boolean;
  };
  /** Beyond the schema: what goes together. @throws LxdError `invalid` */
  validate(
    config: Config,
    instance: Pick<InstanceSpec, 'name' | 'config' | 'devices' | 'networks' | 'pools'>,
  ): void;
  /** What only this host knows, when the device is added to an instance that does not run. @throws LxdError `invalid` */
  check?(context: DeviceContext): Promise<void>;
  /** Before the container starts, or while it runs. */
  start(context: DeviceContext, options: { signal: AbortSignal }): Promise<DeviceStart>;
  /** Once the container runs and has it; after a restart of the daemon in between, once more. */
  settle?(context: DeviceContext, inside: RunningInside, options: { signal: AbortSignal }): Promise<void>;
  /** Live options have changed, while it runs. `context` is as it is now. */
  update?(
    context: DeviceContext,
    before: Config,
    inside: RunningInside,
    options: { signal: AbortSignal },
  ): Promise<void>;
  /** After it stopped or was unplugged, or to take back a start that failed. Also finds and removes what a crash left. */
  stop(context: DeviceContext, options: { signal: AbortSignal }): Promise<Record<string, string | null>>;
  /** The device or its instance is being deleted: what outlives a stop (reservations) goes too. */
  remove(context: DeviceContext, options: { signal: AbortSignal }): Promise<void>;
}
