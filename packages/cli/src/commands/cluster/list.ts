import type { ClusterMember } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { sortRows } from '../../format/units.ts';
import { requireCluster } from './members.ts';

export default command({
  usage: '[<remote>:]',
  arity: [0, 1],
  description: 'Lists the members of the cluster.',
  flags: { format: formatFlag },
  async run(shell, args, flags) {
    const format = parseFormat(flags.format);
    const context = await shell.onlyRemote(args);
    await requireCluster(context);
    const members = await context.client.get<ClusterMember[]>('/1.0/cluster/members', {
      query: { recursion: 1 },
    });
    const rows = members.map((one) => [
      one.server_name,
      one.url,
      (one.roles ?? []).join(format === 'csv' ? ',' : '\n'),
      one.architecture,
      one.failure_domain,
      one.description,
      one.status.toUpperCase(),
      one.message,
    ]);
    return {
      kind: 'list',
      format,
      header: ['NAME', 'URL', 'ROLES', 'ARCHITECTURE', 'FAILURE DOMAIN', 'DESCRIPTION', 'STATE', 'MESSAGE'],
      rows: sortRows(rows),
      records: members,
    };
  },
});
