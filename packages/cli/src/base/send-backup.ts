import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { LxdError } from '@lxd-ts/core';
import type { Operation } from '@lxd-ts/client';
import { meter } from '../commands/image/upload.ts';
import type { Context } from './context.ts';

async function mustBeThere(path: string): Promise<void> {
  if (path === '-') return;
  await stat(path).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new LxdError(
      'not-found',
      `Cannot read "${path}": ${code === 'ENOENT' ? 'no such file' : message}`,
      { cause: error },
    );
  });
}

/** What a file that `export` wrote is made of again. @param path `-`: standard input */
export async function sendBackup(
  context: Context,
  path: string,
  to: {
    url: string;
    what: string;
    headers: Record<string, string>;
    query?: Record<string, string | undefined>;
  },
): Promise<Operation | undefined> {
  await mustBeThere(path);
  using progress = context.progress(to.what);
  const size = path === '-' ? 0 : (await stat(path)).size;
  const source: NodeJS.ReadableStream = path === '-' ? context.io.stdin : createReadStream(path);
  const stream = source.pipe(meter(progress, size, () => context.io.now().getTime()));
  source.on('error', (error: Error) => stream.destroy(error));
  return await context.client.change('POST', to.url, {
    stream,
    ...(to.query ? { query: to.query } : {}),
    headers: {
      'content-type': 'application/octet-stream',
      ...(size > 0 ? { 'content-length': String(size) } : {}),
      ...to.headers,
    },
  });
}
