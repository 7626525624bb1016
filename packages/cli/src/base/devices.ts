import { LxdError, type Devices } from '@lxd-ts/core';
import type { Instance } from '@lxd-ts/client';
import { command, type LoadedCommand } from './command.ts';
import type { Context } from './context.ts';
import { instanceFields, profile } from './entities.ts';
import { parseKeyValues, parseSettings } from './key-values.ts';
import { apiPath } from './names.ts';
import { notice, textOutput, yamlOutput } from './output.ts';

/** What devices are attached to. */
export interface DeviceOwner {
  collection: 'instances' | 'profiles';
  noun: 'instance' | 'profile';
  words: 'config device' | 'profile device';
  editable: readonly string[];
}

export const instanceDevices: DeviceOwner = {
  collection: 'instances',
  noun: 'instance',
  words: 'config device',
  editable: instanceFields,
};

export const profileDevices: DeviceOwner = {
  collection: 'profiles',
  noun: 'profile',
  words: 'profile device',
  editable: profile.editable,
};

type Owned = Pick<Instance, 'devices' | 'expanded_devices'>;

/** Reads the owner, changes its devices, writes it back guarded by its ETag. */
export async function updateDevices(
  context: Context,
  { collection, editable }: DeviceOwner,
  name: string,
  change: (owner: Owned) => void,
): Promise<void> {
  const path = apiPath(collection, name);
  const { metadata, etag } = await context.client.getWithEtag<Owned>(path);
  change(metadata);
  const body = Object.fromEntries(Object.entries(metadata).filter(([key]) => editable.includes(key)));
  await context.change('PUT', path, { body, etag });
}

/** The device to change, which must be the owner's own. */
function own(
  owner: Owned,
  device: string,
  verb: 'retrieved' | 'modified' | 'removed',
): Record<string, string> {
  const found = owner.devices[device];
  if (found) return found;
  if ((owner.expanded_devices as Devices | undefined)?.[device]) {
    const advice = verb === 'retrieved' ? '' : '. Override device or modify profile instead';
    throw new LxdError(
      'invalid',
      `Device from profile(s) cannot be ${verb} for individual instance${advice}`,
    );
  }
  throw new LxdError('not-found', "Device doesn't exist");
}

export const deviceAdd = (owner: DeviceOwner): LoadedCommand =>
  command({
    usage: `[<remote>:]<${owner.noun}> <device> <type> [<key>=<value>...]`,
    arity: [3, Infinity],
    description: `Adds a device to the ${owner.noun}.`,
    examples: [
      [`${owner.words} add c1 data disk source=/srv/data path=/data`, "Show the host's /srv/data as /data"],
      [`${owner.words} add c1 eth1 nic network=lxdbr0`, 'A second network interface'],
    ],
    async run(shell, [target, device = '', type = '', ...options]) {
      const [context, name] = await shell.require(target, owner.noun);
      const settings = parseKeyValues(options);
      await updateDevices(context, owner, name, ({ devices }) => {
        if (devices[device]) throw new LxdError('conflict', 'The device already exists');
        devices[device] = { ...settings, type };
      });
      return notice(`Device ${device} added to ${name}`);
    },
  });

export const deviceList = (owner: DeviceOwner): LoadedCommand =>
  command({
    usage: `[<remote>:]<${owner.noun}>`,
    arity: [1, 1],
    description: `Lists the names of the devices of the ${owner.noun}.`,
    async run(shell, [target]) {
      const [{ client }, name] = await shell.require(target, owner.noun);
      const { devices } = await client.get<Owned>(apiPath(owner.collection, name));
      return textOutput(Object.keys(devices).sort().join('\n'));
    },
  });

export const deviceShow = (owner: DeviceOwner): LoadedCommand =>
  command({
    usage: `[<remote>:]<${owner.noun}>`,
    arity: [1, 1],
    description: `Shows the devices of the ${owner.noun} as YAML.`,
    async run(shell, [target]) {
      const [{ client }, name] = await shell.require(target, owner.noun);
      const { devices } = await client.get<Owned>(apiPath(owner.collection, name));
      return yamlOutput(devices);
    },
  });

export const deviceGet = (owner: DeviceOwner): LoadedCommand =>
  command({
    usage: `[<remote>:]<${owner.noun}> <device> <key>`,
    arity: [3, 3],
    description: 'Shows one option of a device.',
    async run(shell, [target, device = '', key = '']) {
      const [{ client }, name] = await shell.require(target, owner.noun);
      const found = await client.get<Owned>(apiPath(owner.collection, name));
      return textOutput(own(found, device, 'retrieved')[key] ?? '');
    },
  });

export const deviceSet = (owner: DeviceOwner): LoadedCommand =>
  command({
    usage: `[<remote>:]<${owner.noun}> <device> <key>=<value>...`,
    arity: [3, Infinity],
    description: 'Sets options of a device. One may also be given as two words: <key> <value>.',
    examples: [[`${owner.words} set c1 eth0 ipv4.address=10.0.3.7`, 'Give c1 a fixed address']],
    async run(shell, [target, device = '', ...options]) {
      const settings = parseSettings(options);
      const [context, name] = await shell.require(target, owner.noun);
      await updateDevices(context, owner, name, (found) => {
        Object.assign(own(found, device, 'modified'), settings);
      });
      return undefined;
    },
  });

export const deviceUnset = (owner: DeviceOwner): LoadedCommand =>
  command({
    usage: `[<remote>:]<${owner.noun}> <device> <key>`,
    arity: [3, 3],
    description: 'Removes an option of a device.',
    async run(shell, [target, device = '', key = '']) {
      const [context, name] = await shell.require(target, owner.noun);
      await updateDevices(context, owner, name, (found) => {
        Reflect.deleteProperty(own(found, device, 'modified'), key);
      });
      return undefined;
    },
  });

export const deviceRemove = (owner: DeviceOwner): LoadedCommand =>
  command({
    usage: `[<remote>:]<${owner.noun}> <device>...`,
    arity: [2, Infinity],
    description: `Removes devices from the ${owner.noun}.`,
    async run(shell, [target, ...names]) {
      const [context, name] = await shell.require(target, owner.noun);
      await updateDevices(context, owner, name, (found) => {
        for (const device of names) {
          own(found, device, 'removed');
          Reflect.deleteProperty(found.devices, device);
        }
      });
      return notice(`Device ${names.join(', ')} removed from ${name}`);
    },
  });
