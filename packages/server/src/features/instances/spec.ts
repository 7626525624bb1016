import type { Config, Devices, InstanceSpec, NetworkSpec, PoolSpec } from '@lxd-ts/core';
import type { InstanceRecord, NetworkRecord, PoolRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { expandIn } from './expand.ts';

/** The pool as `member` sees it. */
export const poolSpec = (pool: PoolRecord, member: string): PoolSpec => ({
  name: pool.name,
  driver: pool.driver,
  config: { ...pool.config, ...pool.memberConfig[member] },
});

/** Of all pools that the member has a part of, made already. */
export const poolSpecsOn = ({ records }: Pick<Services, 'records'>, member: string): PoolSpec[] =>
  records
    .list('pools')
    .filter(({ value }) => value.status === 'Created' && Object.hasOwn(value.memberConfig, member))
    .map(({ value }) => poolSpec(value, member));

/** The network as `member` sees it. */
export const networkSpec = (network: NetworkRecord, member: string): NetworkSpec => ({
  project: network.project,
  name: network.name,
  type: network.type,
  config: { ...network.config, ...network.memberConfig[member] },
});

/** By `POOL/NAME`. */
function volumeConfigs(
  { records }: Services,
  devices: Devices,
  project: string,
  member: string,
): Record<string, Config> {
  const found: Record<string, Config> = {};
  for (const { type, pool, source } of Object.values(devices)) {
    if (type !== 'disk' || !pool || !source) continue;
    const volume = records.get('volumes', pool, project, source, member);
    if (volume) found[`${pool}/${source}`] = volume.value.config;
  }
  return found;
}

/** All the agent of `member` needs to run the instance. */
export function instanceSpec(services: Services, record: InstanceRecord, member: string): InstanceSpec {
  const { config, devices } = expandIn(services, record.project, record);
  const pools: Record<string, PoolSpec> = {};
  const networks: Record<string, NetworkSpec> = {};
  for (const device of Object.values(devices)) {
    const pool = device['pool'] ? services.records.get('pools', device['pool']) : undefined;
    if (pool) pools[pool.value.name] = poolSpec(pool.value, member);
    // A bridge may be named as what it is, too.
    const named = device['network'] || (device['nictype'] === 'bridged' ? device['parent'] : undefined);
    const network = named ? services.records.get('networks', record.project, named) : undefined;
    if (network) networks[network.value.name] = networkSpec(network.value, member);
  }
  const { project, name, type, architecture, ephemeral } = record;
  const volumes = volumeConfigs(services, devices, project, member);
  return { project, name, type, architecture, ephemeral, config, devices, pools, networks, volumes };
}
