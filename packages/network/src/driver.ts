import type { Config, ConfigSchema, NetworkSpec } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';

export interface NetworkContext {
  host: Host;
  /** The daemon's directory; a network's files are under `<dir>/networks/<name>`. */
  dir: string;
}

export interface WaitOptions {
  signal: AbortSignal;
}

export interface Lease {
  hostname: string;
  hwaddr: string;
  address: string;
  type: 'static' | 'dynamic' | 'gateway';
}

/** A name and perhaps fixed addresses for one NIC, kept by its MAC address. */
export interface HostReservation {
  hwaddr: string;
  /** The instance's name: what DNS answers for, whatever name the client sends. */
  hostname: string;
  ipv4?: string;
  ipv6?: string;
}

export interface AssignedAddress {
  /** With its prefix. */
  address: string;
  gateway: string;
}

export interface ManagedNetwork {
  /** The configuration with every default chosen (free subnets for `auto`) written down. Changes nothing. */
  complete(options: WaitOptions): Promise<Config>;
  /** Brings it up, or puts right what is there. */
  start(options: WaitOptions): Promise<void>;
  /** Whether it is up and served: a few reads, no process. When it is not, `start` puts it right. */
  healthy(): Promise<boolean>;
  stop(options: WaitOptions): Promise<void>;
  /** From this configuration to `after`, with the least disturbance. */
  update(after: Config, options: WaitOptions): Promise<void>;
  delete(options: WaitOptions): Promise<void>;
  leases(options: WaitOptions): Promise<Lease[]>;
  /** `key` names the NIC (`<project_>instance.device`), any characters; a second call replaces. */
  reserve(key: string, reservation: HostReservation, options: WaitOptions): Promise<void>;
  /**
   * For one that asks nobody: an address that is its own until it is released, the same at every call where it can be, and
   * known to DNS. Undefined where the network gives no IPv4 addresses.
   */
  assign(
    key: string,
    reservation: HostReservation,
    options: WaitOptions,
  ): Promise<AssignedAddress | undefined>;
  release(key: string, options: WaitOptions): Promise<void>;
}

export interface NetworkCapabilities {
  /** NICs may name it by `network=`. */
  instances: boolean;
  leases: boolean;
}

export interface NetworkDriver {
  type: string;
  schema: ConfigSchema;
  capabilities: NetworkCapabilities;
  open(network: NetworkSpec, context: NetworkContext): ManagedNetwork;
}
