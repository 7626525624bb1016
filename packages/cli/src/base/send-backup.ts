import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { LxdError } from '@lxd-ts/core';
import type { Operation } from '@lxd-ts/client';
import { meter } from '../commands/image/upload.ts';
import type { Context } from './context.ts';
import { headerValue } from './header-value.ts';

/** Bytes of a file that can be read. @throws LxdError */
async function sizeOf(path: string): Promise<number> {
  try {
    await using file = await open(path, 'r');
    const found = await file.stat();
    if (found.isDirectory()) throw new LxdError('invalid', `Cannot read "${path}": it is a directory`);
    return found.size;
  } catch (error) {
    if (error instanceof LxdError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new LxdError(
      'not-found',
      `Cannot read "${path}": ${code === 'ENOENT' ? 'no such file' : message}`,
      { cause: error },
    );
  }
}

/** What a file that `export` wrote is made of again. @param path `-`: standard input */
export async function sendBackup(
  context: Context,
  path: string,
  to: {
    url: string;
    what: string;
    /** Their values may be any text. */
    headers: Record<string, string>;
    query?: Record<string, string | undefined>;
  },
): Promise<Operation | undefined> {
  const size = path === '-' ? 0 : await sizeOf(path);
  using progress = context.progress(to.what);
  const source: NodeJS.ReadableStream = path === '-' ? context.io.stdin : createReadStream(path);
  const stream = source.pipe(meter(progress, size, () => context.io.now().getTime()));
  source.on('error', (error: Error) => stream.destroy(error));
  return await context.client.change('POST', to.url, {
    stream,
    ...(to.query ? { query: to.query } : {}),
    headers: {
      'content-type': 'application/octet-stream',
      ...(size > 0 ? { 'content-length': String(size) } : {}),
      ...Object.fromEntries(Object.entries(to.headers).map(([name, value]) => [name, headerValue(value)])),
    },
  });
}
