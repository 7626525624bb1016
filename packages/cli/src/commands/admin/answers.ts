import { LxdError } from '@lxd-ts/core';
import { isJoin } from './join.ts';
import type { Preseed, PreseedCluster } from './preseed.ts';

/** What has to be known to set a server up, from flags or from questions. */
export interface Answers {
  pool: { name: string; driver: string; config: Record<string, string> } | undefined;
  /** The pool that the default profile's root disk is on; an existing one when `pool` is undefined. */
  rootPool: string | undefined;
  bridge: { name: string; ipv4: string; ipv6: string; ipv4Nat?: boolean; ipv6Nat?: boolean } | undefined;
  /** An existing bridge or interface of the host, instead of a managed one. */
  hostInterface?: { name: string; kind: 'managed' | 'bridge' | 'other' } | undefined;
  network: { address: string; port: number } | undefined;
  trustPassword: string | undefined;
  /** False: images are fetched again only when somebody asks. */
  autoUpdateImages?: boolean;
  /** A cluster to begin or to join. */
  cluster?: PreseedCluster;
}

/** `address:port`, with brackets around an IPv6 address. */
export const listenAddress = (address: string, port: number): string =>
  `${address.includes(':') && !address.startsWith('[') ? `[${address}]` : address}:${port}`;

export function toPreseed(answers: Answers): Preseed {
  const { pool, rootPool, bridge, hostInterface, network, trustPassword, cluster } = answers;
  if (cluster && isJoin(cluster)) return { cluster };
  const config = {
    ...(network ? { 'core.https_address': listenAddress(network.address, network.port) } : {}),
    ...(trustPassword ? { 'core.trust_password': trustPassword } : {}),
    ...(answers.autoUpdateImages === false ? { 'images.auto_update_interval': '0' } : {}),
  };
  const devices: Record<string, Record<string, string>> = {};
  if (rootPool) devices['root'] = { type: 'disk', path: '/', pool: rootPool };
  if (bridge) devices['eth0'] = { type: 'nic', name: 'eth0', network: bridge.name };
  else if (hostInterface?.kind === 'managed') {
    devices['eth0'] = { type: 'nic', name: 'eth0', network: hostInterface.name };
  } else if (hostInterface) {
    const nictype = hostInterface.kind === 'bridge' ? 'bridged' : 'macvlan';
    devices['eth0'] = { type: 'nic', name: 'eth0', nictype, parent: hostInterface.name };
  }
  const nat = (family: 'ipv4' | 'ipv6', wanted: boolean | undefined): Record<string, string> =>
    wanted === undefined ? {} : { [`${family}.nat`]: String(wanted) };
  return {
    config,
    networks: bridge
      ? [
          {
            name: bridge.name,
            type: '',
            project: 'default',
            description: '',
            config: {
              'ipv4.address': bridge.ipv4,
              'ipv6.address': bridge.ipv6,
              ...nat('ipv4', bridge.ipv4Nat),
              ...nat('ipv6', bridge.ipv6Nat),
            },
          },
        ]
      : [],
    storage_pools: pool
      ? [{ name: pool.name, driver: pool.driver, description: '', config: pool.config }]
      : [],
    profiles: [{ name: 'default', config: {}, devices }],
    ...(cluster ? { cluster } : {}),
  };
}

/** Options of `admin init --auto`. */
export interface AutoFlags {
  'network-address': string | undefined;
  'network-port': number | undefined;
  'storage-backend': string | undefined;
  'storage-create-device': string | undefined;
  'storage-create-loop': number | undefined;
  'storage-pool': string | undefined;
  'trust-password': string | undefined;
}

export interface Surroundings {
  drivers: readonly string[];
  pools: readonly string[];
  managedBridges: readonly string[];
  hasInterface: (name: string) => boolean;
  isBridge: (name: string) => boolean;
}

export const freeBridgeName = (around: Surroundings): string => {
  for (let i = 0; ; i++) if (!around.hasInterface(`lxdbr${i}`)) return `lxdbr${i}`;
};

/** The answers that `--auto` and `--minimal` give. */
export function autoAnswers(flags: AutoFlags, around: Surroundings, minimal: boolean): Answers {
  const backend = flags['storage-backend'];
  const device = flags['storage-create-device'];
  const loop = flags['storage-create-loop'];
  if (backend !== undefined && !around.drivers.includes(backend)) {
    throw new LxdError(
      'invalid',
      `The requested backend '${backend}' isn't available on your system (missing tools)`,
    );
  }
  if ((backend ?? 'dir') === 'dir' && (device !== undefined || loop !== undefined)) {
    throw new LxdError(
      'invalid',
      "None of --storage-pool, --storage-create-device or --storage-create-loop may be used with the 'dir' backend",
    );
  }
  if (device !== undefined && loop !== undefined) {
    throw new LxdError(
      'invalid',
      'Only one of --storage-create-device or --storage-create-loop can be specified',
    );
  }
  if (flags['network-address'] === undefined) {
    if (flags['network-port'] !== undefined) {
      throw new LxdError('invalid', "--network-port can't be used without --network-address");
    }
    if (flags['trust-password'] !== undefined) {
      throw new LxdError('invalid', "--trust-password can't be used without --network-address");
    }
  }
  // A loop file is the better default where copy-on-write is to be had: instances are then snapshots of their image.
  const driver = backend ?? (minimal && around.drivers.includes('btrfs') ? 'btrfs' : 'dir');
  const config: Record<string, string> = {
    ...(device === undefined ? {} : { source: device }),
    ...(loop === undefined ? {} : { size: `${loop}GiB` }),
  };
  const name = flags['storage-pool'] ?? 'default';
  const pool = around.pools.length === 0 ? { name, driver, config } : undefined;
  const [existingBridge] = around.managedBridges;
  return {
    pool,
    rootPool: pool?.name ?? (around.pools.includes(name) ? name : around.pools[0]),
    bridge:
      existingBridge === undefined ? { name: freeBridgeName(around), ipv4: 'auto', ipv6: 'auto' } : undefined,
    network:
      flags['network-address'] === undefined
        ? undefined
        : { address: flags['network-address'], port: flags['network-port'] ?? 8443 },
    trustPassword: flags['trust-password'],
  };
}
