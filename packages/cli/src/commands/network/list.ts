import type { Network } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { sortRows } from '../../format/units.ts';

export default command({
  usage: '[<remote>:]',
  arity: [0, 1],
  description: 'Lists networks: those that the server manages, and the interfaces of the host.',
  flags: { format: formatFlag },
  async run(shell, args, flags) {
    const format = parseFormat(flags.format);
    const context = await shell.onlyRemote(args);
    const all = await context.client.get<Network[]>('/1.0/networks', { query: { recursion: 1 } });
    const networks = all.filter(({ type }) => type !== 'loopback' && type !== 'unknown');
    const rows = networks.map(({ name, type, managed, config, description, used_by: users, status }) => [
      name,
      type,
      managed ? 'YES' : 'NO',
      config['ipv4.address'] ?? '',
      config['ipv6.address'] ?? '',
      description,
      String(users?.length ?? 0),
      status.toUpperCase(),
    ]);
    return {
      kind: 'list',
      format,
      header: ['NAME', 'TYPE', 'MANAGED', 'IPV4', 'IPV6', 'DESCRIPTION', 'USED BY', 'STATE'],
      rows: sortRows(rows),
      records: all,
    };
  },
});
