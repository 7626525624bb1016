import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { saveBackup } from '../../base/save-backup.ts';
import { parseVolume, volumePath, volumeTarget } from './volume-name.ts';

/** The server's copy is only there to be fetched: it goes by itself, should we not come to delete it. */
const keptMs = 24 * 60 * 60 * 1000;

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
  async run(shell, [arg, volume, given], flags) {
    const [context, pool] = await shell.require(arg, 'storage pool');
    const target = given ?? 'backup.tar.gz';
    const backups = `${volumePath(pool, parseVolume(volume))}/backups`;
    const query = { target: flags.target };
    const started = await context.client.change('POST', backups, {
      query,
      body: {
        name: '',
        expires_at: new Date(context.io.now().getTime() + keptMs).toISOString(),
        volume_only: flags['volume-only'],
        optimized_storage: flags['optimized-storage'],
        ...(flags.compression ? { compression_algorithm: flags.compression } : {}),
      },
    });
    const done = await context.wait(started, 'Backing up storage volume');
    const name = done?.resources?.['backups']?.[0]?.split('/').pop();
    if (name === undefined) throw new LxdError('internal', 'The server did not tell the name of the backup');
    const at = flags.target === undefined ? '' : `?target=${encodeURIComponent(flags.target)}`;
    try {
      await saveBackup(context, `${backups}/${name}/export${at}`, target);
    } finally {
      await context.change('DELETE', `${backups}/${name}`, { query });
    }
    return target === '-' ? undefined : notice('Backup exported successfully!');
  },
});
