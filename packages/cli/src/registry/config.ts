import type { Entry } from '../base/command.ts';

export const configCommands: readonly Entry[] = [
  {
    path: 'config get',
    summary: 'Show one key of an instance or the server',
    load: () => import('../commands/config/get.ts'),
  },
  {
    path: 'config set',
    summary: 'Set keys of an instance or the server',
    load: () => import('../commands/config/set.ts'),
  },
  {
    path: 'config unset',
    summary: 'Remove a key of an instance or the server',
    load: () => import('../commands/config/unset.ts'),
  },
  {
    path: 'config show',
    summary: 'Show the configuration of an instance or the server',
    load: () => import('../commands/config/show.ts'),
  },
  {
    path: 'config edit',
    summary: 'Edit the configuration of an instance or the server',
    load: () => import('../commands/config/edit.ts'),
  },
  {
    path: 'config device add',
    summary: 'Add a device to an instance',
    load: () => import('../commands/config/device-add.ts'),
  },
  {
    path: 'config device list',
    summary: 'List the devices of an instance',
    aliases: ['ls'],
    load: () => import('../commands/config/device-list.ts'),
  },
  {
    path: 'config device show',
    summary: 'Show the devices of an instance',
    load: () => import('../commands/config/device-show.ts'),
  },
  {
    path: 'config device get',
    summary: 'Show one option of a device',
    load: () => import('../commands/config/device-get.ts'),
  },
  {
    path: 'config device set',
    summary: 'Set options of a device',
    load: () => import('../commands/config/device-set.ts'),
  },
  {
    path: 'config device unset',
    summary: 'Remove an option of a device',
    load: () => import('../commands/config/device-unset.ts'),
  },
  {
    path: 'config device remove',
    summary: 'Remove devices from an instance',
    aliases: ['rm'],
    load: () => import('../commands/config/device-remove.ts'),
  },
  {
    path: 'config device override',
    summary: "Give an instance its own copy of a profile's device",
    load: () => import('../commands/config/device-override.ts'),
  },
];
