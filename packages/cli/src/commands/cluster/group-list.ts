import type { ClusterGroup } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { sortRows } from '../../format/units.ts';
import { requireCluster } from './members.ts';

export default command({
  usage: '[<remote>:]',
  arity: [0, 1],
  description: 'Lists the groups of members.',
  flags: { format: formatFlag },
  async run(shell, args, flags) {
    const format = parseFormat(flags.format);
    const context = await shell.onlyRemote(args);
    await requireCluster(context);
    const groups = await context.client.get<ClusterGroup[]>('/1.0/cluster/groups', {
      query: { recursion: 1 },
    });
    const rows = groups.map((one) => [one.name, one.description, String(one.members?.length ?? 0)]);
    return {
      kind: 'list',
      format,
      header: ['NAME', 'DESCRIPTION', 'MEMBERS'],
      rows: sortRows(rows),
      records: groups,
    };
  },
});
