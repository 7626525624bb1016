import type { InstanceSpec, NetworkSpec, PoolSpec } from '@lxd-ts/core';
import { LxdError } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import type { ImageStore } from '@lxd-ts/images';
import type { Liblxc } from '@lxd-ts/liblxc';
import type { CpuBalancer } from './cpu-balancer.ts';
import type { DevLxd } from './devlxd/devlxd.ts';
import type { Files } from './files.ts';
import type { IdRanges } from './id-ranges.ts';
import type { HostFeatures } from './instance/lxc-config.ts';
import type { Bulk } from '@lxd-ts/rpc';
import type { KeyedLock } from './keyed-lock.ts';
import type { Pools } from './pools.ts';
import type { Networks } from './networks.ts';
import type { VolumeHolds } from './volume-holds.ts';

export interface AgentLogger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** What every part of the agent is made from. */
export interface AgentContext {
  /** The daemon's directory. */
  dir: string;
  host: Host;
  liblxc: Liblxc;
  images: ImageStore;
  pools: Pools;
  /** Custom volumes that running instances have. */
  holds: VolumeHolds;
  /** Who is at the unpacked layers of images, by the path of the pool. */
  layers: KeyedLock;
  networks: Networks;
  /** To other members. */
  bulk: Bulk;
  features: HostFeatures;
  devlxd: DevLxd;
  /** Shares the CPUs out. */
  cpus: CpuBalancer;
  /** Who has which ids of this host to itself. */
  ids: IdRanges;
  /** Who is in the files of instances. */
  files: Files;
  log: AgentLogger;
  /** Where the host's device nodes are, and what the kernel tells of them: `/dev` and `/sys` but for tests. */
  devDir: string;
  sysDir: string;
  /** The program that forwards connections for proxy devices. */
  forwarder: string;
  /** The program that answers system calls of containers. */
  interceptor: string;
  /** Eight random hex digits. */
  randomId(): string;
}

/** The root disk's pool. @throws LxdError `invalid` */
export function rootPool(spec: InstanceSpec): PoolSpec {
  const root = Object.values(spec.devices).find(
    (device) => device['type'] === 'disk' && device['path'] === '/',
  );
  const pool = root?.['pool'] === undefined ? undefined : spec.pools[root['pool']];
  if (!pool) throw new LxdError('invalid', `Instance "${spec.name}" has no root disk device with a "pool"`);
  return pool;
}

export const networkKey = (network: Pick<NetworkSpec, 'project' | 'name'>): string =>
  `${network.project}/${network.name}`;
