import type { Entry } from '../base/command.ts';

export const storageCommands: readonly Entry[] = [
  {
    path: 'storage list',
    summary: 'List storage pools',
    aliases: ['ls'],
    load: () => import('../commands/storage/list.ts'),
  },
  { path: 'storage show', summary: 'Show a storage pool', load: () => import('../commands/storage/show.ts') },
  {
    path: 'storage info',
    summary: 'Show the space and the users of a storage pool',
    load: () => import('../commands/storage/info.ts'),
  },
  {
    path: 'storage create',
    summary: 'Create a storage pool',
    load: () => import('../commands/storage/create.ts'),
  },
  { path: 'storage edit', summary: 'Edit a storage pool', load: () => import('../commands/storage/edit.ts') },
  {
    path: 'storage get',
    summary: 'Show one key of a storage pool',
    load: () => import('../commands/storage/get.ts'),
  },
  {
    path: 'storage set',
    summary: 'Set keys of a storage pool',
    load: () => import('../commands/storage/set.ts'),
  },
  {
    path: 'storage unset',
    summary: 'Remove a key of a storage pool',
    load: () => import('../commands/storage/unset.ts'),
  },
  {
    path: 'storage delete',
    summary: 'Delete a storage pool',
    aliases: ['rm'],
    load: () => import('../commands/storage/delete.ts'),
  },
  {
    path: 'storage volume list',
    summary: 'List the volumes of a storage pool',
    aliases: ['ls'],
    load: () => import('../commands/storage/volume-list.ts'),
  },
];
