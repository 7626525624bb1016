import type { NetworkState } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';
import { textOutput } from '../../base/output.ts';
import { decimalSize } from '../../format/units.ts';

/** What `network info` says. */
export function networkInfo(name: string, state: NetworkState): string {
  const { counters, bridge } = state;
  const addresses = state.addresses ?? [];
  return [
    `Name: ${name}`,
    ...(state.hwaddr ? [`MAC address: ${state.hwaddr}`] : []),
    `MTU: ${state.mtu}`,
    `State: ${state.state}`,
    `Type: ${state.type}`,
    ...(addresses.length > 0
      ? [
          '',
          'IP addresses:',
          ...addresses.map((one) => `  ${one.family}\t${one.address}/${one.netmask} (${one.scope})`),
        ]
      : []),
    '',
    'Network usage:',
    `  Bytes received: ${decimalSize(counters.bytes_received)}`,
    `  Bytes sent: ${decimalSize(counters.bytes_sent)}`,
    `  Packets received: ${counters.packets_received}`,
    `  Packets sent: ${counters.packets_sent}`,
    ...(bridge
      ? [
          '',
          'Bridge:',
          `  ID: ${bridge.id}`,
          `  STP: ${bridge.stp}`,
          `  Forward delay: ${bridge.forward_delay}`,
          `  Default VLAN ID: ${bridge.vlan_default}`,
          `  VLAN filtering: ${bridge.vlan_filtering}`,
          `  Upper devices: ${(bridge.upper_devices ?? []).join(', ')}`,
        ]
      : []),
  ].join('\n');
}

export default command({
  usage: '[<remote>:]<network>',
  arity: [1, 1],
  description: 'Shows addresses, counters and ports of a network as they are now.',
  flags: { target: { kind: 'string', value: 'member', help: 'Cluster member to ask' } },
  async run(shell, [arg], { target }) {
    const [context, name] = await shell.require(arg, 'network');
    const state = await context.client.get<NetworkState>(apiPath('networks', name, 'state'), {
      query: { target },
    });
    return textOutput(networkInfo(name, state));
  },
});
