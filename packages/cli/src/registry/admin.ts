import type { Entry } from '../base/command.ts';

export const adminCommands: readonly Entry[] = [
  {
    path: 'admin recover',
    summary: 'Take in what is in storage pools and not on record',
    load: () => import('../commands/admin/recover.ts'),
  },
  {
    path: 'admin waitready',
    summary: 'Wait until the daemon is ready',
    load: () => import('../commands/admin/waitready.ts'),
  },
  {
    path: 'admin shutdown',
    summary: 'Stop all instances and the daemon',
    load: () => import('../commands/admin/shutdown.ts'),
  },
];
