import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { LxdError } from '@lxd-ts/core';
import { meter } from '../commands/image/upload.ts';
import type { Context } from './context.ts';

/** Into a file, or nothing of it. `-` is standard output. */
export async function saveBackup(context: Context, path: string, target: string): Promise<void> {
  using progress = context.progress('Exporting the backup');
  const response = await context.client.download(path);
  const total = Number(response.headers['content-length'] ?? 0);
  const counter = meter(progress, total, () => context.io.now().getTime());
  if (target === '-') {
    await pipeline(response, counter, context.io.stdout, { end: false });
    return;
  }
  // What was there stays until there is something better.
  const partial = `${target}.partial`;
  try {
    await pipeline(response, counter, createWriteStream(partial, { mode: 0o600 }));
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    if (error instanceof LxdError) throw error;
    throw new LxdError('internal', `Cannot save the backup: ${(error as Error).message}`, { cause: error });
  }
}
