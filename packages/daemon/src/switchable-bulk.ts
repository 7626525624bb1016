import { localBulk, type Bulk } from '@lxd-ts/rpc';

/** The agent outlives the daemon's place in a cluster; what it reaches others by does not. */
export interface SwitchableBulk extends Bulk {
  /** undefined: within this process only. */
  use(bulk: Bulk | undefined): void;
}

export function switchableBulk(): SwitchableBulk {
  const local = localBulk();
  let current: Bulk = local;
  return {
    use: (bulk) => void (current = bulk ?? local),
    offer: (options) => current.offer(options),
    take: (ticket, options) => current.take(ticket, options),
  };
}
