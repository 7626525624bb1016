import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LxdError } from '@lxd-ts/core';
import { meter } from '../commands/image/upload.ts';
import type { Context } from './context.ts';

/** Before a server works for long on what could then not be written. `-` is standard output. @throws LxdError `invalid` */
export async function checkTarget(target: string): Promise<void> {
  if (target === '-') return;
  const found = await stat(target).catch(() => undefined);
  if (found?.isDirectory()) throw new LxdError('invalid', `Cannot write "${target}": it is a directory`);
  const directory = await stat(dirname(target)).catch(() => undefined);
  if (!directory?.isDirectory())
    throw new LxdError('invalid', `Cannot write "${target}": there is no directory "${dirname(target)}"`);
}

/** Into a file, or nothing of it; what was there stays until there is something better. `-` is standard output. */
export async function saveDownload(
  context: Context,
  path: string,
  target: string,
  { label, mode = 0o666, signal }: { label: string; mode?: number; signal?: AbortSignal },
): Promise<void> {
  using progress = context.progress(label);
  const response = await context.client.download(path, signal ? { signal } : {});
  const total = Number(response.headers['content-length'] ?? 0);
  const counter = meter(progress, total, () => context.io.now().getTime());
  const options = signal ? { signal } : {};
  if (target === '-') {
    await pipeline(response, counter, context.io.stdout, { ...options, end: false });
    return;
  }
  // In a directory that others may write to, nobody can have put a link there.
  const partial = `${target}.partial-${randomBytes(4).toString('hex')}`;
  try {
    await pipeline(response, counter, createWriteStream(partial, { mode, flags: 'wx' }), options);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    signal?.throwIfAborted();
    if (error instanceof LxdError) throw error;
    throw new LxdError('internal', `Cannot write "${target}": ${(error as Error).message}`, { cause: error });
  }
}
