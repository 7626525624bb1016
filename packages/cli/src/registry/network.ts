import type { Entry } from '../base/command.ts';

export const networkCommands: readonly Entry[] = [
  {
    path: 'network list',
    summary: 'List networks',
    aliases: ['ls'],
    load: () => import('../commands/network/list.ts'),
  },
  { path: 'network show', summary: 'Show a network', load: () => import('../commands/network/show.ts') },
  {
    path: 'network info',
    summary: 'Show the state of a network',
    load: () => import('../commands/network/info.ts'),
  },
  {
    path: 'network create',
    summary: 'Create a network',
    load: () => import('../commands/network/create.ts'),
  },
  { path: 'network edit', summary: 'Edit a network', load: () => import('../commands/network/edit.ts') },
  {
    path: 'network get',
    summary: 'Show one key of a network',
    load: () => import('../commands/network/get.ts'),
  },
  { path: 'network set', summary: 'Set keys of a network', load: () => import('../commands/network/set.ts') },
  {
    path: 'network unset',
    summary: 'Remove a key of a network',
    load: () => import('../commands/network/unset.ts'),
  },
  {
    path: 'network delete',
    summary: 'Delete a network',
    aliases: ['rm'],
    load: () => import('../commands/network/delete.ts'),
  },
  {
    path: 'network list-leases',
    summary: 'List DHCP leases of a network',
    load: () => import('../commands/network/list-leases.ts'),
  },
  {
    path: 'network attach',
    summary: 'Connect an instance to a network',
    load: () => import('../commands/network/attach.ts'),
  },
  {
    path: 'network detach',
    summary: 'Disconnect an instance from a network',
    load: () => import('../commands/network/detach.ts'),
  },
];
