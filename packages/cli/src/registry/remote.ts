import type { Entry } from '../base/command.ts';

export const remoteCommands: readonly Entry[] = [
  { path: 'remote add', summary: 'Add a server', load: () => import('../commands/remote/add.ts') },
  {
    path: 'remote list',
    summary: 'List servers',
    aliases: ['ls'],
    load: () => import('../commands/remote/list.ts'),
  },
  {
    path: 'remote switch',
    summary: 'Choose the server to use when none is named',
    aliases: ['set-default'],
    load: () => import('../commands/remote/switch.ts'),
  },
  {
    path: 'remote rename',
    summary: 'Rename a server',
    aliases: ['mv'],
    load: () => import('../commands/remote/rename.ts'),
  },
  {
    path: 'remote remove',
    summary: 'Forget a server',
    aliases: ['rm'],
    load: () => import('../commands/remote/remove.ts'),
  },
  {
    path: 'remote set-url',
    summary: 'Change the address of a server',
    load: () => import('../commands/remote/set-url.ts'),
  },
  {
    path: 'remote get-default',
    summary: 'Show the server that is used when none is named',
    load: () => import('../commands/remote/get-default.ts'),
  },
];
