import { LxdError } from '@lxd-ts/core';
import type { HostInterface, NetworkState } from '@lxd-ts/rpc';
import type { NetworkRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { networkSpec } from '../instances/spec.ts';
import { isClustered, locations, nodes, shownConfig } from '../shared/members.ts';
import { statusView } from '../shared/parts/status.ts';
import { usedBy } from '../shared/used-by.ts';

/** Instances and profiles with a NIC on it; null when there is none. */
export const usersOf = (services: Services, project: string, name: string): string[] | null =>
  usedBy(
    services,
    (device, of) =>
      device['type'] === 'nic' && of === project && (device['network'] === name || device['parent'] === name),
  );

/** LXD's Network, of one that is managed. */
export const networkView = (
  services: Services,
  record: NetworkRecord,
  target: string | undefined,
): Record<string, unknown> => ({
  config: shownConfig(services, record, target),
  description: record.description,
  name: record.name,
  type: record.type,
  used_by: usersOf(services, record.project, record.name),
  managed: true,
  status: statusView(services, record, 'network', [record.project, record.name], target),
  locations: locations(services, record),
});

/** LXD's Network, of an interface of the host. */
export const interfaceView = (
  services: Services,
  project: string,
  { name, type }: HostInterface,
): Record<string, unknown> => ({
  config: {},
  description: '',
  name,
  type,
  used_by: usersOf(services, project, name) ?? [],
  managed: false,
  status: '',
  locations: null,
});

/** What a network or interface of a member is doing, as LXD's NetworkState. */
export const networkStateView = (state: NetworkState): Record<string, unknown> => ({
  addresses: state.addresses,
  counters: {
    bytes_received: state.counters.bytesReceived,
    bytes_sent: state.counters.bytesSent,
    packets_received: state.counters.packetsReceived,
    packets_sent: state.counters.packetsSent,
  },
  hwaddr: state.hwaddr,
  mtu: state.mtu,
  state: state.state,
  type: state.type,
  bond: null,
  bridge: null,
  vlan: null,
  ovn: null,
});

/** The network's own addresses, which are the same everywhere, then the leases of every member that can be reached. */
export async function leasesOf(
  services: Services,
  record: NetworkRecord,
  signal: AbortSignal,
): Promise<Record<string, unknown>[]> {
  const online = services.agents.online();
  const several = isClustered(services);
  const leases = await Promise.all(
    nodes(services)
      .filter((member) => online.includes(member))
      .map(async (member) => {
        const found = await services.agents
          .get(member)
          .networkLeases(networkSpec(record, member), { signal });
        return found.map((lease) => ({ ...lease, location: several ? member : 'none' }));
      }),
  );
  const all = leases.flat();
  const gateways = new Map(
    all
      .filter(({ type }) => type === 'gateway')
      .map((lease) => [lease.address, { ...lease, location: '' }] as const),
  );
  return [...gateways.values(), ...all.filter(({ type }) => type !== 'gateway')];
}

/** Interfaces of the host a request means. */
export function interfacesOf(
  services: Services,
  member: string,
  signal: AbortSignal,
): Promise<HostInterface[]> {
  return services.agents.get(member).hostInterfaces({ signal });
}

/** @throws LxdError `not-found` */
export async function stateOf(
  services: Services,
  name: string,
  member: string,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  try {
    const state = await services.agents.get(member).networkState(name, { signal });
    return networkStateView(state);
  } catch (error) {
    if (!(error instanceof LxdError) || error.code !== 'not-found') throw error;
    throw new LxdError('not-found', `Network interface "${name}" not found`, { cause: error });
  }
}
