/** What there is of something on a member, and what is promised to instances that are placed there. */
export interface Amount {
  total: number;
  reserved: number;
}

/** One member as the scheduler sees it; it never changes during a decision. Sizes in bytes. */
export interface MemberView {
  name: string;
  /** `unreachable`: it was heard a short while ago, but cannot be talked to now. */
  state: 'online' | 'unreachable' | 'offline' | 'evacuated';
  /** Who may choose it: anybody, only who names it, or only who names one of its groups (or itself). */
  accepts: 'all' | 'manual' | 'group';
  groups: readonly string[];
  failureDomain: string;
  /** All that it can run, as LXD names them: `x86_64`, `i686`. */
  architectures: readonly string[];
  cpus: Amount;
  memory: Amount;
  /** Of the pools that the request asks for room in; a pool that is not here cannot be judged. */
  disk: Readonly<Record<string, Amount>>;
  pools: readonly string[];
  networks: readonly string[];
  /** Those of the request that are on it. */
  volumes: readonly string[];
  /** Whether it has the image that is asked for. */
  hasImage: boolean;
  /** How many instances it holds, running or not. */
  instances: number;
  /** Label → how many of its instances have it. */
  labels: ReadonlyMap<string, number>;
  /** Label → how many of its instances will not be beside one that has it. */
  avoids: ReadonlyMap<string, number>;
  /** Another server begins here when it places at the same time: so that the two do not meet, it is taken later. */
  leftToOthers?: boolean;
}

export interface Snapshot {
  members: readonly MemberView[];
  /** How many instances more make a member no worse than one that is left to others; default 1: none. */
  slack?: number;
}
