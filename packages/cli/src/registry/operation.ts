import type { Entry } from '../base/command.ts';

export const operationCommands: readonly Entry[] = [
  {
    path: 'operation list',
    summary: 'List operations',
    aliases: ['ls'],
    load: () => import('../commands/operation/list.ts'),
  },
  {
    path: 'operation show',
    summary: 'Show an operation',
    load: () => import('../commands/operation/show.ts'),
  },
  {
    path: 'operation delete',
    summary: 'Cancel an operation',
    aliases: ['rm', 'cancel'],
    load: () => import('../commands/operation/delete.ts'),
  },
];
