import { LxdError } from '@lxd-ts/core';
import { sync, type Route } from '../../http/route.ts';
import type { Services } from '../../services.ts';

/** There is one project, LXD's default; clients ask for it by name. */
export function projectsRoutes({ records }: Services): Route[] {
  const view = () => ({
    name: 'default',
    description: 'Default LXD project',
    config: {
      'features.images': 'true',
      'features.networks': 'true',
      'features.profiles': 'true',
      'features.storage.volumes': 'true',
    },
    used_by: [
      ...records.list('instances', 'default').map(({ value }) => `/1.0/instances/${value.name}`),
      ...records
        .list('profiles', 'default')
        .map(({ value }) => `/1.0/profiles/${encodeURIComponent(value.name)}`),
      ...records.list('images', 'default').map(({ value }) => `/1.0/images/${value.fingerprint}`),
      ...records.list('networks', 'default').map(({ value }) => `/1.0/networks/${value.name}`),
    ],
  });
  return [
    {
      operationId: 'projectsGet',
      handle: ({ query }) =>
        Promise.resolve(sync(query.get('recursion') === '1' ? [view()] : ['/1.0/projects/default'])),
    },
    {
      operationId: 'projectGet',
      handle: async ({ params }) => {
        if (params['name'] !== 'default') throw new LxdError('not-found', 'Project not found');
        const { config, description } = view();
        return Promise.resolve(sync(view(), [description, config]));
      },
    },
  ];
}
