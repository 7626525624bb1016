import { LxdError, type Devices } from '@lxd-ts/core';
import { command, type LoadedCommand } from '../../base/command.ts';
import { updateDevices, type DeviceOwner } from '../../base/devices.ts';
import { parseVolume } from './volume-name.ts';

/** The volume is attached as a disk. */
export const attachTo = (owner: DeviceOwner, words: string): LoadedCommand =>
  command({
    usage: `[<remote>:]<pool> <volume> <${owner.noun}> [<device>] [<path>]`,
    arity: [3, 5],
    description: `Gives a volume to the ${owner.noun} as a disk at a path. The device is named after the volume, unless you name it.`,
    examples: [
      [`${words} default data ${owner.noun === 'profile' ? 'default' : 'c1'} /srv`, 'See it at /srv'],
    ],
    async run(shell, [arg, text, to, ...more]) {
      const [context, pool] = await shell.require(arg, 'storage pool');
      const { name, type } = parseVolume(text);
      if (type !== 'custom') throw new LxdError('invalid', 'Only custom volumes can be attached');
      const path = more.pop();
      const device = more[0] ?? name;
      await updateDevices(context, owner, await context.name(to, owner.noun), ({ devices }) => {
        if (devices[device]) throw new LxdError('conflict', `The device "${device}" already exists`);
        devices[device] = { type: 'disk', pool, source: name, ...(path === undefined ? {} : { path }) };
      });
      return undefined;
    },
  });

/** The device that is meant: the one named, or the only one of this volume. */
function deviceOf(devices: Devices, pool: string, volume: string, wanted: string | undefined): string {
  const found = Object.entries(devices)
    .filter(([, one]) => one['type'] === 'disk' && one['pool'] === pool && one['source'] === volume)
    .map(([name]) => name);
  if (wanted !== undefined) {
    if (!devices[wanted]) throw new LxdError('not-found', "The specified device doesn't exist");
    if (!found.includes(wanted)) throw new LxdError('invalid', 'The specified device is not of this volume');
    return wanted;
  }
  const [only, another] = found;
  if (only === undefined) throw new LxdError('not-found', 'No device found for this storage volume');
  if (another !== undefined)
    throw new LxdError('invalid', 'More than one device matches, specify the device name');
  return only;
}

export const detachFrom = (owner: DeviceOwner, words: string): LoadedCommand =>
  command({
    usage: `[<remote>:]<pool> <volume> <${owner.noun}> [<device>]`,
    arity: [3, 4],
    description: `Takes a volume from the ${owner.noun}. The volume stays.`,
    examples: [[`${words} default data ${owner.noun === 'profile' ? 'default' : 'c1'}`, 'Remove its disk']],
    async run(shell, [arg, text, from, device]) {
      const [context, pool] = await shell.require(arg, 'storage pool');
      const { name } = parseVolume(text);
      await updateDevices(context, owner, await context.name(from, owner.noun), ({ devices }) => {
        Reflect.deleteProperty(devices, deviceOf(devices, pool, name, device));
      });
      return undefined;
    },
  });
