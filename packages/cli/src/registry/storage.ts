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
    load: () => import('../commands/volume/list.ts'),
  },
  {
    path: 'storage volume show',
    summary: 'Show a volume',
    load: () => import('../commands/volume/show.ts'),
  },
  {
    path: 'storage volume info',
    summary: 'Show how much is in a volume',
    load: () => import('../commands/volume/info.ts'),
  },
  {
    path: 'storage volume create',
    summary: 'Create a volume',
    load: () => import('../commands/volume/create.ts'),
  },
  {
    path: 'storage volume edit',
    summary: 'Edit a volume',
    load: () => import('../commands/volume/edit.ts'),
  },
  {
    path: 'storage volume get',
    summary: 'Show one key of a volume',
    load: () => import('../commands/volume/get.ts'),
  },
  {
    path: 'storage volume set',
    summary: 'Set keys of a volume',
    load: () => import('../commands/volume/set.ts'),
  },
  {
    path: 'storage volume unset',
    summary: 'Remove a key of a volume',
    load: () => import('../commands/volume/unset.ts'),
  },
  {
    path: 'storage volume rename',
    summary: 'Rename a volume',
    load: () => import('../commands/volume/rename.ts'),
  },
  {
    path: 'storage volume copy',
    summary: 'Copy a volume',
    aliases: ['cp'],
    load: () => import('../commands/volume/copy.ts'),
  },
  {
    path: 'storage volume move',
    summary: 'Move a volume to another pool',
    aliases: ['mv'],
    load: () => import('../commands/volume/move.ts'),
  },
  {
    path: 'storage volume snapshot',
    summary: 'Keep the content of a volume',
    load: () => import('../commands/volume/snapshot.ts'),
  },
  {
    path: 'storage volume restore',
    summary: 'Go back to a snapshot of a volume',
    load: () => import('../commands/volume/restore.ts'),
  },
  {
    path: 'storage volume export',
    summary: 'Save a volume in a file',
    load: () => import('../commands/volume/export.ts'),
  },
  {
    path: 'storage volume import',
    summary: 'Make a volume from such a file',
    load: () => import('../commands/volume/import.ts'),
  },
  {
    path: 'storage volume attach',
    summary: 'Give a volume to an instance',
    load: () => import('../commands/volume/attach.ts'),
  },
  {
    path: 'storage volume detach',
    summary: 'Take a volume from an instance',
    load: () => import('../commands/volume/detach.ts'),
  },
  {
    path: 'storage volume attach-profile',
    summary: 'Give a volume to a profile',
    load: () => import('../commands/volume/attach-profile.ts'),
  },
  {
    path: 'storage volume detach-profile',
    summary: 'Take a volume from a profile',
    load: () => import('../commands/volume/detach-profile.ts'),
  },
  {
    path: 'storage volume delete',
    summary: 'Delete a volume',
    aliases: ['rm'],
    load: () => import('../commands/volume/delete.ts'),
  },
];
