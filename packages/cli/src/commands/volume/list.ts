import type { StorageVolume } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import { apiPath } from '../../base/names.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';

/** `key=value` as the API's filters have it. */
function filterOf(filters: readonly string[]): string | undefined {
  if (filters.length === 0) return undefined;
  return Object.entries(parseKeyValues(filters))
    .map(([key, value]) => `${key} eq ${/\s/.test(value) ? JSON.stringify(value) : value}`)
    .join(' and ');
}

export default command({
  usage: '[<remote>:]<pool> [<filter>...]',
  arity: [1, Infinity],
  description: 'Lists the volumes of a storage pool: those of instances and images too.',
  examples: [['storage volume list default type=custom', 'Only volumes of their own']],
  flags: { format: formatFlag, target: { kind: 'string', value: 'member', help: 'Cluster member' } },
  async run(shell, [arg, ...filters], flags) {
    const format = parseFormat(flags.format);
    const [{ client }, name] = await shell.require(arg, 'storage pool');
    const volumes = await client.get<StorageVolume[]>(apiPath('storage-pools', name, 'volumes'), {
      query: { recursion: 1, target: flags.target, filter: filterOf(filters) },
    });
    const clustered = volumes.some(({ location }) => location !== '' && location !== 'none');
    const rows = volumes.map((one) => [
      one.name.includes('/') ? `${one.type} (snapshot)` : one.type,
      one.name,
      one.description,
      one.content_type,
      String(one.used_by?.length ?? 0),
      ...(clustered ? [one.location] : []),
    ]);
    return {
      kind: 'list',
      format,
      header: ['TYPE', 'NAME', 'DESCRIPTION', 'CONTENT-TYPE', 'USED BY', ...(clustered ? ['LOCATION'] : [])],
      rows,
      records: volumes,
    };
  },
});
