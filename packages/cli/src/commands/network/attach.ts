import { LxdError } from '@lxd-ts/core';
import type { Network } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { instanceDevices, updateDevices } from '../../base/devices.ts';
import { apiPath } from '../../base/names.ts';

/** The device that connects to a network: by name when it is managed, else by the host's interface. */
export function nicFor(network: Network, interfaceName: string | undefined): Record<string, string> {
  const name = interfaceName === undefined ? {} : { name: interfaceName };
  if (network.managed) return { type: 'nic', network: network.name, ...name };
  return {
    type: 'nic',
    nictype: network.type === 'bridge' ? 'bridged' : 'macvlan',
    parent: network.name,
    ...name,
  };
}

export default command({
  usage: '[<remote>:]<network> <instance> [<device> [<interface>]]',
  arity: [2, 4],
  description:
    'Connects an instance to a network. The device is named after the network, unless you name it.',
  examples: [['network attach lxdbr0 c1 eth1 eth1', 'Give c1 the interface eth1 on lxdbr0']],
  async run(shell, [arg, target, device, interfaceName]) {
    const [context, name] = await shell.require(arg, 'network');
    const instance = await context.name(target, 'instance');
    const network = await context.client.get<Network>(apiPath('networks', name));
    await updateDevices(context, instanceDevices, instance, ({ devices }) => {
      const chosen = device ?? name;
      if (devices[chosen]) throw new LxdError('conflict', `The device "${chosen}" already exists`);
      devices[chosen] = nicFor(network, interfaceName ?? device);
    });
    return undefined;
  },
});
