import type { Entry } from './base/command.ts';
import { adminCommands } from './registry/admin.ts';
import { clusterCommands } from './registry/cluster.ts';
import { configCommands } from './registry/config.ts';
import { fileCommands } from './registry/file.ts';
import { imageCommands } from './registry/image.ts';
import { instanceCommands } from './registry/instance.ts';
import { networkCommands } from './registry/network.ts';
import { operationCommands } from './registry/operation.ts';
import { profileCommands } from './registry/profile.ts';
import { remoteCommands } from './registry/remote.ts';
import { storageCommands } from './registry/storage.ts';
import { systemCommands } from './registry/system.ts';

/** What the words above the commands stand for. */
export const groups: Readonly<Record<string, string>> = {
  admin: 'Set up, start and stop the daemon',
  cluster: 'Members of a cluster',
  'cluster group': 'Groups of members',
  'cluster role': 'Roles of members',
  config: 'Configuration of instances and of the server',
  'config device': 'Devices of instances',
  'config metadata': 'What images say of themselves',
  'config template': 'Templates that make files of instances',
  'config trust': 'Clients that the server trusts',
  file: 'Files of instances',
  image: 'Images, from which instances are created',
  'image alias': 'Names for images',
  network: 'Networks, and instances on them',
  operation: 'Work that the server does in the background',
  profile: 'Profiles: configuration shared by instances',
  'profile device': 'Devices of profiles',
  remote: 'Servers that commands reach by name',
  storage: 'Storage pools',
  'storage volume': 'Storage volumes',
};

/** Every command. The module of one is loaded when it is used, not before. */
export const registry: readonly Entry[] = [
  ...instanceCommands,
  ...fileCommands,
  ...imageCommands,
  ...profileCommands,
  ...configCommands,
  ...networkCommands,
  ...storageCommands,
  ...operationCommands,
  ...remoteCommands,
  ...clusterCommands,
  ...systemCommands,
  ...adminCommands,
];
