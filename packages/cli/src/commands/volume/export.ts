import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { backupFlags, exportBackup } from '../../base/export-backup.ts';
import { parseVolume, volumePath, volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool> <volume> [<target>]',
  arity: [2, 3],
  description:
    'Saves a custom volume with its configuration and snapshots in a file, also while it is used. "-" writes it to standard output.',
  examples: [
    ['storage volume export default data data.tar.gz', 'Back it up'],
    [
      'storage volume export default data - --volume-only | ssh backup "cat > data.tar.gz"',
      'To another machine',
    ],
  ],
  flags: {
    ...volumeTarget,
    'volume-only': { kind: 'boolean', help: 'Without snapshots' },
    ...backupFlags,
  },
  async run(shell, [arg, volume, given], flags) {
    const [context, pool] = await shell.require(arg, 'storage pool');
    const named = parseVolume(volume);
    if (named.snapshot !== undefined)
      throw new LxdError(
        'invalid',
        'A snapshot is exported with its volume: copy it to a volume of its own first',
      );
    return exportBackup(context, `${volumePath(pool, named)}/backups`, given ?? 'backup.tar.gz', {
      what: 'storage volume',
      only: { volume_only: flags['volume-only'] },
      member: flags.target,
      flags,
    });
  },
});
