import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { instanceDevices, updateDevices } from '../../base/devices.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import { notice } from '../../base/output.ts';

export default command({
  usage: '[<remote>:]<instance> <device> [<key>=<value>...]',
  arity: [2, Infinity],
  description:
    'Gives an instance its own copy of a device that it has from a profile, with other options where given.',
  examples: [['config device override c1 root size=20GiB', 'A larger root disk for c1 only']],
  async run(shell, [target, device = '', ...options]) {
    const [context, name] = await shell.require(target, 'instance');
    const settings = parseKeyValues(options);
    await updateDevices(context, instanceDevices, name, ({ devices, expanded_devices: expanded }) => {
      if (devices[device]) throw new LxdError('conflict', 'The device already exists');
      const inherited = expanded[device];
      if (!inherited) throw new LxdError('not-found', "The profile device doesn't exist");
      devices[device] = { ...inherited, ...settings };
    });
    return notice(`Device ${device} overridden for ${name}`);
  },
});
