/** String keys to string values: how LXD writes every configuration. */
export type Config = Readonly<Record<string, string>>;

/** Device name → its options, `type` among them. */
export type Devices = Readonly<Record<string, Config>>;

export interface InstanceRef {
  project: string;
  name: string;
}

/** A storage pool as one member sees it: cluster-wide options and its own (`source`, `size`, `volatile.*`) merged. */
export interface PoolSpec {
  name: string;
  driver: string;
  config: Config;
}

/** A custom volume of a pool, or one of its snapshots. */
export interface VolumeSpec {
  pool: PoolSpec;
  project: string;
  name: string;
  snapshot?: string;
  /** Of content type `block`: bytes that nobody has put a filesystem on; so many where it is made empty. */
  block?: { bytes: number };
}

/** A managed network as one member sees it. */
export interface NetworkSpec {
  project: string;
  name: string;
  type: string;
  config: Config;
}

/** All an agent needs to run an instance: profiles are expanded, pools and networks it names are included. */
export interface InstanceSpec extends InstanceRef {
  type: 'container';
  /** As LXD names it, e.g. `x86_64`. */
  architecture: string;
  ephemeral: boolean;
  /** Expanded: profiles, then the instance's own, `volatile.*` included. */
  config: Config;
  /** Expanded. Exactly one is the root disk (`type: disk`, `path: /`, `pool`). */
  devices: Devices;
  pools: Readonly<Record<string, PoolSpec>>;
  networks: Readonly<Record<string, NetworkSpec>>;
  /** `POOL/NAME` → configuration of the custom volumes that it names; absent: none. */
  volumes?: Readonly<Record<string, Config>>;
}

/** LXD's status words for an instance. */
export type InstanceStatus = 'Running' | 'Stopped' | 'Frozen' | 'Starting' | 'Stopping' | 'Error';

/** What LXD calls each status in `status_code`. */
export const statusCode: Readonly<Record<InstanceStatus, number>> = {
  Running: 103,
  Stopped: 102,
  Frozen: 110,
  Starting: 106,
  Stopping: 107,
  Error: 112,
};

/** The name of an instance on disk and in the kernel: LXD leaves out the default project. */
export const projectPrefixed = (project: string, name: string): string =>
  project === 'default' ? name : `${project}_${name}`;
