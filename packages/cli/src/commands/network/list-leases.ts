import type { Lease } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { sortRows } from '../../format/units.ts';

export default command({
  usage: '[<remote>:]<network>',
  arity: [1, 1],
  description: 'Lists the addresses that a network has given out.',
  flags: { format: formatFlag },
  async run(shell, [arg], flags) {
    const format = parseFormat(flags.format);
    const [{ client }, name] = await shell.require(arg, 'network');
    const leases = await client.get<Lease[]>(apiPath('networks', name, 'leases'));
    const clustered = leases.some(({ location }) => location !== '' && location !== 'none');
    const rows = leases.map(({ hostname, hwaddr, address, type, location }) => [
      hostname,
      hwaddr,
      address,
      type.toUpperCase(),
      ...(clustered ? [location] : []),
    ]);
    return {
      kind: 'list',
      format,
      header: ['HOSTNAME', 'MAC ADDRESS', 'IP ADDRESS', 'TYPE', ...(clustered ? ['LOCATION'] : [])],
      rows: sortRows(rows),
      records: leases,
    };
  },
});
