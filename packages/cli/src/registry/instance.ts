import type { Entry } from '../base/command.ts';

export const instanceCommands: readonly Entry[] = [
  {
    path: 'launch',
    summary: 'Create and start an instance',
    load: () => import('../commands/instance/launch.ts'),
  },
  { path: 'init', summary: 'Create an instance', load: () => import('../commands/instance/init.ts') },
  {
    path: 'start',
    summary: 'Start instances',
    aliases: ['resume'],
    load: () => import('../commands/instance/start.ts'),
  },
  { path: 'stop', summary: 'Stop instances', load: () => import('../commands/instance/stop.ts') },
  { path: 'restart', summary: 'Restart instances', load: () => import('../commands/instance/restart.ts') },
  { path: 'pause', summary: 'Freeze instances', load: () => import('../commands/instance/pause.ts') },
  {
    path: 'delete',
    summary: 'Delete instances',
    aliases: ['rm'],
    load: () => import('../commands/instance/delete.ts'),
  },
  {
    path: 'rebuild',
    summary: 'Make the files of an instance anew',
    load: () => import('../commands/instance/rebuild.ts'),
  },
  {
    path: 'top',
    summary: 'Show what running instances use',
    load: () => import('../commands/instance/top.ts'),
  },
  {
    path: 'list',
    summary: 'List instances',
    aliases: ['ls'],
    load: () => import('../commands/instance/list.ts'),
  },
  {
    path: 'info',
    summary: 'Show an instance or the server',
    load: () => import('../commands/instance/info.ts'),
  },
  {
    path: 'exec',
    summary: 'Run a command in an instance',
    load: () => import('../commands/instance/exec.ts'),
  },
  {
    path: 'shell',
    summary: 'Open a root shell in an instance',
    load: () => import('../commands/instance/shell.ts'),
  },
  {
    path: 'console',
    summary: "Attach to an instance's console",
    load: () => import('../commands/instance/console.ts'),
  },
  {
    path: 'copy',
    summary: 'Copy an instance',
    aliases: ['cp'],
    load: () => import('../commands/instance/copy.ts'),
  },
  { path: 'rename', summary: 'Rename an instance', load: () => import('../commands/instance/rename.ts') },
  {
    path: 'move',
    summary: 'Move (rename) an instance',
    aliases: ['mv'],
    load: () => import('../commands/instance/move.ts'),
  },
  {
    path: 'snapshot',
    summary: 'Keep the state of an instance',
    load: () => import('../commands/instance/snapshot.ts'),
  },
  {
    path: 'restore',
    summary: 'Bring an instance back to a snapshot',
    load: () => import('../commands/instance/restore.ts'),
  },
  {
    path: 'publish',
    summary: 'Make an image of an instance',
    load: () => import('../commands/instance/publish.ts'),
  },
  {
    path: 'export',
    summary: 'Save an instance in a file',
    load: () => import('../commands/instance/export.ts'),
  },
  {
    path: 'import',
    summary: 'Make an instance from a saved file',
    load: () => import('../commands/instance/import.ts'),
  },
];
