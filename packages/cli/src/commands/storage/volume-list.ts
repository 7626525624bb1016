import type { StorageVolume } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { apiPath, requireName } from '../../base/names.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { sortRows } from '../../format/units.ts';

export default command({
  usage: '<pool>',
  arity: [1, 1],
  description: 'Lists the volumes of a storage pool: those of instances and images too.',
  flags: { format: formatFlag },
  async run(context, [arg], flags) {
    const format = parseFormat(flags.format);
    const volumes = await context.client.get<StorageVolume[]>(
      apiPath('storage-pools', requireName(arg, 'storage pool'), 'volumes'),
      { query: { recursion: 1 } },
    );
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
      rows: sortRows(rows),
      records: volumes,
    };
  },
});
