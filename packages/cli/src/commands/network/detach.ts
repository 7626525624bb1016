import { LxdError } from '@lxd-ts/core';
import type { Devices } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { instanceDevices, updateDevices } from '../../base/devices.ts';

/** The device to remove: the one named, or the only one on that network. */
export function deviceOn(network: string, devices: Devices, device: string | undefined): string {
  if (device === undefined) {
    const found = Object.entries(devices).filter(
      ([, one]) => one['type'] === 'nic' && (one['network'] === network || one['parent'] === network),
    );
    if (found.length > 1)
      throw new LxdError('invalid', 'More than one device matches, specify the device name');
    if (!found[0]) throw new LxdError('not-found', 'No device found for this network');
    return found[0][0];
  }
  const options = devices[device];
  if (!options) throw new LxdError('not-found', "The specified device doesn't exist");
  if (options['type'] !== 'nic' || (options['network'] !== network && options['parent'] !== network)) {
    throw new LxdError('invalid', "The specified device doesn't match the network");
  }
  return device;
}

export default command({
  usage: '[<remote>:]<network> <instance> [<device>]',
  arity: [2, 3],
  description: 'Disconnects an instance from a network.',
  examples: [['network detach lxdbr0 c1', 'Remove the interface that c1 has on lxdbr0']],
  async run(shell, [network, target, device]) {
    const [context, name] = await shell.require(network, 'network');
    const instance = await context.name(target, 'instance');
    await updateDevices(context, instanceDevices, instance, ({ devices }) => {
      Reflect.deleteProperty(devices, deviceOn(name, devices, device));
    });
    return undefined;
  },
});
