import { statusCode, type Config, type Devices } from '@lxd-ts/core';
import type { InstanceStateReport } from '@lxd-ts/rpc';
import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { locationOf, statusOf } from './context.ts';
import { expandIn } from './expand.ts';

const never = '1970-01-01T00:00:00Z';

/** LXD's Instance. */
export interface InstanceView {
  architecture: string;
  config: Config;
  devices: Devices;
  ephemeral: boolean;
  profiles: string[];
  stateful: boolean;
  description: string;
  created_at: string;
  expanded_config: Config;
  expanded_devices: Devices;
  name: string;
  status: string;
  status_code: number;
  last_used_at: string;
  location: string;
  type: string;
  project: string;
}

/** What an ETag of an instance stands for: all that a PUT can change. */
export const instanceTag = ({
  architecture,
  config,
  devices,
  ephemeral,
  profiles,
  description,
}: InstanceRecord): unknown => ({ architecture, config, devices, ephemeral, profiles, description });

/** Makes views of many: what holds for all of a member is found out once. */
export function instanceViewer(services: Services): (record: InstanceRecord) => InstanceView {
  const { records, agents, server } = services;
  const members = new Map<string, { offline: boolean; location: string }>();
  const memberOf = (name: string) => {
    let known = members.get(name);
    if (!known) {
      known = { offline: agents.state(name) === 'offline', location: locationOf(services, name) };
      members.set(name, known);
    }
    return known;
  };
  return (record) => {
    const { project, name } = record;
    const { offline, location } = memberOf(records.get('placements', project, name)?.value.member ?? server);
    const status = offline ? 'Error' : statusOf(services, project, name);
    const expanded = expandIn(services, project, record);
    return {
      architecture: record.architecture,
      config: record.config,
      devices: record.devices,
      ephemeral: record.ephemeral,
      profiles: record.profiles,
      stateful: record.stateful,
      description: record.description,
      created_at: record.createdAt,
      expanded_config: expanded.config,
      expanded_devices: expanded.devices,
      name,
      status,
      status_code: statusCode[status],
      last_used_at: record.lastUsedAt || never,
      location,
      type: record.type,
      project,
    };
  };
}

export const instanceView = (services: Services, record: InstanceRecord): InstanceView =>
  instanceViewer(services)(record);

const counters = (report: NonNullable<InstanceStateReport['network']>[string]['counters']) => ({
  bytes_received: report.bytesReceived,
  bytes_sent: report.bytesSent,
  packets_received: report.packetsReceived,
  packets_sent: report.packetsSent,
  errors_received: 0,
  errors_sent: 0,
  packets_dropped_outbound: 0,
  packets_dropped_inbound: 0,
});

const stopped: InstanceStateReport = {
  status: 'Stopped',
  pid: 0,
  processes: 0,
  cpuNanoseconds: 0,
  memory: { usage: 0, usagePeak: 0, swapUsage: 0, swapUsagePeak: 0, total: 0 },
  disk: {},
  network: null,
};

/** LXD's InstanceState; without a report, of one that cannot be asked. */
export function stateView(report: InstanceStateReport | undefined): Record<string, unknown> {
  const { status, pid, processes, cpuNanoseconds, memory, disk, network } = report ?? {
    ...stopped,
    status: 'Error' as const,
  };
  return {
    status,
    status_code: statusCode[status],
    disk: Object.fromEntries(Object.entries(disk).map(([name, { usage }]) => [name, { usage }])),
    memory: {
      usage: memory.usage,
      usage_peak: memory.usagePeak,
      swap_usage: memory.swapUsage,
      swap_usage_peak: memory.swapUsagePeak,
    },
    network: network
      ? Object.fromEntries(
          Object.entries(network).map(([name, { hostName, counters: seen, ...rest }]) => [
            name,
            {
              addresses: rest.addresses,
              counters: counters(seen),
              hwaddr: rest.hwaddr,
              host_name: hostName,
              mtu: rest.mtu,
              state: rest.state,
              type: rest.type,
            },
          ]),
        )
      : null,
    pid,
    processes,
    cpu: { usage: cpuNanoseconds },
  };
}
