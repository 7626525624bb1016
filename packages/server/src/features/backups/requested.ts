import { LxdError } from '@lxd-ts/core';
import type { Services } from '../../services.ts';

/** What LXD calls them; a member's tar knows how. */
export const algorithms = ['none', 'bzip2', 'gzip', 'lz4', 'lzma', 'xz', 'zstd'];

/** @throws LxdError `invalid` */
export function checkAlgorithm(name: string): void {
  if (!algorithms.includes(name))
    throw new LxdError(
      'invalid',
      `Invalid compression algorithm "${name}"; use one of ${algorithms.join(', ')}`,
    );
}

/** '' for none; what no time is named by was checked at the edge. */
const timeOf = (text: string | null | undefined): string =>
  !text || text.startsWith('0001-') ? '' : new Date(text).toISOString();

/** As LXD: one more than the highest there is. */
function nextName(taken: readonly string[]): string {
  const numbers = taken.map((name) => Number(/^backup(\d+)$/.exec(name)?.[1] ?? -1));
  return `backup${Math.max(-1, ...numbers) + 1}`;
}

/** @throws LxdError `invalid` */
export function checkBackupName(name: string): void {
  if (name.includes('/')) throw new LxdError('invalid', 'Backup names may not contain slashes');
}

/** What a request for a backup asks for. @param taken names @throws LxdError `invalid` */
export function requestedBackup(
  { records }: Pick<Services, 'records'>,
  body: {
    name?: string;
    expires_at?: string | null;
    compression_algorithm?: string;
    optimized_storage?: boolean;
  },
  taken: readonly string[],
): { name: string; expiresAt: string; compression: string; optimized: boolean } {
  const name = body.name || nextName(taken);
  checkBackupName(name);
  const fallback = records.get('serverConfig')?.value.config['backups.compression_algorithm'];
  const compression = body.compression_algorithm || fallback || 'gzip';
  checkAlgorithm(compression);
  return {
    name,
    expiresAt: timeOf(body.expires_at),
    compression,
    optimized: body.optimized_storage ?? false,
  };
}
