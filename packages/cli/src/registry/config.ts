import type { Entry } from '../base/command.ts';

export const configCommands: readonly Entry[] = [
  {
    path: 'config get',
    summary: 'Show one key of an instance or the server',
    load: () => import('../commands/config/get.ts'),
  },
  {
    path: 'config set',
    summary: 'Set keys of an instance or the server',
    load: () => import('../commands/config/set.ts'),
  },
  {
    path: 'config unset',
    summary: 'Remove a key of an instance or the server',
    load: () => import('../commands/config/unset.ts'),
  },
  {
    path: 'config show',
    summary: 'Show the configuration of an instance or the server',
    load: () => import('../commands/config/show.ts'),
  },
  {
    path: 'config edit',
    summary: 'Edit the configuration of an instance or the server',
    load: () => import('../commands/config/edit.ts'),
  },
  {
    path: 'config device add',
    summary: 'Add a device to an instance',
    load: () => import('../commands/config/device-add.ts'),
  },
  {
    path: 'config device list',
    summary: 'List the devices of an instance',
    aliases: ['ls'],
    load: () => import('../commands/config/device-list.ts'),
  },
  {
    path: 'config device show',
    summary: 'Show the devices of an instance',
    load: () => import('../commands/config/device-show.ts'),
  },
  {
    path: 'config device get',
    summary: 'Show one option of a device',
    load: () => import('../commands/config/device-get.ts'),
  },
  {
    path: 'config device set',
    summary: 'Set options of a device',
    load: () => import('../commands/config/device-set.ts'),
  },
  {
    path: 'config device unset',
    summary: 'Remove an option of a device',
    load: () => import('../commands/config/device-unset.ts'),
  },
  {
    path: 'config device remove',
    summary: 'Remove devices from an instance',
    aliases: ['rm'],
    load: () => import('../commands/config/device-remove.ts'),
  },
  {
    path: 'config device override',
    summary: "Give an instance its own copy of a profile's device",
    load: () => import('../commands/config/device-override.ts'),
  },
  {
    path: 'config metadata show',
    summary: 'Show what the image of an instance said of itself',
    load: () => import('../commands/config/metadata-show.ts'),
  },
  {
    path: 'config metadata edit',
    summary: 'Edit what the image of an instance said of itself',
    load: () => import('../commands/config/metadata-edit.ts'),
  },
  {
    path: 'config template list',
    summary: 'List the templates of an instance',
    aliases: ['ls'],
    load: () => import('../commands/config/template-list.ts'),
  },
  {
    path: 'config template show',
    summary: 'Show a template of an instance',
    load: () => import('../commands/config/template-show.ts'),
  },
  {
    path: 'config template create',
    summary: 'Make a template of an instance',
    load: () => import('../commands/config/template-create.ts'),
  },
  {
    path: 'config template edit',
    summary: 'Edit a template of an instance',
    load: () => import('../commands/config/template-edit.ts'),
  },
  {
    path: 'config template delete',
    summary: 'Delete a template of an instance',
    aliases: ['rm'],
    load: () => import('../commands/config/template-delete.ts'),
  },
  {
    path: 'config trust add',
    summary: 'Let a client in, by certificate or by a token',
    load: () => import('../commands/trust/add.ts'),
  },
  {
    path: 'config trust list',
    summary: 'List the clients that the server trusts',
    aliases: ['ls'],
    load: () => import('../commands/trust/list.ts'),
  },
  {
    path: 'config trust list-tokens',
    summary: 'List unused tokens for new clients',
    load: () => import('../commands/trust/list-tokens.ts'),
  },
  {
    path: 'config trust revoke-token',
    summary: 'Make a token for a new client useless',
    load: () => import('../commands/trust/revoke-token.ts'),
  },
  {
    path: 'config trust remove',
    summary: 'Take the trust from a client',
    aliases: ['rm'],
    load: () => import('../commands/trust/remove.ts'),
  },
  {
    path: 'config trust show',
    summary: 'Show a trusted client',
    load: () => import('../commands/trust/show.ts'),
  },
  {
    path: 'config trust edit',
    summary: 'Edit a trusted client',
    load: () => import('../commands/trust/edit.ts'),
  },
];
