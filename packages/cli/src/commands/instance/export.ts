import { command } from '../../base/command.ts';
import { backupFlags, exportBackup } from '../../base/export-backup.ts';
import { apiPath } from '../../base/names.ts';

export default command({
  usage: '[<remote>:]<instance> [<target>]',
  arity: [1, 2],
  description:
    'Saves an instance with its configuration and snapshots in a file, also while it runs. "-" writes it to standard output.',
  examples: [
    ['export c1 c1.tar.gz', 'Back c1 up'],
    ['export c1 - --compression zstd | ssh backup "cat > c1.tar.zst"', 'To another machine'],
  ],
  flags: {
    'instance-only': { kind: 'boolean', help: 'Without snapshots' },
    ...backupFlags,
  },
  async run(shell, [arg, given], flags) {
    const [context, instance] = await shell.require(arg, 'instance');
    return exportBackup(context, apiPath('instances', instance, 'backups'), given ?? 'backup.tar.gz', {
      what: 'instance',
      only: { instance_only: flags['instance-only'], container_only: flags['instance-only'] },
      flags,
    });
  },
});
