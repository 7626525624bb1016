import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import type { Operation } from '@lxd-ts/client';
import { headerValue } from '../../base/header-value.ts';
import type { Context } from '../../base/context.ts';
import type { Progress } from '../../base/progress.ts';
import { decimalSize } from '../../format/units.ts';

export interface ImageFiles {
  /** A unified tarball, or the metadata of a split image. */
  meta: string;
  rootfs?: string;
}

export interface UploadOptions {
  public: boolean;
  properties: Readonly<Record<string, string>>;
  /** It goes when it was not used for long. */
  cached?: boolean;
  /** Gives it up. */
  signal?: AbortSignal;
}

/** Counts bytes on their way, and tells about it. */
export function meter(progress: Progress, total: number, now: () => number): Transform {
  const start = now();
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      const seconds = Math.max(0.001, (now() - start) / 1000);
      const percent = total > 0 ? `${Math.floor((passed / total) * 100)}% ` : '';
      progress.update(`${percent}(${decimalSize(Math.round(passed / seconds))}/s)`);
      done(null, chunk);
    },
  });
}

/** A multipart body of the two files of a split image, and its length. */
export function multipart(
  parts: readonly { name: string; path: string; size: number }[],
  boundary: string,
): { length: number; body: () => AsyncGenerator<Buffer> } {
  const heads = parts.map(({ name, path }) =>
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${basename(path).replaceAll('"', '')}"\r\n` +
        'Content-Type: application/octet-stream\r\n\r\n',
    ),
  );
  const tail = Buffer.from(`--${boundary}--\r\n`);
  const length = parts.reduce((sum, { size }, i) => sum + size + 2 + (heads[i]?.length ?? 0), tail.length);
  async function* body(): AsyncGenerator<Buffer> {
    for (const [i, { path }] of parts.entries()) {
      yield heads[i] as Buffer;
      for await (const chunk of createReadStream(path)) yield chunk as Buffer;
      yield Buffer.from('\r\n');
    }
    yield tail;
  }
  return { length, body };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw new LxdError(
      'not-found',
      `Cannot read "${path}": ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`,
      { cause: error },
    );
  }
}

/** Sends an image's files; returns its fingerprint when the server has it. */
export async function uploadImage(
  context: Context,
  files: ImageFiles,
  options: UploadOptions,
): Promise<string> {
  const metaSize = await sizeOf(files.meta);
  const properties = new URLSearchParams(options.properties).toString();
  const common = {
    'x-lxd-public': options.public ? '1' : '0',
    ...(properties === '' ? {} : { 'x-lxd-properties': properties }),
    ...(options.cached ? { 'x-lxd-cached': '1' } : {}),
  };
  const send = async (source: Readable, total: number, headers: Record<string, string | number>) => {
    using progress = context.progress('Transferring image');
    const stream = source.pipe(meter(progress, total, () => context.io.now().getTime()));
    source.on('error', (error) => stream.destroy(error));
    return await context.client.change('POST', '/1.0/images', {
      stream,
      headers: { ...common, ...headers },
      ...(options.signal ? { signal: options.signal } : {}),
    });
  };
  let operation: Operation | undefined;
  if (files.rootfs === undefined) {
    operation = await send(createReadStream(files.meta), metaSize, {
      'content-type': 'application/octet-stream',
      'content-length': metaSize,
      'x-lxd-filename': headerValue(basename(files.meta)),
    });
  } else {
    const boundary = randomUUID();
    const { length, body } = multipart(
      [
        { name: 'metadata', path: files.meta, size: metaSize },
        { name: 'rootfs', path: files.rootfs, size: await sizeOf(files.rootfs) },
      ],
      boundary,
    );
    operation = await send(Readable.from(body()), length, {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': length,
    });
  }
  return fingerprintOf(await context.wait(operation, 'Importing image'));
}

export function fingerprintOf(operation: Operation | undefined): string {
  const fingerprint = operation?.metadata?.['fingerprint'];
  if (typeof fingerprint !== 'string')
    throw new LxdError('internal', 'The server told no fingerprint of the image');
  return fingerprint;
}

/** Names an image. A name that another image has moves over. */
export async function nameImage(
  context: Context,
  fingerprint: string,
  aliases: readonly string[],
  project?: string,
): Promise<void> {
  const query = { project };
  for (const name of aliases) {
    const body = { name, target: fingerprint };
    try {
      await context.change('POST', '/1.0/images/aliases', { body, query });
    } catch (error) {
      if (!(error instanceof LxdError) || error.code !== 'conflict') throw error;
      await context.change('PUT', `/1.0/images/aliases/${encodeURIComponent(name)}`, {
        body: { target: fingerprint, description: '' },
        query,
      });
    }
  }
}
