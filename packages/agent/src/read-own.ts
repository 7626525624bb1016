import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { LxdError } from '@lxd-ts/core';

const absent = new Set(['ENOENT', 'ELOOP', 'ENXIO']);

/**
 * What is in a small file beside an instance's root. An image or a backup may bring anything there: what is no regular file
 * (a link to anywhere, a device without an end) is as if it were not there.
 * @throws LxdError `invalid` where it is larger
 */
export async function readOwn(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      if (absent.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    },
  );
  if (!file) return undefined;
  try {
    const found = await file.stat();
    if (!found.isFile()) return undefined;
    if (found.size > maxBytes) throw new LxdError('invalid', `"${path}" is larger than ${maxBytes} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
