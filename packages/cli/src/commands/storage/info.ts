import type { StoragePool } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';
import { yamlOutput } from '../../base/output.ts';
import { binarySize } from '../../format/units.ts';

/** `used_by` links as names, by kind of thing; those of other projects with the project's name. */
export function usersByKind(links: readonly string[]): Record<string, string[]> {
  const result: Record<string, string[]> = {};
  for (const link of links) {
    const url = new URL(link, 'http://lxd');
    const [, , kind = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const project = url.searchParams.get('project');
    const snapshot = rest.includes('snapshots');
    const volume = kind === 'storage-pools';
    const at = volume ? 3 : 0;
    const name = `${rest[at] ?? ''}${snapshot ? `/${rest[at + 2] ?? ''}` : ''}`;
    const list = (result[volume ? 'volumes' : kind] ??= []);
    list.push(project && project !== 'default' ? `${name} (project "${project}")` : name);
  }
  return Object.fromEntries(
    Object.entries(result)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, names]) => [kind, names.sort()]),
  );
}

export default command({
  usage: '[<remote>:]<pool>',
  arity: [1, 1],
  description: 'Shows how full a storage pool is and what is stored in it.',
  flags: {
    bytes: { kind: 'boolean', help: 'Exact sizes in bytes' },
    target: { kind: 'string', value: 'member', help: 'Cluster member to ask' },
  },
  async run(shell, [arg], { bytes, target }) {
    const [context, name] = await shell.require(arg, 'storage pool');
    const path = apiPath('storage-pools', name);
    const [pool, { space }] = await Promise.all([
      context.client.get<StoragePool>(path, { query: { target } }),
      context.client.get<{ space: { used: number; total: number } }>(`${path}/resources`, {
        query: { target },
      }),
    ]);
    const size = bytes ? String : binarySize;
    return yamlOutput({
      info: {
        description: pool.description,
        driver: pool.driver,
        name: pool.name,
        'space used': size(space.used),
        'total space': size(space.total),
      },
      'used by': usersByKind(pool.used_by ?? []),
    });
  },
});
