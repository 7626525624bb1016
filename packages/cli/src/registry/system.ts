import type { Entry } from '../base/command.ts';

export const systemCommands: readonly Entry[] = [
  {
    path: 'monitor',
    summary: 'Show what happens on the server',
    load: () => import('../commands/system/monitor.ts'),
  },
  {
    path: 'query',
    summary: "Send a request to the server's API",
    load: () => import('../commands/system/query.ts'),
  },
  {
    path: 'version',
    summary: 'Show the versions of client and server',
    load: () => import('../commands/system/version.ts'),
  },
  {
    path: 'completion',
    summary: "Print the shell's completion script",
    load: () => import('../commands/system/completion.ts'),
  },
  { path: 'help', summary: 'Show help', load: () => import('../commands/system/help.ts') },
  {
    path: 'admin init',
    summary: 'Set up storage, network and the default profile',
    load: () => import('../commands/admin/init.ts'),
  },
];
