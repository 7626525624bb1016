import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import type { ImageFile, ImagePart } from '@lxd-ts/rpc';
import busboy from 'busboy';

/** The parts of an upload, each with the name of its file. */
export type NamedPart = ImagePart & { filename: string };

const kinds: Readonly<Record<string, ImagePart['kind']>> = {
  metadata: 'metadata',
  rootfs: 'rootfs',
  'rootfs.img': 'rootfs',
};

/**
 * An upload of two files, `metadata` and then `rootfs`, as they come in: read one to its end before the next.
 * @throws LxdError `invalid` for anything else
 */
export async function* splitParts(headers: IncomingHttpHeaders, body: Readable): AsyncGenerator<NamedPart> {
  let parser;
  try {
    parser = busboy({ headers });
  } catch (error) {
    throw new LxdError('invalid', 'Invalid multipart image', { cause: error });
  }
  const queue: NamedPart[] = [];
  const state: { over: boolean; error?: Error; wake: () => void } = { over: false, wake: () => undefined };
  const finish = (error?: Error) => {
    if (error) state.error ??= error;
    state.over = true;
    state.wake();
  };
  parser.on('file', (name, stream, { filename }) => {
    // Errors of the parser reach its streams too; whoever reads them hears of it.
    stream.on('error', () => undefined);
    const kind = kinds[name];
    if (kind) queue.push({ kind, body: stream, filename });
    else {
      stream.resume();
      finish(new LxdError('invalid', 'Invalid multipart image'));
    }
    state.wake();
  });
  parser.on('error', (error) => finish(error instanceof Error ? error : new Error(String(error))));
  parser.on('close', () => finish());
  body.on('error', finish);
  body.pipe(parser);
  const seen: ImagePart['kind'][] = [];
  for (;;) {
    if (state.error) throw new LxdError('invalid', 'Invalid multipart image', { cause: state.error });
    const part = queue.shift();
    if (part) {
      seen.push(part.kind);
      if (seen.join() !== 'metadata' && seen.join() !== 'metadata,rootfs') {
        part.body.resume();
        throw new LxdError('invalid', 'Invalid multipart image');
      }
      yield part;
    } else if (state.over) break;
    else await new Promise<void>((resolve) => (state.wake = resolve));
  }
  if (seen.length < 2) throw new LxdError('invalid', 'EOF');
}

/** The files of a split image as one multipart body. */
export function joinParts(files: readonly ImageFile[], boundary: string): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (const { kind, filename, body } of files) {
      const name = kind === 'metadata' ? `meta-${filename.replace(/^meta-/, '')}` : filename;
      yield Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name="${kind}"; filename="${name}"\r\n` +
          'Content-Type: application/octet-stream\r\n\r\n',
      );
      for await (const chunk of body) yield chunk as Buffer;
      yield Buffer.from('\r\n');
    }
    yield Buffer.from(`--${boundary}--\r\n`);
  }
  const joined = Readable.from(chunks());
  joined.on('close', () => files.forEach(({ body }) => body.destroy()));
  return joined;
}
