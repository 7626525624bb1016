import { fstatSync } from 'node:fs';
import { LxdError } from '@lxd-ts/core';
import type { Network, Operation, Profile } from '@lxd-ts/client';
import type { FlagSpecs, FlagValues } from '../../base/args.ts';
import type { Context } from '../../base/context.ts';
import { readAll } from '../../base/io.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import { apiPath } from '../../base/names.ts';
import type { Place, Shell } from '../../base/shell.ts';
import { locateImage, withImage } from '../../remotes/image-source.ts';

export const createFlags = {
  config: { kind: 'list', short: 'c', value: 'key=value', help: 'Configuration of the new instance' },
  device: {
    kind: 'list',
    short: 'd',
    value: 'device,key=value',
    help: 'Option of a device of the new instance',
  },
  empty: { kind: 'boolean', help: 'Create the instance without an image' },
  ephemeral: { kind: 'boolean', short: 'e', help: 'Delete the instance when it stops' },
  network: { kind: 'string', short: 'n', value: 'network', help: 'Network to connect to' },
  'no-profiles': { kind: 'boolean', help: 'Apply no profile' },
  profile: { kind: 'list', short: 'p', value: 'profile', help: 'Profile to apply' },
  storage: { kind: 'string', short: 's', value: 'pool', help: 'Storage pool for the root disk' },
  target: { kind: 'string', value: 'member', help: 'Cluster member to create it on' },
  type: { kind: 'string', short: 't', value: 'type', help: 'Instance type, e.g. t2.micro or c2-m4' },
  vm: { kind: 'boolean', help: 'Create a virtual machine' },
} as const satisfies FlagSpecs;

export type CreateFlags = FlagValues<typeof createFlags>;

type DeviceMap = Record<string, Record<string, string>>;

/** `-d root,size=10GiB` words, by device. */
export function parseDeviceFlags(words: readonly string[]): DeviceMap {
  const devices: DeviceMap = {};
  for (const word of words) {
    const comma = word.indexOf(',');
    if (comma < 1)
      throw new LxdError('invalid', `Bad device override syntax, expecting <device>,<key>=<value>: ${word}`);
    const name = word.slice(0, comma);
    devices[name] = { ...devices[name], ...parseKeyValues([word.slice(comma + 1)]) };
  }
  return devices;
}

/** A pipe or a file on stdin holds configuration; a terminal or /dev/null does not. */
function stdinHasConfig(context: Context): boolean {
  if (context.io.stdinIsTty) return false;
  try {
    const stat = fstatSync(0);
    return stat.isFile() || stat.isFIFO();
  } catch {
    return false;
  }
}

async function readConfig(context: Context): Promise<Record<string, unknown>> {
  if (!stdinHasConfig(context)) return {};
  const text = await readAll(context.io.stdin);
  if (text.trim() === '') return {};
  return (await import('../../format/yaml.ts')).mapFromYaml(text);
}

async function nic(context: Context, name: string): Promise<Record<string, string>> {
  const network = await context.client.get<Network>(apiPath('networks', name));
  if (network.managed) return { name: 'eth0', type: 'nic', network: name };
  const nictype = network.type === 'bridge' ? 'bridged' : 'macvlan';
  return { name: 'eth0', type: 'nic', nictype, parent: name };
}

/** Options given for a device that a profile has are added to the profile's: an instance's device hides the profile's. */
async function withProfileDevices(
  context: Context,
  given: DeviceMap,
  profiles: readonly string[],
): Promise<DeviceMap> {
  if (Object.keys(given).length === 0) return given;
  const found = await Promise.all(
    profiles.map((name) => context.client.get<Profile>(apiPath('profiles', name))),
  );
  const inherited: DeviceMap = Object.assign({}, ...found.map(({ devices }) => devices)) as DeviceMap;
  return Object.fromEntries(
    Object.entries(given).map(([name, options]) => [name, { ...inherited[name], ...options }]),
  );
}

/** The body of the request that creates an instance, without its source. */
export async function createRequest(
  context: Context,
  name: string,
  flags: CreateFlags,
): Promise<Record<string, unknown>> {
  const given = await readConfig(context);
  const devices: DeviceMap = { ...(given['devices'] as DeviceMap | undefined) };
  if (flags.network !== undefined) devices['eth0'] = await nic(context, flags.network);
  if (flags.storage !== undefined)
    devices['root'] = { ...devices['root'], type: 'disk', path: '/', pool: flags.storage };
  const profiles = flags['no-profiles']
    ? []
    : flags.profile.length > 0
      ? [...flags.profile]
      : (given['profiles'] as string[] | undefined);
  for (const [device, options] of Object.entries(parseDeviceFlags(flags.device))) {
    devices[device] = { ...devices[device], ...options };
  }
  return {
    ...given,
    name,
    type: flags.vm ? 'virtual-machine' : 'container',
    config: { ...(given['config'] as Record<string, string> | undefined), ...parseKeyValues(flags.config) },
    devices: await withProfileDevices(context, devices, profiles ?? ['default']),
    ...(profiles ? { profiles } : {}),
    ...(flags.ephemeral ? { ephemeral: true } : {}),
    ...(flags.type === undefined ? {} : { instance_type: flags.type }),
  };
}

/** Creates an instance and returns where it is. The image may be on another server. */
export async function createInstance(
  shell: Shell,
  args: readonly string[],
  flags: CreateFlags,
): Promise<Place> {
  if (flags.empty && args.length > 1)
    throw new LxdError('invalid', '--empty cannot be combined with an image name');
  const [image, place] = flags.empty ? [undefined, args[0]] : args;
  if (!flags.empty && !image) throw new LxdError('invalid', 'An image is needed (or --empty)');
  const [context, name] = await shell.parse(place);
  shell.say(name === '' ? 'Creating the instance' : `Creating ${name}`);
  const body = await createRequest(context, name, flags);
  const create = async (source: object): Promise<Operation | undefined> => {
    const request = { body: { ...body, source }, query: { target: flags.target } };
    return context.wait(await context.client.change('POST', '/1.0/instances', request), 'Retrieving image');
  };
  const ended = await (image === undefined
    ? create({ type: 'none' })
    : withImage(context, await locateImage(shell, image), create));
  if (name !== '') return [context, name];
  const created = (ended?.resources?.['instances'] ?? [])[0]?.split('?')[0]?.split('/').pop() ?? '';
  shell.say(`Instance name is: ${created}`);
  return [context, created];
}
