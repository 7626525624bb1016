import { LxdError } from '@lxd-ts/core';
import type { Context } from './context.ts';
import { notice, type Output } from './output.ts';
import { checkTarget, saveDownload } from './save-download.ts';

/** The server's copy is only there to be fetched: it goes by itself, should we not come to delete it. */
const keptMs = 24 * 60 * 60 * 1000;

export const backupFlags = {
  'optimized-storage': {
    kind: 'boolean',
    help: "In the storage driver's own format; only pools of the same driver take it",
  },
  compression: {
    kind: 'string',
    value: 'algorithm',
    help: 'none, bzip2, gzip, lz4, lzma, xz or zstd',
  },
} as const;

/** Has the server make a backup, fetches it, and has it deleted there. @param backups path of those of one thing */
export async function exportBackup(
  context: Context,
  backups: string,
  target: string,
  {
    what,
    only,
    member,
    flags,
  }: {
    what: string;
    /** Fields that say whether it is without snapshots. */
    only: Record<string, boolean>;
    member?: string | undefined;
    flags: { 'optimized-storage': boolean; compression: string | undefined };
  },
): Promise<Output | undefined> {
  await checkTarget(target);
  const query = { target: member };
  const started = await context.client.change('POST', backups, {
    query,
    body: {
      name: '',
      expires_at: new Date(context.io.now().getTime() + keptMs).toISOString(),
      ...only,
      optimized_storage: flags['optimized-storage'],
      ...(flags.compression ? { compression_algorithm: flags.compression } : {}),
    },
  });
  const done = await context.wait(started, `Backing up ${what}`);
  const name = done?.resources?.['backups']?.[0]?.split('/').pop();
  if (name === undefined) throw new LxdError('internal', 'The server did not tell the name of the backup');
  const at = member === undefined ? '' : `?target=${encodeURIComponent(member)}`;
  try {
    await saveDownload(context, `${backups}/${name}/export${at}`, target, {
      label: 'Exporting the backup',
      // There may be secrets in it.
      mode: 0o600,
    });
  } finally {
    await context.change('DELETE', `${backups}/${name}`, { query });
  }
  return target === '-' ? undefined : notice('Backup exported successfully!');
}
