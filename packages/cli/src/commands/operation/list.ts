import type { Operation } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { shortTime, sortRows } from '../../format/units.ts';

export default command({
  usage: '[<remote>:]',
  arity: [0, 1],
  description: 'Lists what the server is doing in the background, and what it did in the last seconds.',
  flags: { format: formatFlag, 'all-projects': { kind: 'boolean', help: 'Operations of all projects' } },
  async run(shell, args, flags) {
    const format = parseFormat(flags.format);
    const context = await shell.onlyRemote(args);
    // Grouped by status; the key is absent when there are none.
    const groups = await context.client.get<Record<string, Operation[] | null>>('/1.0/operations', {
      query: { recursion: 1, 'all-projects': flags['all-projects'] ? 'true' : undefined },
    });
    const operations = Object.values(groups).flatMap((group) => group ?? []);
    const clustered = operations.some(({ location }) => location !== '' && location !== 'none');
    const rows = operations.map((one) => [
      one.id,
      one.class.toUpperCase(),
      one.description,
      one.status.toUpperCase(),
      one.may_cancel ? 'YES' : 'NO',
      shortTime(one.created_at),
      ...(clustered ? [one.location] : []),
    ]);
    return {
      kind: 'list',
      format,
      header: [
        'ID',
        'TYPE',
        'DESCRIPTION',
        'STATUS',
        'CANCELABLE',
        'CREATED',
        ...(clustered ? ['LOCATION'] : []),
      ],
      rows: sortRows(rows),
      records: operations,
    };
  },
});
