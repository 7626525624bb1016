import type { StoragePool } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { sortRows } from '../../format/units.ts';

export default command({
  usage: '[<remote>:]',
  arity: [0, 1],
  description: 'Lists storage pools.',
  flags: { format: formatFlag },
  async run(shell, args, flags) {
    const format = parseFormat(flags.format);
    const context = await shell.onlyRemote(args);
    const pools = await context.client.get<StoragePool[]>('/1.0/storage-pools', { query: { recursion: 1 } });
    // In a cluster a pool's source differs from member to member.
    const clustered = pools.some(({ locations }) => locations?.some((member) => member !== 'none'));
    const rows = pools.map(({ name, driver, config, description, used_by: users, status }) => [
      name,
      driver,
      ...(clustered ? [] : [config['source'] ?? '']),
      description,
      String(users?.length ?? 0),
      status.toUpperCase(),
    ]);
    return {
      kind: 'list',
      format,
      header: ['NAME', 'DRIVER', ...(clustered ? [] : ['SOURCE']), 'DESCRIPTION', 'USED BY', 'STATE'],
      rows: sortRows(rows),
      records: pools,
    };
  },
});
