import type { Entry } from '../base/command.ts';

export const fileCommands: readonly Entry[] = [
  {
    path: 'file push',
    summary: 'Put files into an instance',
    load: () => import('../commands/file/push.ts'),
  },
  {
    path: 'file pull',
    summary: 'Fetch files of an instance',
    load: () => import('../commands/file/pull.ts'),
  },
  {
    path: 'file edit',
    summary: 'Edit a file of an instance',
    load: () => import('../commands/file/edit.ts'),
  },
  {
    path: 'file delete',
    summary: 'Delete files of an instance',
    aliases: ['rm'],
    load: () => import('../commands/file/delete.ts'),
  },
  {
    path: 'file mount',
    summary: 'Mount the files of an instance',
    load: () => import('../commands/file/mount.ts'),
  },
];
