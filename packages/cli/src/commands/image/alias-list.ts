import type { ImageAlias } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { sortRows } from '../../format/units.ts';

export default command({
  usage: '[<remote>:] [<filter>...]',
  arity: [0, Infinity],
  description: 'Lists names of images. A filter is part of a name or the start of a fingerprint.',
  flags: { format: formatFlag },
  async run(shell, args, flags) {
    const format = parseFormat(flags.format);
    const [{ client }, filters] = await shell.remoteFirst(args, 'images');
    const all = await client.get<ImageAlias[]>('/1.0/images/aliases', { query: { recursion: 1 } });
    const aliases = all.filter(({ name, target }) =>
      filters.every((filter) => name.includes(filter) || target.startsWith(filter)),
    );
    const rows = aliases.map((one) => [
      one.name,
      one.target.slice(0, 12),
      one.type.toUpperCase(),
      one.description,
    ]);
    return {
      kind: 'list',
      format,
      header: ['ALIAS', 'FINGERPRINT', 'TYPE', 'DESCRIPTION'],
      rows: sortRows(rows),
      records: aliases,
    };
  },
});
