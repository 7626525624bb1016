import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';
import { notice } from '../../base/output.ts';
import { saveBackup } from '../../base/save-backup.ts';

/** The server's copy is only there to be fetched: it goes by itself, should we not come to delete it. */
const keptMs = 24 * 60 * 60 * 1000;

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
    'optimized-storage': {
      kind: 'boolean',
      help: "In the storage driver's own format; only pools of the same driver take it",
    },
    compression: {
      kind: 'string',
      value: 'algorithm',
      help: 'none, bzip2, gzip, lz4, lzma, xz or zstd',
    },
  },
  async run(shell, [arg, given], flags) {
    const [context, instance] = await shell.require(arg, 'instance');
    const target = given ?? 'backup.tar.gz';
    const backups = apiPath('instances', instance, 'backups');
    const started = await context.client.change('POST', backups, {
      body: {
        name: '',
        expires_at: new Date(context.io.now().getTime() + keptMs).toISOString(),
        instance_only: flags['instance-only'],
        container_only: flags['instance-only'],
        optimized_storage: flags['optimized-storage'],
        ...(flags.compression ? { compression_algorithm: flags.compression } : {}),
      },
    });
    const done = await context.wait(started, 'Backing up instance');
    const name = done?.resources?.['backups']?.[0]?.split('/').pop();
    if (name === undefined) throw new LxdError('internal', 'The server did not tell the name of the backup');
    const backup = `${backups}/${name}`;
    try {
      await saveBackup(context, `${backup}/export`, target);
    } finally {
      await context.change('DELETE', backup);
    }
    return target === '-' ? undefined : notice('Backup exported successfully!');
  },
});
