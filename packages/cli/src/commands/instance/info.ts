import { text } from 'node:stream/consumers';
import type { InstanceFull, InstanceInterface, Server } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import type { Context } from '../../base/context.ts';
import { apiPath } from '../../base/names.ts';
import { textOutput, yamlOutput, type Output } from '../../base/output.ts';
import { renderTable } from '../../format/table.ts';
import { binarySize, decimalSize, isUnsetTime, shortTime } from '../../format/units.ts';

function interfaceLines(name: string, nic: InstanceInterface): string[] {
  const { counters } = nic;
  return [
    `    ${name}:`,
    `      Type: ${nic.type}`,
    `      State: ${nic.state.toUpperCase()}`,
    ...(nic.host_name ? [`      Host interface: ${nic.host_name}`] : []),
    ...(nic.hwaddr ? [`      MAC address: ${nic.hwaddr}`] : []),
    ...(nic.mtu ? [`      MTU: ${nic.mtu}`] : []),
    `      Bytes received: ${decimalSize(counters.bytes_received)}`,
    `      Bytes sent: ${decimalSize(counters.bytes_sent)}`,
    `      Packets received: ${counters.packets_received}`,
    `      Packets sent: ${counters.packets_sent}`,
    '      IP addresses:',
    ...(nic.addresses ?? []).map(
      ({ family, address, netmask, scope }) =>
        `        ${`${family}:`.padEnd(6)} ${address}/${netmask} (${scope})`,
    ),
  ];
}

function usageLines({ state }: InstanceFull): string[] {
  if (!state?.pid) return [];
  const { memory } = state;
  const disks = Object.entries(state.disk ?? {}).filter(([, { usage }]) => usage > 0);
  const memoryLines = [
    ['Memory (current)', memory.usage],
    ['Memory (peak)', memory.usage_peak],
    ['Swap (current)', memory.swap_usage],
    ['Swap (peak)', memory.swap_usage_peak],
  ] as const;
  const shown = memoryLines.filter(([, value]) => value > 0);
  const nics = Object.entries(state.network ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    '',
    'Resources:',
    `  Processes: ${state.processes}`,
    ...(disks.length > 0
      ? ['  Disk usage:', ...disks.map(([name, { usage }]) => `    ${name}: ${binarySize(usage)}`)]
      : []),
    '  CPU usage:',
    `    CPU usage (in seconds): ${Math.floor(state.cpu.usage / 1e9)}`,
    ...(shown.length > 0
      ? ['  Memory usage:', ...shown.map(([label, value]) => `    ${label}: ${binarySize(value)}`)]
      : []),
    ...(nics.length > 0
      ? ['  Network usage:', ...nics.flatMap(([name, nic]) => interfaceLines(name, nic))]
      : []),
  ];
}

function snapshotLines({ snapshots }: InstanceFull): string[] {
  if (!snapshots || snapshots.length === 0) return [];
  const rows = snapshots.map(({ name, created_at: created, expires_at: expires, stateful }) => [
    name.split('/').pop() ?? name,
    shortTime(created),
    isUnsetTime(expires) ? '' : shortTime(expires),
    stateful ? 'YES' : 'NO',
  ]);
  return ['', 'Snapshots:', renderTable(['NAME', 'TAKEN AT', 'EXPIRES AT', 'STATEFUL'], rows).trimEnd()];
}

/** What `info` says about an instance. */
export function instanceInfo(instance: InstanceFull): string {
  const { state, location } = instance;
  return [
    `Name: ${instance.name}`,
    ...(instance.description ? [`Description: ${instance.description}`] : []),
    `Status: ${instance.status.toUpperCase()}`,
    `Type: ${instance.type}${instance.ephemeral ? ' (ephemeral)' : ''}`,
    `Architecture: ${instance.architecture}`,
    ...(location && location !== 'none' ? [`Location: ${location}`] : []),
    ...(state?.pid ? [`PID: ${state.pid}`] : []),
    ...(isUnsetTime(instance.created_at) ? [] : [`Created: ${shortTime(instance.created_at)}`]),
    ...(isUnsetTime(instance.last_used_at) ? [] : [`Last Used: ${shortTime(instance.last_used_at)}`]),
    ...usageLines(instance),
    ...snapshotLines(instance),
  ].join('\n');
}

async function runtimeLog(context: Context, name: string): Promise<string> {
  const log = await text(await context.client.download(apiPath('instances', name, 'logs', 'lxc.log')));
  return `\n\nLog:\n\n${log.split('\n').slice(-101).join('\n')}`;
}

async function serverInfo(context: Context, resources: boolean, target: string | undefined): Promise<Output> {
  if (resources) return yamlOutput(await context.client.get('/1.0/resources', { query: { target } }));
  const server = await context.client.get<Server>('/1.0', { query: { target } });
  const drivers = server.environment.storage_supported_drivers?.map(({ Name, Version, Remote }) => ({
    name: Name,
    version: Version,
    remote: Remote,
  }));
  return yamlOutput({
    ...server,
    environment: { ...server.environment, storage_supported_drivers: drivers },
  });
}

export default command({
  usage: '[<remote>:][<instance>]',
  arity: [0, 1],
  description: 'Shows what an instance is doing, or how the server is set up.',
  examples: [
    ['info c1', 'State, memory, addresses and snapshots of c1'],
    ['info c1 --show-log', 'The same, and why it did not start'],
    ['info', 'The server'],
  ],
  flags: {
    resources: { kind: 'boolean', help: "The server's hardware" },
    'show-log': { kind: 'boolean', help: "The last 100 lines of the instance's log" },
    target: { kind: 'string', value: 'member', help: 'Cluster member to ask' },
  },
  async run(shell, [arg], flags) {
    const [context, name] = await shell.parse(arg);
    if (name === '') return serverInfo(context, flags.resources, flags.target);
    const instance = await context.client.get<InstanceFull>(apiPath('instances', name), {
      query: { recursion: 1 },
    });
    const log = flags['show-log'] ? await runtimeLog(context, name) : '';
    return textOutput(instanceInfo(instance) + log);
  },
});
