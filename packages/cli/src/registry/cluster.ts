import type { Entry } from '../base/command.ts';

export const clusterCommands: readonly Entry[] = [
  {
    path: 'cluster list',
    summary: 'List the members of the cluster',
    aliases: ['ls'],
    load: () => import('../commands/cluster/list.ts'),
  },
  { path: 'cluster show', summary: 'Show a member', load: () => import('../commands/cluster/show.ts') },
  {
    path: 'cluster info',
    summary: 'Show how a member is doing',
    load: () => import('../commands/cluster/info.ts'),
  },
  {
    path: 'cluster enable',
    summary: 'Make the server the first member of a cluster',
    load: () => import('../commands/cluster/enable.ts'),
  },
  {
    path: 'cluster add',
    summary: 'Get a token for a new member',
    load: () => import('../commands/cluster/add.ts'),
  },
  {
    path: 'cluster list-tokens',
    summary: 'List unused tokens for new members',
    load: () => import('../commands/cluster/list-tokens.ts'),
  },
  {
    path: 'cluster revoke-token',
    summary: 'Make a token for a new member useless',
    load: () => import('../commands/cluster/revoke-token.ts'),
  },
  {
    path: 'cluster remove',
    summary: 'Take a member out of the cluster',
    aliases: ['rm'],
    load: () => import('../commands/cluster/remove.ts'),
  },
  {
    path: 'cluster rename',
    summary: 'Rename a member',
    aliases: ['mv'],
    load: () => import('../commands/cluster/rename.ts'),
  },
  { path: 'cluster edit', summary: 'Edit a member', load: () => import('../commands/cluster/edit.ts') },
  {
    path: 'cluster get',
    summary: 'Show one key of a member',
    load: () => import('../commands/cluster/get.ts'),
  },
  { path: 'cluster set', summary: 'Set keys of a member', load: () => import('../commands/cluster/set.ts') },
  {
    path: 'cluster unset',
    summary: 'Remove a key of a member',
    load: () => import('../commands/cluster/unset.ts'),
  },
  {
    path: 'cluster evacuate',
    summary: 'Empty a member',
    aliases: ['evac'],
    load: () => import('../commands/cluster/evacuate.ts'),
  },
  {
    path: 'cluster restore',
    summary: 'Bring back what was on a member before it was emptied',
    load: () => import('../commands/cluster/restore.ts'),
  },
  {
    path: 'cluster update-certificate',
    summary: 'Replace the certificate of the cluster',
    aliases: ['update-cert'],
    load: () => import('../commands/cluster/update-certificate.ts'),
  },
  {
    path: 'cluster explain',
    summary: 'Say why an instance is where it is',
    load: () => import('../commands/cluster/explain.ts'),
  },
  {
    path: 'cluster group list',
    summary: 'List groups of members',
    aliases: ['ls'],
    load: () => import('../commands/cluster/group-list.ts'),
  },
  {
    path: 'cluster group create',
    summary: 'Create a group of members',
    load: () => import('../commands/cluster/group-create.ts'),
  },
  {
    path: 'cluster group show',
    summary: 'Show a group of members',
    load: () => import('../commands/cluster/group-show.ts'),
  },
  {
    path: 'cluster group edit',
    summary: 'Edit a group of members',
    load: () => import('../commands/cluster/group-edit.ts'),
  },
  {
    path: 'cluster group rename',
    summary: 'Rename a group of members',
    aliases: ['mv'],
    load: () => import('../commands/cluster/group-rename.ts'),
  },
  {
    path: 'cluster group delete',
    summary: 'Delete a group of members',
    aliases: ['rm'],
    load: () => import('../commands/cluster/group-delete.ts'),
  },
  {
    path: 'cluster group assign',
    summary: 'Say which groups a member is in',
    aliases: ['apply'],
    load: () => import('../commands/cluster/group-assign.ts'),
  },
  {
    path: 'cluster group add',
    summary: 'Put a member in a group',
    load: () => import('../commands/cluster/group-add.ts'),
  },
  {
    path: 'cluster group remove',
    summary: 'Take a member from a group',
    load: () => import('../commands/cluster/group-remove.ts'),
  },
  {
    path: 'cluster role add',
    summary: 'Give roles to a member',
    load: () => import('../commands/cluster/role-add.ts'),
  },
  {
    path: 'cluster role remove',
    summary: 'Take roles from a member',
    load: () => import('../commands/cluster/role-remove.ts'),
  },
];
