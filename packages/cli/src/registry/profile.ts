import type { Entry } from '../base/command.ts';

export const profileCommands: readonly Entry[] = [
  {
    path: 'profile list',
    summary: 'List profiles',
    aliases: ['ls'],
    load: () => import('../commands/profile/list.ts'),
  },
  { path: 'profile show', summary: 'Show a profile', load: () => import('../commands/profile/show.ts') },
  {
    path: 'profile create',
    summary: 'Create a profile',
    load: () => import('../commands/profile/create.ts'),
  },
  { path: 'profile edit', summary: 'Edit a profile', load: () => import('../commands/profile/edit.ts') },
  {
    path: 'profile delete',
    summary: 'Delete a profile',
    aliases: ['rm'],
    load: () => import('../commands/profile/delete.ts'),
  },
  {
    path: 'profile copy',
    summary: 'Copy a profile',
    aliases: ['cp'],
    load: () => import('../commands/profile/copy.ts'),
  },
  {
    path: 'profile rename',
    summary: 'Rename a profile',
    load: () => import('../commands/profile/rename.ts'),
  },
  {
    path: 'profile get',
    summary: 'Show one key of a profile',
    load: () => import('../commands/profile/get.ts'),
  },
  { path: 'profile set', summary: 'Set keys of a profile', load: () => import('../commands/profile/set.ts') },
  {
    path: 'profile unset',
    summary: 'Remove a key of a profile',
    load: () => import('../commands/profile/unset.ts'),
  },
  {
    path: 'profile add',
    summary: 'Add a profile to an instance',
    load: () => import('../commands/profile/add.ts'),
  },
  {
    path: 'profile remove',
    summary: 'Take a profile from an instance',
    load: () => import('../commands/profile/remove.ts'),
  },
  {
    path: 'profile assign',
    summary: 'Replace the profiles of an instance',
    aliases: ['apply'],
    load: () => import('../commands/profile/assign.ts'),
  },
  {
    path: 'profile device add',
    summary: 'Add a device to a profile',
    load: () => import('../commands/profile/device-add.ts'),
  },
  {
    path: 'profile device list',
    summary: 'List the devices of a profile',
    aliases: ['ls'],
    load: () => import('../commands/profile/device-list.ts'),
  },
  {
    path: 'profile device show',
    summary: 'Show the devices of a profile',
    load: () => import('../commands/profile/device-show.ts'),
  },
  {
    path: 'profile device get',
    summary: 'Show one option of a device',
    load: () => import('../commands/profile/device-get.ts'),
  },
  {
    path: 'profile device set',
    summary: 'Set options of a device',
    load: () => import('../commands/profile/device-set.ts'),
  },
  {
    path: 'profile device unset',
    summary: 'Remove an option of a device',
    load: () => import('../commands/profile/device-unset.ts'),
  },
  {
    path: 'profile device remove',
    summary: 'Remove devices from a profile',
    aliases: ['rm'],
    load: () => import('../commands/profile/device-remove.ts'),
  },
];
