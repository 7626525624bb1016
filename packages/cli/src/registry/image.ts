import type { Entry } from '../base/command.ts';

export const imageCommands: readonly Entry[] = [
  {
    path: 'image import',
    summary: 'Add an image from files',
    load: () => import('../commands/image/import.ts'),
  },
  {
    path: 'image list',
    summary: 'List images',
    aliases: ['ls'],
    load: () => import('../commands/image/list.ts'),
  },
  {
    path: 'image info',
    summary: 'Show facts about an image',
    load: () => import('../commands/image/info.ts'),
  },
  {
    path: 'image show',
    summary: "Show an image's properties",
    load: () => import('../commands/image/show.ts'),
  },
  {
    path: 'image edit',
    summary: "Edit an image's properties",
    load: () => import('../commands/image/edit.ts'),
  },
  {
    path: 'image get-property',
    summary: 'Show a property of an image',
    load: () => import('../commands/image/get-property.ts'),
  },
  {
    path: 'image set-property',
    summary: 'Set properties of an image',
    load: () => import('../commands/image/set-property.ts'),
  },
  {
    path: 'image unset-property',
    summary: 'Remove a property of an image',
    load: () => import('../commands/image/unset-property.ts'),
  },
  {
    path: 'image delete',
    summary: 'Delete images',
    aliases: ['rm'],
    load: () => import('../commands/image/delete.ts'),
  },
  {
    path: 'image refresh',
    summary: 'Fetch a newer version of an image',
    load: () => import('../commands/image/refresh.ts'),
  },
  {
    path: 'image export',
    summary: 'Save an image to files',
    load: () => import('../commands/image/export.ts'),
  },
  { path: 'image build', summary: 'Build an image', load: () => import('../commands/image/build.ts') },
  {
    path: 'image alias create',
    summary: 'Name an image',
    load: () => import('../commands/image/alias-create.ts'),
  },
  {
    path: 'image alias list',
    summary: 'List names of images',
    aliases: ['ls'],
    load: () => import('../commands/image/alias-list.ts'),
  },
  {
    path: 'image alias delete',
    summary: 'Take a name from an image',
    aliases: ['rm'],
    load: () => import('../commands/image/alias-delete.ts'),
  },
  {
    path: 'image alias rename',
    summary: 'Change the name of an image',
    load: () => import('../commands/image/alias-rename.ts'),
  },
  {
    path: 'image copy',
    summary: 'Copy an image to another server',
    aliases: ['cp'],
    load: () => import('../commands/image/copy.ts'),
  },
];
