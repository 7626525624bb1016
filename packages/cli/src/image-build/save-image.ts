import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { LxdError } from '@lxd-ts/core';
import type { Context } from '../base/context.ts';
import { apiPath } from '../base/names.ts';
import { meter } from '../commands/image/upload.ts';

/** Writes an image that is one tarball to a file, which is there when it is whole. */
export async function saveImage(
  context: Context,
  fingerprint: string,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const partial = `${file}.partial-${randomBytes(4).toString('hex')}`;
  const response = await context.client.download(`${apiPath('images', fingerprint)}/export`, { signal });
  using progress = context.progress('Writing the image');
  const counter = meter(progress, Number(response.headers['content-length'] ?? 0), () =>
    context.io.now().getTime(),
  );
  try {
    await pipeline(response, counter, createWriteStream(partial, { flags: 'wx' }), { signal });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    if (signal.aborted) throw signal.reason;
    if (error instanceof LxdError) throw error;
    throw new LxdError('internal', `Cannot write "${file}": ${(error as Error).message}`, { cause: error });
  }
}
