import type { Profile } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { sortRows } from '../../format/units.ts';

export default command({
  usage: '[<remote>:]',
  arity: [0, 1],
  description: 'Lists profiles.',
  flags: { format: formatFlag },
  async run(shell, args, flags) {
    const format = parseFormat(flags.format);
    const context = await shell.onlyRemote(args);
    const profiles = await context.client.get<Profile[]>('/1.0/profiles', { query: { recursion: 1 } });
    return {
      kind: 'list',
      format,
      header: ['NAME', 'DESCRIPTION', 'USED BY'],
      rows: sortRows(profiles.map((one) => [one.name, one.description, String(one.used_by?.length ?? 0)])),
      records: profiles,
    };
  },
});
