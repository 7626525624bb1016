import type { StorageVolume } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { sortRows } from '../../format/units.ts';

export default command({
  usage: '[<remote>:]<pool>',
  arity: [1, 1],
  description: 'Lists the volumes of a storage pool: those of instances and images too.',
  flags: { format: formatFlag },
  async run(shell, [arg], flags) {
    const format = parseFormat(flags.format);
    const [{ client }, name] = await shell.require(arg, 'storage pool');
    const volumes = await client.get<StorageVolume[]>(apiPath('storage-pools', name, 'volumes'), {
      query: { recursion: 1 },
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
      rows: sortRows(rows),
      records: volumes,
    };
  },
});
